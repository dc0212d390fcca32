//! The values that a template works on, modelled on what Go has there.
//!
//! Go knows structs (whose fields are known beforehand), maps (whose keys are not), typed
//! zero values and `interface{}`; templates print them differently, so they are kept apart.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value at all; prints `<no value>`.
    Nothing,
    /// A nil pointer; prints `<nil>`.
    Nil,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A number whose Go type is a string (`json.Number`).
    Number(String),
    /// A string.
    Str(String),
    /// A moment, as Go prints it and as it was in JSON.
    Time {
        /// Go's way.
        shown: String,
        /// What it was.
        json: serde_json::Value,
    },
    /// A slice.
    List(Rc<Vec<Value>>),
    /// A slice that is nil: empty, but null in JSON.
    NilList,
    /// A map.
    Map(Rc<Map>),
    /// A struct.
    Struct(Rc<Struct>),
    /// One line of a listing.
    Row(Rc<dyn Fields>),
}

/// A map. Its keys are in order, as Go's templates walk and print them.
#[derive(Debug)]
pub struct Map {
    /// The entries.
    pub entries: BTreeMap<String, Value>,
    /// What `index` gives for a key that the map does not have.
    pub zero: Value,
    /// It is nil: empty, but null in JSON.
    pub is_nil: bool,
}

/// A struct of Go.
#[derive(Debug)]
pub struct Struct {
    /// Its type, for error messages.
    pub name: String,
    /// Its fields by Go's names, in Go's order.
    pub fields: Vec<(String, Value)>,
    /// What it was in JSON.
    pub json: serde_json::Value,
}

/// A thing with fields that are computed, and may take arguments.
pub trait Fields: fmt::Debug {
    /// The name of its type, for error messages.
    fn type_name(&self) -> &str;
    /// The value of `name`, or `None` if it has no such field.
    fn field(&self, name: &str, arguments: &[Value]) -> Option<Value>;
    /// What `json .` prints.
    fn json(&self) -> String;
}

impl Value {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }

    /// Whether `if` takes it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nothing | Self::Nil | Self::NilList => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Number(text) | Self::Str(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Struct(_) | Self::Row(_) | Self::Time { .. } => true,
        }
    }

    /// The name of its type, for error messages.
    pub(super) fn type_name(&self) -> &str {
        match self {
            Self::Nothing => "interface {}",
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Number(_) => "json.Number",
            Self::Str(_) => "string",
            Self::Time { .. } => "time.Time",
            Self::List(_) | Self::NilList => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Struct(value) => &value.name,
            Self::Row(row) => row.type_name(),
        }
    }

    /// Its text, if it is a string to Go.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Compares two basic values of one kind; `None` if they are not.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (a, b) => Some(a.as_text()?.cmp(b.as_text()?)),
        }
    }

    /// What it is as JSON text.
    pub(super) fn to_json(&self) -> String {
        match self {
            Self::Nothing | Self::Nil | Self::NilList => "null".to_owned(),
            Self::Time { json, .. } => json.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Number(text) => text.clone(),
            Self::Str(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(map) if map.is_nil => "null".to_owned(),
            Self::Map(map) => {
                let entry = |(key, value): (&String, &Self)| {
                    format!("{}:{}", serde_json::Value::from(key.as_str()), value.to_json())
                };
                let entries: Vec<String> = map.entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(","))
            }
            Self::Struct(value) => value.json.to_string(),
            Self::Row(row) => row.json(),
        }
    }
}

/// Basic values only; everything else is different from itself.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_some_and(Ordering::is_eq)
    }
}

/// As Go's `fmt.Print` does.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("<no value>"),
            Self::Nil => f.write_str("<nil>"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Number(text) | Self::Str(text) | Self::Time { shown: text, .. } => {
                f.write_str(text)
            }
            Self::NilList => f.write_str("[]"),
            Self::List(items) => {
                f.write_str("[")?;
                spaced(f, items.iter().map(|item| (None, item)))?;
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("map[")?;
                spaced(f, map.entries.iter().map(|(key, value)| (Some(key.as_str()), value)))?;
                f.write_str("]")
            }
            Self::Struct(value) => {
                f.write_str("{")?;
                spaced(f, value.fields.iter().map(|(_, value)| (None, value)))?;
                f.write_str("}")
            }
            Self::Row(row) => f.write_str(&row.json()),
        }
    }
}

fn spaced<'a>(
    f: &mut fmt::Formatter<'_>,
    parts: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
) -> fmt::Result {
    for (index, (key, value)) in parts.enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        if let Some(key) = key {
            write!(f, "{key}:")?;
        }
        match value {
            // Inside of something else, Go calls a missing interface value nil.
            Value::Nothing => f.write_str("<nil>")?,
            value => write!(f, "{value}")?,
        }
    }
    Ok(())
}
