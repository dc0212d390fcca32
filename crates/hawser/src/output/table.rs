//! Lays out text in columns.
//!
//! In: lines whose cells end with a tab. Out: the same with blanks in place of the tabs. A
//! column is a run of adjacent lines that have a cell there, as in Go's `tabwriter`.

/// How wide columns are.
#[derive(Clone, Copy)]
pub struct Widths {
    /// The least width of a cell, its padding included.
    pub least: usize,
    /// The blanks between a cell and the next.
    pub padding: usize,
}

/// What docker's listings use.
pub const LISTING: Widths = Widths { least: 10, padding: 3 };

/// Lays out `text`.
pub fn align(text: &str, widths: Widths) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut columns: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len()]).collect();
    let most = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..most {
        let mut first = 0;
        while first < lines.len() {
            let run = lines[first..].iter().take_while(|cells| cells.len() > column + 1).count();
            let cells = lines[first..first + run].iter().map(|cells| cells[column]);
            let widest = cells.map(|cell| cell.chars().count() + widths.padding).max();
            for line in &mut columns[first..first + run] {
                line[column] = widest.unwrap_or(0).max(widths.least);
            }
            first += run.max(1);
        }
    }
    let aligned: Vec<String> =
        lines.iter().zip(&columns).map(|(cells, w)| line(cells, w)).collect();
    aligned.join("\n")
}

fn line(cells: &[&str], widths: &[usize]) -> String {
    let mut out = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        out.push_str(cell);
        if index + 1 < cells.len() {
            out.push_str(&" ".repeat(width.saturating_sub(cell.chars().count())));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(
            align("NETWORK ID\tNAME\tSCOPE\n1015e90d7507\tbridge\tlocal\n", LISTING),
            "NETWORK ID     NAME      SCOPE\n1015e90d7507   bridge    local\n"
        );
    }

    #[test]
    fn a_line_without_cells_ends_a_column() {
        let widths = Widths { least: 0, padding: 1 };
        assert_eq!(align("aaaa\tb\nx\na\tb", widths), "aaaa b\nx\na b");
    }
}
