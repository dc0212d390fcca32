//! The numbers of a template: Go's decimal, hexadecimal, octal and binary integers and its
//! floating point numbers. Complex numbers are not known.

use super::Value;

/// Reads the whole of `word` as a number.
pub(super) fn parse(word: &str) -> Option<Value> {
    let digits = word.replace('_', "");
    let (negative, unsigned) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.strip_prefix('+').unwrap_or(&digits)),
    };
    let integer = match unsigned.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => i64::from_str_radix(&unsigned[2..], 16).ok(),
        Some("0o") => i64::from_str_radix(&unsigned[2..], 8).ok(),
        Some("0b") => i64::from_str_radix(&unsigned[2..], 2).ok(),
        _ if unsigned.len() > 1 && unsigned.starts_with('0') => {
            i64::from_str_radix(unsigned, 8).ok()
        }
        _ => unsigned.parse().ok(),
    };
    if let Some(integer) = integer {
        return Some(Value::Int(if negative { -integer } else { integer }));
    }
    // Rust also reads words such as "inf", which Go takes for an identifier.
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let float: f64 = unsigned.parse().ok()?;
    Some(Value::Float(if negative { -float } else { float }))
}
