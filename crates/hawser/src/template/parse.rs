//! Builds the tree of a template from its tokens.
//!
//! In: the text and its tokens. Out: the nodes. Functions are checked for existence here, as
//! Go does: a misspelt one is an error even in a branch that is never taken.

use std::ops::Range;

use super::ast::{Branch, Command, Kind, Node, Pipe, Word};
use super::lex::{Token, TokenKind};
use super::value::Value;
use super::{ParseError, funcs, position};

/// Builds the tree of `text`, which was cut into `tokens`.
pub(super) fn parse(text: &str, tokens: Vec<Token>) -> Result<Vec<Node>, ParseError> {
    let mut parser =
        Parser { text, tokens, next: 0, variables: vec!["$".to_owned()], loops: 0, depth: 0 };
    let (nodes, end) = parser.list()?;
    match end {
        Ending::Text => Ok(nodes),
        Ending::Else => parser.fail("unexpected {{else}}"),
        Ending::End => parser.fail("unexpected {{end}}"),
    }
}

/// Templates come from the person at the keyboard, but a script may pass anything: the
/// parser is recursive, so how deep it goes is bounded.
const DEEPEST: usize = 200;

/// What a list of nodes ended at.
enum Ending {
    Text,
    Else,
    End,
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    variables: Vec<String>,
    loops: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn take(&mut self) -> Option<TokenKind> {
        let kind = self.peek().cloned();
        self.next += 1;
        kind
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&TokenKind::Space) {
            self.next += 1;
        }
    }

    fn start(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |token| token.span.start)
    }

    fn end(&self) -> usize {
        let last = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0, |token| token.span.end)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        let line = position(self.text, self.end()).0;
        Err(ParseError { line, message: message.into() })
    }

    fn unexpected<T>(&self, context: &str) -> Result<T, ParseError> {
        let what = self.tokens.get(self.next).map_or("EOF", |token| &self.text[token.span.clone()]);
        self.fail(format!("unexpected <{what}> in {context}"))
    }

    /// Nodes up to the end of the text, `{{else}}` (whose action stays open) or `{{end}}`.
    fn list(&mut self) -> Result<(Vec<Node>, Ending), ParseError> {
        let mut nodes = Vec::new();
        loop {
            match self.take() {
                None => return Ok((nodes, Ending::Text)),
                Some(TokenKind::Text(text)) => nodes.push(Node::Text(text)),
                Some(_) => {
                    self.skip_space();
                    match self.keyword().as_deref() {
                        Some("else") => return Ok((nodes, Ending::Else)),
                        Some("end") => {
                            self.close("end")?;
                            return Ok((nodes, Ending::End));
                        }
                        keyword => nodes.push(self.action(keyword)?),
                    }
                }
            }
        }
    }

    /// Takes the word that opens an action if it is a keyword.
    fn keyword(&mut self) -> Option<String> {
        const KEYWORDS: [&str; 10] = [
            "if", "range", "with", "else", "end", "break", "continue", "define", "template",
            "block",
        ];
        match self.peek() {
            Some(TokenKind::Word(word)) if KEYWORDS.contains(&word.as_str()) => {
                let word = word.clone();
                self.next += 1;
                Some(word)
            }
            _ => None,
        }
    }

    fn action(&mut self, keyword: Option<&str>) -> Result<Node, ParseError> {
        match keyword {
            None => {
                let pipe = self.pipeline("command", &TokenKind::Close)?;
                Ok(Node::Action(pipe))
            }
            Some("if") => Ok(Node::If(self.branch("if")?)),
            Some("with") => Ok(Node::With(self.branch("with")?)),
            Some("range") => {
                self.loops += 1;
                let branch = self.branch("range");
                self.loops -= 1;
                Ok(Node::Range(branch?))
            }
            Some(word @ ("break" | "continue")) => {
                if self.loops == 0 {
                    return self.fail(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                self.close(word)?;
                Ok(if word == "break" { Node::Break } else { Node::Continue })
            }
            Some(word) => self.fail(format!("{{{{{word}}}}} is not supported here")),
        }
    }

    fn close(&mut self, context: &str) -> Result<(), ParseError> {
        self.skip_space();
        match self.peek() {
            Some(TokenKind::Close) => {
                self.next += 1;
                Ok(())
            }
            _ => self.unexpected(&format!("{{{{{context}}}}}")),
        }
    }

    fn branch(&mut self, context: &str) -> Result<Branch, ParseError> {
        self.deeper()?;
        let known = self.variables.len();
        let pipe = self.pipeline(context, &TokenKind::Close)?;
        let (then, ending) = self.list()?;
        let otherwise = match ending {
            Ending::End => Vec::new(),
            Ending::Else => self.otherwise(context)?,
            Ending::Text => return self.fail("unexpected EOF"),
        };
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(Branch { pipe, then, otherwise })
    }

    /// What follows `{{else`: its own list, or another `if` or `with` that shares the `end`.
    fn otherwise(&mut self, context: &str) -> Result<Vec<Node>, ParseError> {
        self.skip_space();
        match self.keyword().as_deref() {
            Some("if") if context == "if" => return Ok(vec![Node::If(self.branch("if")?)]),
            Some("with") if context == "with" => return Ok(vec![Node::With(self.branch("with")?)]),
            Some(_) => {
                self.next -= 1;
                return self.unexpected("{{else}}");
            }
            None => {}
        }
        self.close("else")?;
        match self.list()? {
            (nodes, Ending::End) => Ok(nodes),
            (_, Ending::Else) => self.fail("expected end; found {{else}}"),
            (_, Ending::Text) => self.fail("unexpected EOF"),
        }
    }

    fn deeper(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail("max expression depth exceeded");
        }
        Ok(())
    }

    fn pipeline(&mut self, context: &str, end: &TokenKind) -> Result<Pipe, ParseError> {
        self.skip_space();
        let (variables, assigns) = self.declaration(context)?;
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            let command = self.command(context)?;
            if command.words.is_empty() {
                let empty = commands.is_empty();
                return match (empty, self.peek()) {
                    (true, Some(kind)) if kind == end => {
                        self.fail(format!("missing value for {context}"))
                    }
                    (false, Some(kind)) if kind == end => {
                        self.fail(format!("missing value for {context}"))
                    }
                    _ => self.unexpected(context),
                };
            }
            commands.push(command);
            match self.take() {
                Some(TokenKind::Pipe) => {}
                Some(kind) if kind == *end => break,
                _ => {
                    self.next -= 1;
                    return self.unexpected(if context == "command" { "operand" } else { context });
                }
            }
        }
        self.check_stages(&commands)?;
        Ok(Pipe { variables, assigns, commands })
    }

    /// Only functions and methods can be given the value of the stage before.
    fn check_stages(&self, commands: &[Command]) -> Result<(), ParseError> {
        for (index, command) in commands.iter().enumerate().skip(1) {
            if matches!(command.words[0].kind, Kind::Dot | Kind::Nil | Kind::Literal(_)) {
                return self
                    .fail(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    /// `$x :=`, `$x =`, `$k, $v :=`.
    fn declaration(&mut self, context: &str) -> Result<(Vec<String>, bool), ParseError> {
        let start = self.next;
        let mut names = Vec::new();
        while let Some(TokenKind::Variable(name)) = self.peek().cloned() {
            self.next += 1;
            names.push(format!("${name}"));
            self.skip_space();
            match self.peek() {
                Some(TokenKind::Comma) if context == "range" && names.len() < 2 => {
                    self.next += 1;
                    self.skip_space();
                }
                Some(TokenKind::Declare) => {
                    self.next += 1;
                    self.variables.extend(names.iter().cloned());
                    return Ok((names, false));
                }
                Some(TokenKind::Assign) => {
                    self.next += 1;
                    return Ok((names, true));
                }
                Some(TokenKind::Comma) => {
                    return self.fail(format!("too many declarations in {context}"));
                }
                _ => break,
            }
        }
        self.next = start;
        Ok((Vec::new(), false))
    }

    fn command(&mut self, context: &str) -> Result<Command, ParseError> {
        let start = self.start();
        let mut words = Vec::new();
        while let Some(word) = self.word(context)? {
            words.push(word);
            match self.peek() {
                Some(TokenKind::Space) => self.skip_space(),
                Some(TokenKind::Close | TokenKind::Pipe | TokenKind::CloseParen) => {}
                _ => return self.unexpected("operand"),
            }
        }
        let end = words.last().map_or(start, |word: &Word| word.span.end);
        Ok(Command { words, span: start..end })
    }

    fn word(&mut self, context: &str) -> Result<Option<Word>, ParseError> {
        let start = self.start();
        let Some(kind) = self.peek().cloned() else { return self.unexpected(context) };
        let kind = match kind {
            TokenKind::Dot => Kind::Dot,
            TokenKind::Literal(value) => Kind::Literal(value),
            TokenKind::Field(name) => Kind::Field(vec![name]),
            TokenKind::Variable(name) => Kind::Variable(self.known_variable(name)?, Vec::new()),
            TokenKind::Word(name) => self.constant_or_function(name)?,
            TokenKind::OpenParen => {
                self.deeper()?;
                self.next += 1;
                let pipe = self.pipeline("parenthesized pipeline", &TokenKind::CloseParen)?;
                self.next -= 1;
                self.depth -= 1;
                Kind::Paren(Box::new(pipe), Vec::new())
            }
            _ => return Ok(None),
        };
        self.next += 1;
        self.chain(kind, start).map(Some)
    }

    fn known_variable(&self, name: String) -> Result<String, ParseError> {
        let name = format!("${name}");
        if self.variables.contains(&name) {
            return Ok(name);
        }
        self.fail(format!("undefined variable {name:?}"))
    }

    fn constant_or_function(&self, name: String) -> Result<Kind, ParseError> {
        match name.as_str() {
            "true" => Ok(Kind::Literal(Value::Bool(true))),
            "false" => Ok(Kind::Literal(Value::Bool(false))),
            "nil" => Ok(Kind::Nil),
            _ if funcs::exists(&name) => Ok(Kind::Function(name)),
            _ => self.fail(format!("function {name:?} not defined")),
        }
    }

    /// Adds the fields that follow an operand without a space.
    fn chain(&mut self, kind: Kind, start: usize) -> Result<Word, ParseError> {
        let mut at = start;
        let mut more = Vec::new();
        while let Some(TokenKind::Field(name)) = self.peek().cloned() {
            if more.is_empty() {
                at = self.start();
            }
            self.next += 1;
            more.push(name);
        }
        let span: Range<usize> = start..self.end();
        let kind = match kind {
            kind if more.is_empty() => kind,
            Kind::Field(mut names) => {
                names.append(&mut more);
                Kind::Field(names)
            }
            Kind::Variable(name, _) => Kind::Variable(name, more),
            Kind::Paren(pipe, _) => Kind::Paren(pipe, more),
            _ => return self.fail(format!("unexpected . after term {:?}", &self.text[span])),
        };
        Ok(Word { kind, span, at })
    }
}
