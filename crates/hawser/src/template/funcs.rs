//! The functions that a template can call: Go's own and those that the docker client adds.

use std::fmt::Write;
use std::rc::Rc;

use super::Functions;
use super::printf;
use super::value::Value;

/// Why a call failed.
pub(super) enum Fault {
    /// Too many or too few arguments.
    Arguments {
        /// How many there must be, as Go words it.
        wanted: &'static str,
    },
    /// The function said no.
    Call(String),
}

const NAMES: [&str; 27] = [
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js",
    "urlquery", "call", "eq", "ne", "lt", "le", "gt", "ge", "json", "split", "join", "title",
    "lower", "upper", "pad", "truncate",
];

/// Whether there is a function of that name.
pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls a function (`and` and `or` excepted, which do not evaluate all of their arguments).
pub(super) fn call(name: &str, args: &[Value], functions: Functions) -> Result<Value, Fault> {
    if functions == Functions::Heading
        && let "json" | "title" | "lower" | "upper" | "pad" | "truncate" | "split" | "join" = name
    {
        return Ok(args.first().cloned().unwrap_or(Value::Nothing));
    }
    match name {
        "not" => Ok(Value::Bool(!one(args)?.is_true())),
        "len" => length(one(args)?).map(Value::Int),
        "index" => index(args),
        "slice" => slice(args),
        "print" => Ok(Value::Str(print(args))),
        "println" => Ok(Value::Str(println(args))),
        "printf" => {
            let format = args.first().ok_or(Fault::Arguments { wanted: "at least 1" })?;
            Ok(Value::Str(printf::format(text(format)?, &args[1..])))
        }
        "html" => Ok(Value::Str(escape(&print(args), html))),
        "js" => Ok(Value::Str(escape(&print(args), js))),
        "urlquery" => Ok(Value::Str(url_query(&print(args)))),
        "eq" => equal_to_any(args).map(Value::Bool),
        "ne" => equal(two(args)?).map(|equal| Value::Bool(!equal)),
        "lt" => order(args).map(|order| Value::Bool(order.is_lt())),
        "le" => order(args).map(|order| Value::Bool(order.is_le())),
        "gt" => order(args).map(|order| Value::Bool(order.is_gt())),
        "ge" => order(args).map(|order| Value::Bool(order.is_ge())),
        "json" => Ok(Value::Str(one(args)?.to_json())),
        "lower" => Ok(Value::Str(text(one(args)?)?.to_lowercase())),
        "upper" => Ok(Value::Str(text(one(args)?)?.to_uppercase())),
        "title" => Ok(Value::Str(title(text(one(args)?)?))),
        "split" => split(args),
        "join" => join(args),
        "pad" => pad(args),
        "truncate" => truncate(args),
        _ => Err(Fault::Call("no function to call".to_owned())),
    }
}

fn one(args: &[Value]) -> Result<&Value, Fault> {
    match args {
        [value] => Ok(value),
        _ => Err(Fault::Arguments { wanted: "1" }),
    }
}

fn two(args: &[Value]) -> Result<(&Value, &Value), Fault> {
    match args {
        [a, b] => Ok((a, b)),
        _ => Err(Fault::Arguments { wanted: "2" }),
    }
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_text().ok_or_else(|| {
        Fault::Call(format!("wrong type for value; expected string; got {}", value.type_name()))
    })
}

fn integer(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(value) => Ok(*value),
        other => Err(Fault::Call(format!(
            "wrong type for value; expected int; got {}",
            other.type_name()
        ))),
    }
}

fn length(of: &Value) -> Result<i64, Fault> {
    let length = match of {
        Value::Str(text) | Value::Number(text) => text.len(),
        Value::List(items) => items.len(),
        Value::NilList => 0,
        Value::Map(map) => map.entries.len(),
        Value::Nothing | Value::Nil => return Err(Fault::Call("len of nil pointer".to_owned())),
        other => return Err(Fault::Call(format!("len of type {}", other.type_name()))),
    };
    Ok(i64::try_from(length).unwrap_or(i64::MAX))
}

fn index(args: &[Value]) -> Result<Value, Fault> {
    let (first, keys) = args.split_first().ok_or(Fault::Arguments { wanted: "at least 1" })?;
    let mut value = first.clone();
    for key in keys {
        value = match &value {
            Value::List(items) => {
                let at = integer(key).map_err(|_| {
                    Fault::Call(format!("cannot index slice/array with type {}", key.type_name()))
                })?;
                let item = usize::try_from(at).ok().and_then(|at| items.get(at));
                item.cloned().ok_or_else(|| Fault::Call(format!("index out of range: {at}")))?
            }
            Value::Map(map) => {
                let name = key.as_text().ok_or_else(|| {
                    let kind = key.type_name();
                    Fault::Call(format!("value has type {kind}; should be string"))
                })?;
                map.entries.get(name).unwrap_or(&map.zero).clone()
            }
            Value::NilList => {
                return Err(Fault::Call(format!("index out of range: {}", integer(key)?)));
            }
            Value::Nothing | Value::Nil => {
                return Err(Fault::Call("index of untyped nil".to_owned()));
            }
            other => {
                let kind = other.type_name();
                return Err(Fault::Call(format!("can't index item of type {kind}")));
            }
        };
    }
    Ok(value)
}

