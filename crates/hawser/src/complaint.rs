//! A command line that cannot be understood, in docker's words.
//!
//! In: clap's error. Out: a [`Failure`] with the text and the exit code of docker's client
//! (125 for a flag, 1 for the number of arguments), or the help that was asked for.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Command, Error};

use crate::failure::Failure;
use crate::{help, output};

/// The failure for an error of `command` on `arguments`.
pub fn failure(error: &Error, command: &Command, arguments: &[OsString]) -> Failure {
    let (path, found) = find(command, arguments);
    let flag = |problem: String| {
        let usage = if found.has_subcommands() { path.clone() } else { help::usage(&path, found) };
        let text =
            format!("{problem}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information");
        Failure::new(text).with_code(125)
    };
    let said = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let argument = said(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::DisplayHelp => {
            output::print(&help::text(&path, found));
            Failure::silent(0)
        }
        ErrorKind::DisplayVersion => {
            output::println(error.render().to_string().trim_end());
            Failure::silent(0)
        }
        ErrorKind::InvalidSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand => {
            unknown_command(&path, found, &said(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument if argument.starts_with("--") => {
            flag(format!("unknown flag: {argument}"))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            let letter = argument.chars().nth(1).unwrap_or('-');
            flag(format!("unknown shorthand flag: '{letter}' in {argument}"))
        }
        ErrorKind::UnknownArgument if found.has_subcommands() => {
            unknown_command(&path, found, &argument)
        }
        ErrorKind::UnknownArgument | ErrorKind::TooManyValues => wrong_number(&path, found),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let value = said(ContextKind::InvalidValue);
            if error.kind() == ErrorKind::InvalidValue && value.is_empty() {
                return flag(needs_value(found, &argument, arguments));
            }
            let why = std::error::Error::source(error)
                .map_or_else(|| "unknown value".to_owned(), ToString::to_string);
            let name = flag_name(found, &argument);
            flag(format!("invalid argument {value:?} for {name:?} flag: {why}"))
        }
        ErrorKind::MissingRequiredArgument
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => wrong_number(&path, found),
        _ => Failure::new(error.render().to_string().trim_end().to_owned()).with_code(125),
    }
}

/// The words of the command that `arguments` call, such as `hawser container run`.
pub fn command_path(command: &Command, arguments: &[OsString]) -> String {
    find(command, arguments).0
}

fn find<'a>(root: &'a Command, arguments: &[OsString]) -> (String, &'a Command) {
    let (mut path, mut found) = (root.get_name().to_owned(), root);
    let mut rest = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = rest.next() {
        if word.starts_with('-') {
            if takes_next(found, &word) {
                rest.next();
            }
            continue;
        }
        // `hawser help run` is about `hawser run`.
        if word == "help" && found.has_subcommands() {
            continue;
        }
        let Some(sub) = found.find_subcommand(word.as_ref()) else { break };
        path = format!("{path} {}", sub.get_name());
        found = sub;
        if !found.has_subcommands() {
            break;
        }
    }
    (path, found)
}

/// Whether the flag `word` has its value in the word after it.
fn takes_next(command: &Command, word: &str) -> bool {
    let matches = |arg: &&clap::Arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => {
            let last = word.chars().next_back();
            arg.get_short().is_some() && arg.get_short() == last && word.chars().count() == 2
        }
    };
    command.get_arguments().find(matches).is_some_and(|arg| {
        matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
            && !arg.is_require_equals_set()
    })
}

fn unknown_command(path: &str, found: &Command, word: &str) -> Failure {
    if word.is_empty() {
        output::complain(help::text(path, found).trim_end());
        return Failure::silent(0);
    }
    let usage = if path.contains(' ') { format!("Usage:  {path}\n\n") } else { String::new() };
    Failure::new(format!(
        "hawser: unknown command: {path} {word}\n\n{usage}Run '{path} --help' for more information"
    ))
}

fn wrong_number(path: &str, found: &Command) -> Failure {
    let wanted = |arg: &clap::Arg| {
        let range = arg.get_num_args().unwrap_or_else(|| 1.into());
        let many = range.max_values() > 1 || matches!(arg.get_action(), ArgAction::Append);
        let least = if arg.is_required_set() { range.min_values().max(1) } else { 0 };
        (least, if many { None } else { Some(1) })
    };
    let (least, most) = found.get_positionals().map(wanted).fold(
        (0, Some(0)),
        |(least, most): (usize, Option<usize>), (l, m)| {
            (least + l, most.zip(m).map(|(a, b)| a + b))
        },
    );
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let requirement = match (least, most) {
        (_, Some(0)) => "accepts no arguments".to_owned(),
        (0, Some(most)) => format!("requires at most {most} {}", plural(most)),
        (least, Some(most)) if least == most => format!("requires {least} {}", plural(least)),
        (least, Some(most)) => {
            format!("requires at least {least} and at most {most} {}", plural(most))
        }
        (least, None) => format!("requires at least {least} {}", plural(least)),
    };
    let usage = help::usage(path, found);
    let see = if requirement.starts_with("requires at least") { "See" } else { "Run" };
    Failure::new(format!(
        "hawser: '{path}' {requirement}\n\nUsage:  {usage}\n\n{see} '{path} --help' for more information"
    ))
}

