//! Go templates, as `-f` and `--format` take them.
//!
//! In: the template's text and a [`Value`]. Out: the text that Go's `text/template` would
//! print, or its error message word for word, since scripts match on both.
//!
//! Not here: what the fields are called (see `inspect` and `output`), and `define`, `block`
//! and `template`, which nobody writes on a command line.

mod ast;
mod convert;
mod eval;
mod funcs;
mod lex;
mod number;
mod parse;
mod printf;
mod value;

pub use value::{Fields, Map, Struct, Value};

use thiserror::Error;

/// A template that was parsed and can be executed any number of times.
pub struct Template {
    nodes: Vec<ast::Node>,
    text: String,
}

/// The text is no template. Displayed as Go's `text/template` does (`template: :1: …`).
#[derive(Debug, Error)]
#[error("template: :{line}: {message}")]
pub struct ParseError {
    line: usize,
    message: String,
}

impl ParseError {
    fn is_about_a_name(&self) -> bool {
        self.message.starts_with("function ") || self.message.starts_with("undefined variable ")
    }
}

/// The template does not fit the value. Displayed as Go's `text/template` does.
#[derive(Debug, Error)]
#[error("template: :{line}:{column}: executing \"\" at <{context}>: {message}")]
pub struct ExecError {
    line: usize,
    column: usize,
    context: String,
    message: String,
}

/// What a field does that a map does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It prints `<no value>`.
    NoValue,
    /// It is an error (`map has no entry for key`).
    Error,
}

/// Which functions a template calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Functions {
    /// The ones that do what they are called.
    Usual,
    /// For the heading of a table: the ones that shape text hand their argument through.
    Heading,
}

impl Template {
    /// Parses `text`; an unknown function is an error here already, as in Go.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let (tokens, broken) = lex::lex(text);
        let nodes = match (parse::parse(text, tokens), broken) {
            (parsed, None) => parsed?,
            // Go reads and parses in step: an unknown name before the break comes first.
            (Err(error), Some(_)) if error.is_about_a_name() => return Err(error),
            (_, Some(broken)) => return Err(broken),
        };
        Ok(Self { nodes, text: text.to_owned() })
    }

    /// Executes the template on `dot` and returns what it prints.
    pub fn execute(
        &self,
        dot: &Value,
        missing: Missing,
        functions: Functions,
    ) -> Result<String, ExecError> {
        eval::execute(&self.text, &self.nodes, dot, missing, functions)
    }
}

/// The line (from 1) and the column (bytes from its start; Go counts from 1 after a line
/// break and from 0 on the first line) of the byte `at`.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = before.rfind('\n').map_or(at, |newline| at - newline);
    (line, column)
}

#[cfg(test)]
mod tests;