fn slice(args: &[Value]) -> Result<Value, Fault> {
    let (first, bounds) = args.split_first().ok_or(Fault::Arguments { wanted: "at least 1" })?;
    let end = usize::try_from(length(first)?).unwrap_or(usize::MAX);
    let mut range = [0, end];
    for (slot, bound) in range.iter_mut().zip(bounds) {
        let at = integer(bound)?;
        *slot = usize::try_from(at)
            .ok()
            .filter(|at| *at <= end)
            .ok_or_else(|| Fault::Call(format!("index out of range: {at}")))?;
    }
    let [from, to] = range;
    let wrong = || Fault::Call(format!("invalid slice index: {from} > {to}"));
    match first {
        Value::List(items) => {
            Ok(Value::List(Rc::new(items.get(from..to).ok_or_else(wrong)?.to_vec())))
        }
        value => Ok(Value::text(text(value)?.get(from..to).ok_or_else(wrong)?)),
    }
}

/// Go's `fmt.Sprint`: a space between two operands that are both no strings.
fn print(args: &[Value]) -> String {
    let mut out = String::new();
    for (index, value) in args.iter().enumerate() {
        let plain = |value: &Value| !matches!(value, Value::Str(_));
        if index > 0 && plain(value) && plain(&args[index - 1]) {
            out.push(' ');
        }
        let _ = write!(out, "{value}");
    }
    out
}

fn println(args: &[Value]) -> String {
    let words: Vec<String> = args.iter().map(ToString::to_string).collect();
    words.join(" ") + "\n"
}

fn escape(text: &str, one: fn(char) -> Option<&'static str>) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match one(c) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(c),
        }
    }
    out
}

fn html(c: char) -> Option<&'static str> {
    Some(match c {
        '"' => "&#34;",
        '\'' => "&#39;",
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '\0' => "\u{FFFD}",
        _ => return None,
    })
}

fn js(c: char) -> Option<&'static str> {
    Some(match c {
        '\\' => "\\\\",
        '\'' => "\\'",
        '"' => "\\\"",
        '<' => "\\u003C",
        '>' => "\\u003E",
        '&' => "\\u0026",
        '=' => "\\u003D",
        '\n' => "\\u000A",
        '\t' => "\\u0009",
        '\r' => "\\u000D",
        _ => return None,
    })
}

fn url_query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn equal_to_any(args: &[Value]) -> Result<bool, Fault> {
    let (first, others) = args.split_first().ok_or(Fault::Arguments { wanted: "at least 1" })?;
    if others.is_empty() {
        return Err(Fault::Call("missing argument for comparison".to_owned()));
    }
    for other in others {
        if equal((first, other))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal((a, b): (&Value, &Value)) -> Result<bool, Fault> {
    match (a, b) {
        (Value::Nothing | Value::Nil, Value::Nothing | Value::Nil) => Ok(true),
        (Value::Nothing | Value::Nil, _) | (_, Value::Nothing | Value::Nil) => Ok(false),
        _ => Ok(comparison(a, b)?.is_eq()),
    }
}

fn order(args: &[Value]) -> Result<std::cmp::Ordering, Fault> {
    let (a, b) = two(args)?;
    comparison(a, b)
}

fn comparison(a: &Value, b: &Value) -> Result<std::cmp::Ordering, Fault> {
    let basic = |value: &Value| {
        matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_))
            || value.as_text().is_some()
    };
    if !basic(a) || !basic(b) {
        return Err(Fault::Call("invalid type for comparison".to_owned()));
    }
    a.compare(b).ok_or_else(|| Fault::Call("incompatible types for comparison".to_owned()))
}

fn title(text: &str) -> String {
    let mut out = String::new();
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        start = !c.is_alphanumeric() && c != '_' && c != '\'';
    }
    out
}

fn split(args: &[Value]) -> Result<Value, Fault> {
    let (value, separator) = two(args)?;
    let (value, separator) = (text(value)?, text(separator)?);
    let parts: Vec<Value> = if separator.is_empty() {
        value.chars().map(Value::text).collect()
    } else {
        value.split(separator).map(Value::text).collect()
    };
    Ok(Value::List(Rc::new(parts)))
}

fn join(args: &[Value]) -> Result<Value, Fault> {
    let (items, separator) = two(args)?;
    let parts: Vec<String> = match items {
        Value::List(items) => items.iter().map(ToString::to_string).collect(),
        Value::Nothing | Value::Nil | Value::NilList => Vec::new(),
        other => {
            let kind = other.type_name();
            let message = format!("wrong type for value; expected []string; got {kind}");
            return Err(Fault::Call(message));
        }
    };
    Ok(Value::Str(parts.join(text(separator)?)))
}

fn pad(args: &[Value]) -> Result<Value, Fault> {
    let [value, before, after] = args else { return Err(Fault::Arguments { wanted: "3" }) };
    let value = text(value)?;
    if value.is_empty() {
        return Ok(Value::text(""));
    }
    // More than a terminal is wide is of no use, and a huge number must not fill the memory.
    let blanks = |n: i64| " ".repeat(usize::try_from(n).unwrap_or(0).min(4096));
    Ok(Value::Str(format!("{}{value}{}", blanks(integer(before)?), blanks(integer(after)?))))
}

fn truncate(args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = two(args)?;
    let length = usize::try_from(integer(length)?).unwrap_or(0);
    Ok(Value::Str(text(value)?.chars().take(length).collect()))
}
