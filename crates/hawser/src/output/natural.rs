//! The order in which docker's client lists names: runs of digits are compared as numbers, so
//! that 80 comes before 443.

use std::cmp::Ordering;

/// Compares two names.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (x, y) = (digits(left), digits(right));
        if !x.is_empty() && !y.is_empty() {
            match number(x, y) {
                Ordering::Equal => (left, right) = (&left[x.len()..], &right[y.len()..]),
                unequal => return unequal,
            }
            continue;
        }
        let (mut rest_left, mut rest_right) = (left.chars(), right.chars());
        match (rest_left.next(), rest_right.next()) {
            // Names that differ in zeros alone (1 and 01) are in some order all the same.
            (None, None) => return a.cmp(b),
            (x, y) if x == y => (left, right) = (rest_left.as_str(), rest_right.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// Compares numbers however long they are.
fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_numbers() {
        let mut names =
            ["b10", "b9", "B1", "b09", "b", "b10a", "b99999999999999999999999", "a", "10", "9"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(
            names,
            ["9", "10", "B1", "a", "b", "b09", "b9", "b10", "b10a", "b99999999999999999999999"]
        );
    }
}
