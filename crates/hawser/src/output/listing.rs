//! A listing: `ps`, `images`, `network ls` and their `--format`.
//!
//! In: a [`Kind`] (which fields a line has, and their headings), the format that the user
//! wants, and the lines. Out: the text.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;
use thiserror::Error;

use super::table::{self, LISTING};
use crate::template::{ExecError, Fields, Functions, Missing, ParseError, Template, Value};

/// A format that cannot be used.
#[derive(Debug, Error)]
pub enum ListingError {
    /// It is no template.
    #[error("template parsing error: {0}")]
    Parse(#[from] ParseError),
    /// It asks for what there is not.
    #[error("template parsing error: {0}")]
    Execute(#[from] ExecError),
}

/// What is listed.
pub struct Kind {
    /// The type that error messages name.
    pub type_name: &'static str,
    /// The fields and their headings.
    pub headings: &'static [(&'static str, &'static str)],
}

/// One line.
#[derive(Debug, Default)]
pub struct Line {
    /// The fields; a field that is null prints as nil.
    pub fields: BTreeMap<&'static str, Json>,
    /// What `.Label "key"` looks up, if there is such a thing here.
    pub labels: Option<BTreeMap<String, String>>,
}

impl Line {
    /// Sets a field.
    pub fn set(&mut self, field: &'static str, value: impl Into<Json>) {
        self.fields.insert(field, value.into());
    }
}

/// Writes `lines` in `format`: `json`, `table …` or a template.
pub fn render(kind: &'static Kind, format: &str, lines: Vec<Line>) -> Result<String, ListingError> {
    let format = format.trim_matches([' ', '\t']);
    if format == "json" {
        return render_lines(kind, "{{json .}}", lines);
    }
    // The raw formats end with a line break of their own, and Go adds another to each.
    match format.strip_prefix("table") {
        Some(columns) => render_table(kind, columns.trim_matches(' '), lines),
        None => render_lines(kind, format, lines),
    }
}

fn unescaped(format: &str) -> String {
    format.replace("\\t", "\t").replace("\\n", "\n")
}

fn render_lines(
    kind: &'static Kind,
    format: &str,
    lines: Vec<Line>,
) -> Result<String, ListingError> {
    let template = Template::parse(&unescaped(format))?;
    let mut out = String::new();
    for line in lines {
        let row = Value::Row(Rc::new(Row { kind, line }));
        out.push_str(&template.execute(&row, Missing::NoValue, Functions::Usual)?);
        out.push('\n');
    }
    Ok(out)
}

fn render_table(
    kind: &'static Kind,
    columns: &str,
    lines: Vec<Line>,
) -> Result<String, ListingError> {
    let columns = unescaped(columns);
    let body = render_lines(kind, &columns, lines)?;
    let heading = Value::Row(Rc::new(Heading(kind)));
    let heading =
        Template::parse(&columns)?.execute(&heading, Missing::NoValue, Functions::Heading)?;
    Ok(table::align(&format!("{heading}\n{body}"), LISTING))
}

#[derive(Debug)]
struct Row {
    kind: &'static Kind,
    line: Line,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name)
    }
}

impl Fields for Row {
    fn type_name(&self) -> &str {
        self.kind.type_name
    }

    fn field(&self, name: &str, arguments: &[Value]) -> Option<Value> {
        if name == "Label"
            && let (Some(labels), [Value::Str(key)]) = (&self.line.labels, arguments)
        {
            return Some(Value::text(labels.get(key).map_or("", String::as_str)));
        }
        Some(match self.line.fields.get(name)? {
            Json::Null => Value::Nil,
            Json::Number(number) => number.as_i64().map_or(Value::Nothing, Value::Int),
            other => Value::from(other),
        })
    }

    fn json(&self) -> String {
        let object: serde_json::Map<String, Json> = self
            .line
            .fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        // Go escapes what would be markup in a web page, except where it is told not to.
        let json = Json::Object(object).to_string();
        json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

/// The heading of a table: its fields are their own headings.
#[derive(Debug)]
struct Heading(&'static Kind);

impl Fields for Heading {
    fn type_name(&self) -> &str {
        self.0.type_name
    }

    fn field(&self, name: &str, arguments: &[Value]) -> Option<Value> {
        if let ("Label", [label]) = (name, arguments) {
            return Some(label.clone());
        }
        let heading = self.0.headings.iter().find(|(field, _)| *field == name);
        Some(heading.map_or(Value::Nothing, |(_, heading)| Value::text(*heading)))
    }

    fn json(&self) -> String {
        self.0.type_name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static KIND: Kind =
        Kind { type_name: "*formatter.Thing", headings: &[("ID", "THING ID"), ("Name", "NAME")] };

    fn line(id: &str, name: &str) -> Line {
        let mut line =
            Line { labels: Some(BTreeMap::from([("a".into(), "b".into())])), ..Line::default() };
        line.set("ID", id);
        line.set("Name", name);
        line
    }

    fn shown(format: &str) -> String {
        render(&KIND, format, vec![line("1", "x"), line("2", "<y>")]).unwrap()
    }

    #[test]
    fn tables_have_headings() {
        assert_eq!(
            shown("table {{.ID}}\\t{{upper .Name}}\\t{{.Label \"a\"}}"),
            "THING ID   NAME      a\n1          X         b\n2          <Y>       b\n"
        );
        assert_eq!(render(&KIND, "table {{.ID}}", Vec::new()).unwrap(), "THING ID\n");
    }

    #[test]
    fn templates_and_json_print_a_line_each() {
        assert_eq!(shown("{{.Name}}!"), "x!\n<y>!\n");
        assert_eq!(
            shown("json"),
            "{\"ID\":\"1\",\"Name\":\"x\"}\n{\"ID\":\"2\",\"Name\":\"\\u003cy\\u003e\"}\n"
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert_eq!(
            render(&KIND, "{{.Foo}}", vec![line("1", "x")]).unwrap_err().to_string(),
            "template parsing error: template: :1:2: executing \"\" at <.Foo>: \
             can't evaluate field Foo in type *formatter.Thing"
        );
        assert_eq!(
            render(&KIND, "{{.ID", Vec::new()).unwrap_err().to_string(),
            "template parsing error: template: :1: unclosed action"
        );
    }
}
