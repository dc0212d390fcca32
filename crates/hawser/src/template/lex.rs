//! Cuts a template into text and the tokens of its actions.
//!
//! In: the template's text. Out: tokens with their byte ranges. Trimming (`{{-`, `-}}`) and
//! comments are dealt with here; what the tokens mean together is `parse`'s.

use std::ops::Range;

use super::{ParseError, number, position};
use crate::template::Value;

/// A token and where it stands.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// Text outside of actions.
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// A dot that is no field.
    Dot,
    /// `.Name`
    Field(String),
    /// `$name` or `$`
    Variable(String),
    /// A word: a keyword, a function or a constant.
    Word(String),
    /// A number, a string, a character.
    Literal(Value),
    /// `|`
    Pipe,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `,`
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    /// White space: it ends an operand.
    Space,
}

/// Cuts `text` into tokens, up to the first thing that is none.
pub(super) fn lex(text: &str) -> (Vec<Token>, Option<ParseError>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), depth: 0 };
    let error = lexer.all().err();
    (lexer.tokens, error)
}
struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    depth: usize,
}

impl Lexer<'_> {
    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: start..self.at });
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError { line: position(self.text, self.at).0, message: message.into() })
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn all(&mut self) -> Result<(), ParseError> {
        let mut trim = false;
        loop {
            let open = self.rest().find("{{").map(|found| self.at + found);
            self.literal_text(open.unwrap_or(self.text.len()), trim);
            let Some(open) = open else { return Ok(()) };
            trim = self.action(open)?;
        }
    }

    fn literal_text(&mut self, end: usize, trim_start: bool) {
        let mut part = &self.text[self.at..end];
        if trim_start {
            part = part.trim_start();
        }
        if trims_before(&self.text[end..]) {
            part = part.trim_end();
        }
        let start = self.at;
        self.at = end;
        if !part.is_empty() {
            self.push(TokenKind::Text(part.to_owned()), start);
        }
    }

    /// Lexes the action that opens at `open`; returns whether the text after it loses its
    /// leading white space.
    fn action(&mut self, open: usize) -> Result<bool, ParseError> {
        self.at = open + 2;
        if trims_before(&self.text[open..]) {
            self.at += 2;
        }
        if self.rest().starts_with("/*") {
            return self.comment();
        }
        self.push(TokenKind::Open, open);
        loop {
            if let Some(trims) = self.close()? {
                return Ok(trims);
            }
            self.token()?;
        }
    }

    fn comment(&mut self) -> Result<bool, ParseError> {
        let Some(end) = self.rest().find("*/") else { return self.fail("unclosed comment") };
        self.at += end + 2;
        if self.rest().starts_with("}}") {
            self.at += 2;
            return Ok(false);
        }
        if self.rest().starts_with(" -}}") {
            self.at += 4;
            return Ok(true);
        }
        self.fail("comment ends before closing delimiter")
    }

    fn close(&mut self) -> Result<Option<bool>, ParseError> {
        let start = self.at;
        let trims = self.rest().starts_with(|c: char| c.is_ascii_whitespace())
            && self.rest()[1..].starts_with("-}}");
        if !trims && !self.rest().starts_with("}}") {
            return Ok(None);
        }
        if self.depth > 0 {
            return self.fail("unclosed left paren");
        }
        self.at += if trims { 4 } else { 2 };
        self.push(TokenKind::Close, start);
        Ok(Some(trims))
    }

    fn token(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return self.fail("unclosed action") };
        match first {
            c if c.is_ascii_whitespace() => {
                self.at += 1;
                while self.rest().starts_with(|c: char| c.is_ascii_whitespace())
                    && !self.rest()[1..].starts_with("-}}")
                {
                    self.at += 1;
                }
                self.push(TokenKind::Space, start);
            }
            '"' => self.quoted()?,
            '`' => self.raw_string()?,
            '\'' => self.character()?,
            '$' => {
                self.at += 1;
                let name = self.name();
                self.push(TokenKind::Variable(name), start);
            }
            '.' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.at += 1;
                let name = self.name();
                let kind = if name.is_empty() { TokenKind::Dot } else { TokenKind::Field(name) };
                self.push(kind, start);
            }
            '+' | '-' | '.' | '0'..='9' => self.number()?,
            c if c.is_alphabetic() || c == '_' => {
                let name = self.name();
                self.push(TokenKind::Word(name), start);
            }
            c => self.punctuation(c)?,
        }
        Ok(())
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        name
    }

    fn punctuation(&mut self, first: char) -> Result<(), ParseError> {
        let start = self.at;
        let kind = match first {
            '|' => TokenKind::Pipe,
            ',' => TokenKind::Comma,
            '=' => TokenKind::Assign,
            '(' => {
                self.depth += 1;
                TokenKind::OpenParen
            }
            ')' if self.depth == 0 => return self.fail("unexpected right paren"),
            ')' => {
                self.depth -= 1;
                TokenKind::CloseParen
            }
            ':' if self.rest().starts_with(":=") => {
                self.at += 1;
                TokenKind::Declare
            }
            ':' => return self.fail("expected :="),
            c => {
                let message =
                    format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c));
                return self.fail(message);
            }
        };
        self.at += 1;
        self.push(kind, start);
        Ok(())
    }

    fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let rest = self.rest();
        let end = rest
            .char_indices()
            .skip(1)
            .find(|&(at, c)| {
                let exponent = matches!(rest.as_bytes()[at - 1], b'e' | b'E');
                !(c.is_alphanumeric() || c == '.' || c == '_' || exponent && "+-".contains(c))
            })
            .map_or(rest.len(), |(at, _)| at);
        let word = rest[..end].to_owned();
        self.at += end;
        match number::parse(&word) {
            Some(value) => self.push(TokenKind::Literal(value), start),
            None => return self.fail(format!("bad number syntax: {word:?}")),
        }
        Ok(())
    }

    fn quoted(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let Some(length) = quoted_length(self.rest(), b'"') else {
            return self.fail("unterminated quoted string");
        };
        let value = unescape(&self.rest()[1..length - 1]);
        self.at += length;
        match value {
            Some(value) => self.push(TokenKind::Literal(Value::Str(value)), start),
            None => return self.fail("invalid syntax"),
        }
        Ok(())
    }

    fn character(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let Some(length) = quoted_length(self.rest(), b'\'') else {
            return self.fail("unterminated character constant");
        };
        let value = unescape(&self.rest()[1..length - 1]);
        let mut characters = value.iter().flat_map(|value| value.chars());
        let (Some(first), None) = (characters.next(), characters.next()) else {
            return self.fail(format!("malformed character constant: {}", &self.rest()[..length]));
        };
        self.at += length;
        self.push(TokenKind::Literal(Value::Int(i64::from(u32::from(first)))), start);
        Ok(())
    }

    fn raw_string(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let Some(length) = self.rest()[1..].find('`') else {
            return self.fail("unterminated raw quoted string");
        };
        let value = self.rest()[1..=length].to_owned();
        self.at += length + 2;
        self.push(TokenKind::Literal(Value::Str(value)), start);
        Ok(())
    }
}

fn trims_before(action: &str) -> bool {
    action
        .strip_prefix("{{-")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()))
}

/// The length of the quoted text that `text` starts with, both quotes included.
fn quoted_length(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Resolves the escapes of a Go string; `None` if one is malformed.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = rest.next()?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                out.push(simple_escape(escape)?);
                continue;
            }
        };
        let hex: String = rest.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == digits)?;
        out.push(char::from_u32(code)?);
    }
    Some(out)
}

fn simple_escape(escape: char) -> Option<char> {
    Some(match escape {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' | '\'' | '"' => escape,
        _ => return None,
    })
}
