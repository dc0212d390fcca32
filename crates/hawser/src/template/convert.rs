//! JSON as Go decodes it into an `interface{}`: maps, slices, strings, and numbers that are
//! kept as they were written.

use std::rc::Rc;

use super::value::{Map, Struct, Value};

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nothing,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::Number(number.to_string()),
            serde_json::Value::String(text) => Self::Str(text.clone()),
            serde_json::Value::Array(items) => {
                Self::List(Rc::new(items.iter().map(Self::from).collect()))
            }
            serde_json::Value::Object(object) => {
                let entries =
                    object.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect();
                Self::Map(Rc::new(Map { entries, zero: Self::Nothing, is_nil: false }))
            }
        }
    }
}

impl Value {
    /// As [`From`], except that `json .` of the whole is what it was, in its own order.
    pub fn verbatim(json: &serde_json::Value) -> Self {
        let serde_json::Value::Object(object) = json else { return Self::from(json) };
        let fields = object.iter().map(|(key, value)| (key.clone(), Self::from(value)));
        let name = "map[string]interface {}".to_owned();
        Self::Struct(Rc::new(Struct { name, fields: fields.collect(), json: json.clone() }))
    }
}
