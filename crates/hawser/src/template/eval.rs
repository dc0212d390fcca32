//! Executes a parsed template.
//!
//! In: the nodes and the value of dot. Out: what it prints, or where it did not fit. The
//! functions that templates call are in `funcs`.

use super::ast::{Branch, Command, Kind, Node, Pipe, Word};
use super::funcs;
use super::value::Value;
use super::{ExecError, Functions, Missing, position};

/// Executes `nodes`, parsed from `text`, on `dot`.
pub(super) fn execute(
    text: &str,
    nodes: &[Node],
    dot: &Value,
    missing: Missing,
    functions: Functions,
) -> Result<String, ExecError> {
    let variables = vec![("$".to_owned(), dot.clone())];
    let mut state = State { text, missing, functions, variables, out: String::new() };
    state.walk(nodes, dot)?;
    Ok(state.out)
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct State<'a> {
    text: &'a str,
    missing: Missing,
    functions: Functions,
    variables: Vec<(String, Value)>,
    out: String,
}

impl State<'_> {
    fn fail<T>(
        &self,
        at: usize,
        span: &std::ops::Range<usize>,
        message: impl Into<String>,
    ) -> Result<T, ExecError> {
        let (line, column) = position(self.text, at);
        let context = self.text.get(span.clone()).unwrap_or_default().to_owned();
        Err(ExecError { line, column, context, message: message.into() })
    }

    fn walk(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, ExecError> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::Next
                }
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        self.out.push_str(&value.to_string());
                    }
                    Flow::Next
                }
                Node::If(branch) => self.branch(branch, dot, false)?,
                Node::With(branch) => self.branch(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn branch(&mut self, branch: &Branch, dot: &Value, with: bool) -> Result<Flow, ExecError> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let flow = if value.is_true() {
            self.walk(&branch.then, if with { &value } else { dot })?
        } else {
            self.walk(&branch.otherwise, dot)?
        };
        self.variables.truncate(known);
        Ok(flow)
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, ExecError> {
        let known = self.variables.len();
        let over = self.pipe(&branch.pipe, dot)?;
        let mut empty = true;
        let items: Box<dyn Iterator<Item = (Value, Value)>> = match &over {
            Value::List(items) => Box::new(
                items.iter().zip(0..).map(|(item, index)| (Value::Int(index), item.clone())),
            ),
            Value::Map(map) => Box::new(
                map.entries.iter().map(|(key, value)| (Value::text(key.as_str()), value.clone())),
            ),
            Value::Int(count) => Box::new((0..*count).map(|n| (Value::Int(n), Value::Int(n)))),
            Value::Nothing | Value::Nil | Value::NilList => Box::new(std::iter::empty()),
            // A number of undecoded JSON: the original's decoder does not loop over it either.
            Value::Number(_) => Box::new(std::iter::empty()),
            other => {
                let span = branch.pipe.commands[0].span.clone();
                return self.fail(span.start, &span, format!("range can't iterate over {other}"));
            }
        };
        for (key, item) in items {
            empty = false;
            self.variables.truncate(known);
            self.declare_item(&branch.pipe, key, &item);
            if self.walk(&branch.then, &item)? == Flow::Break {
                break;
            }
        }
        self.variables.truncate(known);
        if empty { self.walk(&branch.otherwise, dot) } else { Ok(Flow::Next) }
    }

    fn declare_item(&mut self, pipe: &Pipe, key: Value, item: &Value) {
        let values = match pipe.variables.len() {
            1 => vec![item.clone()],
            _ => vec![key, item.clone()],
        };
        for (name, value) in pipe.variables.iter().zip(values) {
            self.set(name, value, pipe.assigns);
        }
    }

    fn set(&mut self, name: &str, value: Value, assigns: bool) {
        let existing = self.variables.iter_mut().rev().find(|(known, _)| assigns && known == name);
        match existing {
            Some((_, slot)) => *slot = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, ExecError> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or(Value::Nothing);
        // `range $x := …` declares for each item, not here; declaring twice does no harm.
        for name in &pipe.variables {
            self.set(name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let (first, rest) = (&command.words[0], &command.words[1..]);
        if let Kind::Function(name) = &first.kind {
            return self.call(name, command, rest, dot, last);
        }
        let mut arguments = Vec::new();
        if let Kind::Field(_) | Kind::Variable(..) = first.kind {
            for word in rest {
                arguments.push(self.word(word, dot)?);
            }
        } else if !rest.is_empty() || last.is_some() {
            let text = &self.text[first.span.clone()];
            let message = format!("can't give argument to non-function {text}");
            return self.fail(first.at, &first.span, message);
        }
        arguments.extend(last);
        match &first.kind {
            Kind::Nil => self.fail(first.at, &first.span, "nil is not a command"),
            Kind::Field(names) => self.fields(dot.clone(), names, &arguments, first),
            Kind::Variable(name, names) => {
                let value = self.variable(name);
                self.fields(value, names, &arguments, first)
            }
            _ => self.word(first, dot),
        }
    }

    fn word(&mut self, word: &Word, dot: &Value) -> Result<Value, ExecError> {
        match &word.kind {
            Kind::Dot => Ok(dot.clone()),
            Kind::Nil => Ok(Value::Nothing),
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Field(names) => self.fields(dot.clone(), names, &[], word),
            Kind::Variable(name, names) => self.fields(self.variable(name), names, &[], word),
            Kind::Paren(pipe, names) => {
                let value = self.pipe(pipe, dot)?;
                self.fields(value, names, &[], word)
            }
            Kind::Function(name) => {
                let command = Command { words: Vec::new(), span: word.span.clone() };
                self.call(name, &command, &[], dot, None)
            }
        }
    }

    fn variable(&self, name: &str) -> Value {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        found.map_or(Value::Nothing, |(_, value)| value.clone())
    }

    /// The value of a chain of fields; only the last may take arguments.
    fn fields(
        &self,
        mut value: Value,
        names: &[String],
        arguments: &[Value],
        word: &Word,
    ) -> Result<Value, ExecError> {
        for (index, name) in names.iter().enumerate() {
            let last = index + 1 == names.len();
            let arguments = if last { arguments } else { &[] };
            match self.field(&value, name, arguments) {
                Ok(next) => value = next,
                Err(message) => return self.fail(word.at, &word.span, message),
            }
        }
        if names.is_empty() && !arguments.is_empty() {
            let text = &self.text[word.span.clone()];
            let message = format!("can't give argument to non-function {text}");
            return self.fail(word.at, &word.span, message);
        }
        Ok(value)
    }

    fn field(&self, of: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let found = match of {
            Value::Row(row) => row.field(name, arguments),
            Value::Map(map) => match map.entries.get(name) {
                Some(value) => Some(value.clone()),
                None if self.missing == Missing::NoValue => Some(Value::Nothing),
                None => return Err(format!("map has no entry for key {name:?}")),
            },
            Value::Struct(value) => {
                value.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            }
            Value::Nothing if self.missing == Missing::NoValue => Some(Value::Nothing),
            Value::Nothing => return Err(format!("nil data; no entry for key {name:?}")),
            Value::Nil => return Err(format!("nil pointer evaluating {}.{name}", of.type_name())),
            _ => None,
        };
        let Some(found) = found else {
            // What was decoded without a type is an interface to Go.
            let kind = match of {
                _ if self.missing == Missing::Error => "interface {}",
                other => other.type_name(),
            };
            return Err(format!("can't evaluate field {name} in type {kind}"));
        };
        if !arguments.is_empty() && !matches!(of, Value::Row(_)) {
            return Err(format!("{name} has arguments but cannot be invoked as function"));
        }
        Ok(found)
    }

    fn call(
        &mut self,
        name: &str,
        command: &Command,
        rest: &[Word],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        if let "and" | "or" = name {
            return self.short_circuit(name == "or", command, rest, dot, last);
        }
        let mut arguments = Vec::new();
        for word in rest {
            arguments.push(self.word(word, dot)?);
        }
        arguments.extend(last);
        match funcs::call(name, &arguments, self.functions) {
            Ok(value) => Ok(value),
            Err(funcs::Fault::Arguments { wanted }) => {
                let given = arguments.len();
                let message = format!("wrong number of args for {name}: want {wanted} got {given}");
                self.fail(command.span.start, &command.span, message)
            }
            Err(funcs::Fault::Call(message)) => {
                let message = format!("error calling {name}: {message}");
                self.fail(command.span.start, &command.span, message)
            }
        }
    }

    /// `and` and `or` do not look at what comes after the argument that decides.
    fn short_circuit(
        &mut self,
        stop_at: bool,
        command: &Command,
        rest: &[Word],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, ExecError> {
        let mut value = None;
        for word in rest {
            let next = self.word(word, dot)?;
            let decided = next.is_true() == stop_at;
            value = Some(next);
            if decided {
                return Ok(value.unwrap_or(Value::Nothing));
            }
        }
        match last.or(value) {
            Some(value) => Ok(value),
            None => {
                let name = if stop_at { "or" } else { "and" };
                let message = format!("wrong number of args for {name}: want at least 1 got 0");
                self.fail(command.span.start, &command.span, message)
            }
        }
    }
}
