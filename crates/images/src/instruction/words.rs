//! Words of an instruction: quotes, escapes and variables.
//!
//! In: the text after the instruction's name. Out: words, or `name=value` pairs, as Docker's
//! parser makes them. Variables are those of the image's environment alone.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use super::invalid;
use crate::error::Result;

/// What `$NAME` stands for.
pub(super) struct Variables(HashMap<String, String>);

impl Variables {
    /// The variables of an environment (`NAME=value`).
    pub(super) fn of(env: &[String]) -> Self {
        let pair = |pair: &String| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        };
        Self(env.iter().map(pair).collect())
    }

    /// The text with variables in place, quotes and escapes taken away.
    pub(super) fn expand(&self, text: &str) -> Result<String> {
        let mut words = self.words(text, |_| false)?;
        Ok(words.pop().unwrap_or_default())
    }

    /// Words between those blanks that `ends` accepts; within quotes they do not end.
    fn words(&self, text: &str, ends: impl Fn(char) -> bool) -> Result<Vec<String>> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if ends(c) {
                words.extend(word.take());
                continue;
            }
            let word = word.get_or_insert_default();
            match c {
                '\'' => single_quoted(&mut rest, word).ok_or_else(|| unterminated(text))?,
                '"' => self.double_quoted(&mut rest, word).ok_or_else(|| unterminated(text))?,
                '\\' => word.extend(rest.next()),
                '$' => self.variable(&mut rest, word),
                _ => word.push(c),
            }
        }
        words.extend(word);
        Ok(words)
    }

    fn double_quoted(&self, rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Option<()> {
        loop {
            match rest.next()? {
                '"' => return Some(()),
                '\\' => match rest.next()? {
                    c @ ('"' | '\\' | '$') => word.push(c),
                    c => word.extend(['\\', c]),
                },
                '$' => self.variable(rest, word),
                c => word.push(c),
            }
        }
    }

    /// `$NAME`, `${NAME}`, `${NAME:-otherwise}`, `${NAME:+instead}`.
    fn variable(&self, rest: &mut Peekable<Chars<'_>>, word: &mut String) {
        if rest.next_if_eq(&'{').is_none() {
            let name = name(rest);
            match name.is_empty() {
                true => word.push('$'),
                false => word.push_str(self.value(&name)),
            }
            return;
        }
        let inner: String = std::iter::from_fn(|| rest.next().filter(|c| *c != '}')).collect();
        let value = |name: &str| self.value(name).to_owned();
        let text = if let Some((name, otherwise)) = inner.split_once(":-") {
            Some(value(name)).filter(|value| !value.is_empty()).unwrap_or(otherwise.to_owned())
        } else if let Some((name, instead)) = inner.split_once(":+") {
            if value(name).is_empty() { String::new() } else { instead.to_owned() }
        } else {
            value(&inner)
        };
        word.push_str(&text);
    }

    fn value(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

fn name(rest: &mut Peekable<Chars<'_>>) -> String {
    let part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    std::iter::from_fn(|| rest.next_if(part)).collect()
}

fn single_quoted(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Option<()> {
    loop {
        match rest.next()? {
            '\'' => return Some(()),
            c => word.push(c),
        }
    }
}

fn unterminated(text: &str) -> crate::error::Error {
    invalid(format!("unterminated quote in {text:?}"))
}

/// The words of a text, variables in place.
pub(super) fn split(text: &str, variables: &Variables) -> Result<Vec<String>> {
    variables.words(text, char::is_whitespace)
}

/// `name=value …`, or in the old form one name and all the rest as its value.
pub(super) fn pairs(
    instruction: &str,
    text: &str,
    variables: &Variables,
) -> Result<Vec<(String, String)>> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let Some((name, value)) = text.split_once(char::is_whitespace) else {
            return Err(invalid(format!("{instruction} must have two arguments")));
        };
        return Ok(vec![(name.to_owned(), variables.expand(value.trim())?)]);
    }
    let pair = |word: String| match word.split_once('=') {
        Some(("", _)) => Err(invalid(format!("{instruction} names can not be blank"))),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => {
            let message =
                format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value");
            Err(invalid(message))
        }
    };
    split(text, variables)?.into_iter().map(pair).collect()
}