/// Clap names the flag by its first name; the user has written it as the last word.
fn needs_value(command: &Command, argument: &str, arguments: &[OsString]) -> String {
    let last = arguments.last().map(|word| word.to_string_lossy()).unwrap_or_default();
    let letter = last.strip_prefix('-').and_then(|letters| letters.chars().next_back());
    let short = |letter: &char| command.get_arguments().any(|arg| arg.get_short() == Some(*letter));
    match letter.filter(|_| !last.starts_with("--")).filter(short) {
        Some(letter) => format!("flag needs an argument: '{letter}' in {last}"),
        None if last.starts_with("--") => format!("flag needs an argument: {last}"),
        None => {
            let long = argument.split([' ', '=', '[']).next().unwrap_or(argument);
            format!("flag needs an argument: {long}")
        }
    }
}

/// `-m, --memory` for clap's `--memory <MEMORY>`.
fn flag_name(command: &Command, argument: &str) -> String {
    let word = argument.split([' ', '=', '[']).next().unwrap_or(argument);
    let named =
        |arg: &&clap::Arg| arg.get_long() == word.strip_prefix("--") && arg.get_long().is_some();
    match command.get_arguments().find(named).and_then(clap::Arg::get_short) {
        Some(short) => format!("-{short}, {word}"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn told(line: &str) -> (String, i32) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let command = cli::command();
        let error = command.clone().try_get_matches_from(&words).unwrap_err();
        let Failure { message, code } = failure(&error, &command, &words);
        (message, code)
    }

    const RUN: &str = "Usage:  hawser run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n\
                       Run 'hawser run --help' for more information";

    #[test]
    fn flags_are_refused_in_dockers_words() {
        for (line, problem) in [
            ("hawser run --nosuch busybox", "unknown flag: --nosuch"),
            ("hawser run -Z busybox", "unknown shorthand flag: 'Z' in -Z"),
            (
                "hawser run -m foo busybox",
                "invalid argument \"foo\" for \"-m, --memory\" flag: invalid size: 'foo'",
            ),
            (
                "hawser run --add-host foo busybox",
                "invalid argument \"foo\" for \"--add-host\" flag: bad format for add-host: \"foo\"",
            ),
            ("hawser run --name", "flag needs an argument: --name"),
            ("hawser run --net", "flag needs an argument: --net"),
            ("hawser run -itm", "flag needs an argument: 'm' in -itm"),
        ] {
            assert_eq!(told(line), (format!("{problem}\n\n{RUN}"), 125), "{line}");
        }
    }

    #[test]
    fn the_number_of_arguments_is_told() {
        assert_eq!(
            told("hawser rm"),
            (
                "hawser: 'hawser rm' requires at least 1 argument\n\n\
                 Usage:  hawser rm [OPTIONS] CONTAINER [CONTAINER...]\n\n\
                 See 'hawser rm --help' for more information"
                    .to_owned(),
                1
            )
        );
        assert!(
            told("hawser exec c1")
                .0
                .starts_with("hawser: 'hawser exec' requires at least 2 arguments")
        );
        assert!(told("hawser ps x").0.starts_with("hawser: 'hawser ps' accepts no arguments"));
        assert!(told("hawser network create a b").0.contains("requires 1 argument\n"));
    }

    #[test]
    fn unknown_commands_are_named() {
        assert_eq!(
            told("hawser nosuch").0,
            "hawser: unknown command: hawser nosuch\n\nRun 'hawser --help' for more information"
        );
        assert_eq!(
            told("hawser network foo").0,
            "hawser: unknown command: hawser network foo\n\nUsage:  hawser network\n\n\
             Run 'hawser network --help' for more information"
        );
    }

    #[test]
    fn the_path_skips_flags_and_their_values() {
        let path = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            command_path(&cli::command(), &words)
        };
        assert_eq!(path("hawser -H unix:///run run --name network busybox"), "hawser run");
        assert_eq!(path("hawser --tls container run x"), "hawser container run");
        assert_eq!(path("hawser -H=x -D network ls"), "hawser network ls");
        assert_eq!(path("hawser help network ls"), "hawser network ls");
    }
}
