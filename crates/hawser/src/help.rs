//! The help of a command, laid out as docker's client does.
//!
//! In: a command and what it was called by. Out: the text.

use clap::{Arg, ArgAction, Command};

use crate::terminal;

/// The help of `command`, called as `path`.
pub fn text(path: &str, command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut out = format!("Usage:  {}\n\n{about}\n", usage(path, command));
    let groups = |managing: bool| {
        command
            .get_subcommands()
            .filter(|sub| !sub.is_hide_set() && sub.has_subcommands() == managing)
            .map(entry)
            .collect::<Vec<_>>()
    };
    out.push_str(&section("Management Commands", &groups(true)));
    out.push_str(&section("Commands", &groups(false)));
    let shown = |arg: &&Arg| !arg.is_positional() && !arg.is_hide_set();
    let mut flags: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    flags.sort_by_key(|arg| arg.get_long().unwrap_or_default());
    let title = if path.contains(' ') { "Options" } else { "Global Options" };
    out.push_str(&section(title, &flags.into_iter().map(flag).collect::<Vec<_>>()));
    if command.has_subcommands() {
        out.push_str(&format!(
            "\nRun '{path} COMMAND --help' for more information on a command.\n"
        ));
    }
    out
}

/// Such as `hawser run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
pub fn usage(path: &str, command: &Command) -> String {
    let mut words = vec![path.to_owned()];
    let option = |arg: &Arg| !arg.is_positional() && arg.get_id() != "help";
    if command.get_arguments().any(option) {
        words.push("[OPTIONS]".to_owned());
    }
    if command.has_subcommands() {
        words.push("COMMAND".to_owned());
    }
    for arg in command.get_positionals() {
        words.push(value_name(arg));
    }
    words.join(" ")
}

fn value_name(arg: &Arg) -> String {
    let name = arg.get_value_names().and_then(|names| names.first());
    name.map_or_else(|| "ARG".to_owned(), ToString::to_string)
}

fn entry(command: &Command) -> (String, String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    match aliases.is_empty() {
        true => (command.get_name().to_owned(), about),
        false => (command.get_name().to_owned(), format!("{about} (also: {})", aliases.join(", "))),
    }
}

fn flag(arg: &Arg) -> (String, String) {
    let short = arg.get_short().map_or_else(|| "   ".to_owned(), |short| format!("-{short},"));
    let long = arg.get_long().unwrap_or_default();
    let kind = match arg.get_action() {
        ArgAction::Append => " list",
        ArgAction::Set if !arg.is_require_equals_set() => " value",
        _ => "",
    };
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let aliases: Vec<String> =
        arg.get_visible_aliases().into_iter().flatten().map(|alias| format!("--{alias}")).collect();
    if !aliases.is_empty() {
        help.push_str(&format!(" (also: {})", aliases.join(", ")));
    }
    (format!("{short} --{long}{kind}"), help)
}

fn section(title: &str, entries: &[(String, String)]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let widest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let width = terminal::size::current().map_or(100, |(_, columns)| usize::from(columns));
    let room = width.saturating_sub(widest + 6).max(30);
    let mut out = format!("\n{title}:\n");
    for (name, help) in entries {
        for (index, line) in wrap(help, room).iter().enumerate() {
            let name = if index == 0 { name.as_str() } else { "" };
            out.push_str(&format!("  {name:widest$}  {line}\n"));
        }
    }
    out
}

fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(word),
            Some(last) if line + 1 + word.chars().count() <= room => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn every_command_has_help() {
        fn walk(path: &str, command: &Command) {
            let text = text(path, command);
            assert!(text.starts_with(&format!("Usage:  {path}")), "{text}");
            assert!(command.get_about().is_some(), "{path}");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{path} {}", arg.get_id());
            }
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                walk(&format!("{path} {}", sub.get_name()), sub);
            }
        }
        walk("hawser", &cli::command());
    }

    #[test]
    fn usage_is_dockers() {
        let root = cli::command();
        let of = |name: &str| usage(&format!("hawser {name}"), root.find_subcommand(name).unwrap());
        assert_eq!(of("run"), "hawser run [OPTIONS] IMAGE [COMMAND] [ARG...]");
        assert_eq!(of("exec"), "hawser exec [OPTIONS] CONTAINER COMMAND [ARG...]");
        assert_eq!(of("tag"), "hawser tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]");
        assert_eq!(of("network"), "hawser network COMMAND");
    }

    #[test]
    fn wraps_between_words() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
