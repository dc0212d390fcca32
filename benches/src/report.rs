//! What was measured: medians and minima, ratios to the first of a row, as a table or as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::names::Figures;

/// What the report calls bare conmon and crun.
pub const BARE: &str = "bare conmon+crun";

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// So many in a second of the processor.
    PerSecond,
    /// Gigabits in a second of the processor.
    Throughput,
    /// So many.
    Count,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Unit::Time => "ms",
            Unit::PerSecond => "/s of CPU",
            Unit::Throughput => "Gbit/s of CPU",
            Unit::Count => "",
        }
    }
}

/// One row: what was measured, and the figures of each engine in order of appearance.
#[derive(Debug)]
struct Row {
    what: String,
    unit: Unit,
    times: Vec<(String, Vec<f64>)>,
}

/// The collected figures, and sizes in bytes.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    /// Resident memory of daemons.
    pub resident: Vec<(String, u64)>,
    /// Sizes of programs.
    pub programs: Vec<(String, u64)>,
    /// The name service.
    pub names: Figures,
}

impl Report {
    /// Adds one time.
    pub fn add(&mut self, what: &str, engine: &str, took: Duration) {
        self.add_figure(what, engine, Unit::Time, took.as_secs_f64() * 1000.0);
    }

    /// Adds one figure.
    pub fn add_figure(&mut self, what: &str, engine: &str, unit: Unit, figure: f64) {
        let row = match self.rows.iter().position(|row| row.what == what) {
            Some(index) => index,
            None => {
                self.rows.push(Row { what: what.to_owned(), unit, times: Vec::new() });
                self.rows.len() - 1
            }
        };
        let times = &mut self.rows[row].times;
        match times.iter_mut().find(|(name, _)| name == engine) {
            Some((_, list)) => list.push(figure),
            None => times.push((engine.to_owned(), vec![figure])),
        }
    }

    /// Adds a time of bare conmon and crun, except that of the round that does not count.
    pub fn bare(&mut self, round: usize, took: Duration) {
        if round > 0 {
            self.add("create + start", BARE, took);
        }
    }

    /// The median, in the row's unit.
    pub fn median(&self, what: &str, engine: &str) -> Option<f64> {
        self.times(what, engine).map(median)
    }

    /// The least, in the row's unit.
    pub fn best(&self, what: &str, engine: &str) -> Option<f64> {
        self.times(what, engine).map(minimum)
    }

    fn times(&self, what: &str, engine: &str) -> Option<&[f64]> {
        let row = self.rows.iter().find(|row| row.what == what)?;
        row.times.iter().find(|(name, _)| name == engine).map(|(_, list)| list.as_slice())
    }

    /// The report for people.
    pub fn table(&self) -> String {
        let mut text =
            format!("{:<32} {:<18} {:>10} {:>10}  ratio\n", "", "engine", "median", "least");
        for row in &self.rows {
            let first = row.times.first().map_or(1.0, |(_, list)| median(list));
            for (index, (name, list)) in row.times.iter().enumerate() {
                let what = if index == 0 { row.what.as_str() } else { "" };
                let (middle, least) = (median(list), minimum(list));
                let ratio = middle / first;
                let unit = row.unit.as_str();
                let line = format!(
                    "{what:<32} {name:<18} {middle:>10.2} {least:>10.2} {ratio:>6.2} {unit}"
                );
                text += &format!("{}\n", line.trim_end());
            }
        }
        for (what, sizes) in [("resident memory", &self.resident), ("program", &self.programs)] {
            for (name, bytes) in sizes {
                text += &format!("{what:<32} {name:<18} {:>10.1} MiB\n", mebibytes(*bytes));
            }
        }
        text + &self.names.table()
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let times = self.rows.iter().flat_map(|row| {
            row.times.iter().map(|(name, list)| {
                json!({
                    "what": row.what, "engine": name, "runs": list.len(), "unit": row.unit.as_str(),
                    "median": median(list), "min": minimum(list),
                })
            })
        });
        let sizes = |list: &[(String, u64)]| {
            list.iter()
                .map(|(name, bytes)| json!({ "name": name, "bytes": bytes }))
                .collect::<Vec<_>>()
        };
        json!({
            "times": times.collect::<Vec<_>>(),
            "resident": sizes(&self.resident),
            "programs": sizes(&self.programs),
            "names": self.names.json(),
        })
    }
}

/// Bytes in MiB.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn median(list: &[f64]) -> f64 {
    let mut sorted = list.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

fn minimum(list: &[f64]) -> f64 {
    list.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn ratios_are_to_the_first_engine() {
        let mut report = Report::default();
        report.add("start", "a", Duration::from_millis(10));
        report.add("start", "b", Duration::from_millis(40));
        assert!(report.table().contains("4.00"), "{}", report.table());
        report.add("start", "b", Duration::from_millis(50));
        assert_eq!(report.median("start", "b"), Some(45.0));
        assert_eq!(report.best("start", "b"), Some(40.0));
        assert_eq!(report.best("stop", "b"), None);
    }
}
