//! Go's `fmt.Sprintf`, as far as the values of a template go.
//!
//! In: a format and the values. Out: the text; what does not fit is marked in it as Go marks
//! it (`%!d(string=x)`), it is never an error.

use std::iter::Peekable;
use std::str::Chars;

use super::value::Value;

/// No field is wider than this, whatever the format says.
const WIDEST: usize = 4096;

/// The flags, width and precision of one verb.
#[derive(Default)]
struct Directive {
    minus: bool,
    plus: bool,
    sharp: bool,
    zero: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Formats `values`.
pub(super) fn format(format: &str, values: &[Value]) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let directive = directive(&mut rest, &mut values);
        match rest.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match values.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => out.push_str(&one(verb, &directive, value)),
            },
        }
    }
    let extra: Vec<String> = values.map(|value| format!("{}={value}", value.type_name())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn directive(rest: &mut Peekable<Chars>, values: &mut std::slice::Iter<Value>) -> Directive {
    let mut found = Directive::default();
    while let Some(flag) = rest.next_if(|c| "-+# 0".contains(*c)) {
        match flag {
            '-' => found.minus = true,
            '+' => found.plus = true,
            '#' => found.sharp = true,
            ' ' => found.space = true,
            _ => found.zero = true,
        }
    }
    found.width = size(rest, values);
    if rest.next_if_eq(&'.').is_some() {
        found.precision = Some(size(rest, values).unwrap_or(0));
    }
    found
}

fn size(rest: &mut Peekable<Chars>, values: &mut std::slice::Iter<Value>) -> Option<usize> {
    if rest.next_if_eq(&'*').is_some() {
        return match values.next() {
            Some(Value::Int(size)) => usize::try_from(*size).ok().map(|size| size.min(WIDEST)),
            _ => None,
        };
    }
    let mut size = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).map_or(0, |digit| digit as usize);
        size = Some((size.unwrap_or(0) * 10 + digit).min(WIDEST));
    }
    size
}

fn one(verb: char, directive: &Directive, value: &Value) -> String {
    let text = match (verb, value) {
        ('v', Value::Str(text)) if directive.sharp => quote(text),
        ('v', Value::Nothing | Value::Nil) => "<nil>".to_owned(),
        ('v', value) => value.to_string(),
        ('T', value) => value.type_name().to_owned(),
        ('t', Value::Bool(value)) => value.to_string(),
        ('s', Value::Str(text) | Value::Number(text)) => cut(text, directive.precision),
        ('s', Value::Map(_) | Value::Struct(_) | Value::NilList) => value.to_string(),
        ('q', Value::Str(text) | Value::Number(text)) => quote(&cut(text, directive.precision)),
        ('q', Value::Int(code)) => {
            let found = u32::try_from(*code).ok().and_then(char::from_u32);
            format!("'{}'", found.unwrap_or('\u{FFFD}'))
        }
        ('x', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('d' | 'x' | 'X' | 'o' | 'b' | 'c' | 'U', Value::Int(n)) => {
            return integer(verb, directive, *n);
        }
        ('d' | 's' | 'q', Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|item| one(verb, directive, item)).collect();
            return format!("[{}]", items.join(" "));
        }
        ('f' | 'F' | 'e' | 'g', Value::Float(n)) => float(verb, directive, *n),
        (verb, Value::Nothing | Value::Nil) => format!("%!{verb}(<nil>)"),
        (verb, value) => format!("%!{verb}({}={value})", value.type_name()),
    };
    pad(text, directive, false)
}

fn cut(text: &str, precision: Option<usize>) -> String {
    precision.map_or_else(|| text.to_owned(), |precision| text.chars().take(precision).collect())
}

fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn integer(verb: char, directive: &Directive, n: i64) -> String {
    let magnitude = n.unsigned_abs();
    let digits = match verb {
        'x' if directive.sharp => format!("0x{magnitude:x}"),
        'X' if directive.sharp => format!("0X{magnitude:X}"),
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'o' => format!("{magnitude:o}"),
        'b' => format!("{magnitude:b}"),
        'U' => format!("U+{magnitude:04X}"),
        'c' => u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('\u{FFFD}').to_string(),
        _ => magnitude.to_string(),
    };
    pad(format!("{}{digits}", sign(n < 0, directive)), directive, true)
}

fn float(verb: char, directive: &Directive, n: f64) -> String {
    let magnitude = n.abs();
    let digits = match verb {
        'e' => format!("{magnitude:.*e}", directive.precision.unwrap_or(6)),
        'g' => magnitude.to_string(),
        _ => format!("{magnitude:.*}", directive.precision.unwrap_or(6)),
    };
    format!("{}{digits}", sign(n < 0.0, directive))
}

fn sign(negative: bool, directive: &Directive) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn pad(text: String, directive: &Directive, numeric: bool) -> String {
    let width = directive.width.unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    if directive.minus {
        return text + &" ".repeat(missing);
    }
    if directive.zero && numeric {
        let digits = text.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(0);
        return format!("{}{}{}", &text[..digits], "0".repeat(missing), &text[digits..]);
    }
    " ".repeat(missing) + &text
}
