//! The tree of a parsed template. Data only.

use std::ops::Range;

use super::value::Value;

/// One piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Printed as it is.
    Text(String),
    /// `{{pipeline}}`.
    Action(Pipe),
    /// `{{if}} … {{else}} … {{end}}`.
    If(Branch),
    /// `{{range}} … {{else}} … {{end}}`.
    Range(Branch),
    /// `{{with}} … {{else}} … {{end}}`.
    With(Branch),
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// What `if`, `range` and `with` have in common.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands joined by `|`, whose value may be given to variables.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// `=` (an existing variable) rather than `:=` (a new one).
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A word and its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) span: Range<usize>,
}

/// One operand, with the place that an error message names.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
    /// Where Go says that the word is: for a chain of fields, its second.
    pub(super) at: usize,
}

/// What an operand is.
#[derive(Debug)]
pub(super) enum Kind {
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// A number, string or boolean.
    Literal(Value),
    /// `.A.B`
    Field(Vec<String>),
    /// `$x.A.B`, or `$`.
    Variable(String, Vec<String>),
    /// The name of a function.
    Function(String),
    /// `(pipeline).A.B`
    Paren(Box<Pipe>, Vec<String>),
}
