//! The command line and `daemon.json` put together.
//!
//! In: arguments and the file that they name. Out: one [`Config`]. A thing that both say is an
//! error, and so is a key that nobody knows: as with dockerd, nothing is passed over in silence.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args as _, CommandFactory, FromArgMatches, Parser};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ignored::{self, Ignored};
use crate::options::Options;

/// Where the file is if nothing else is said.
const DEFAULT_FILE: &str = "/etc/hawser/daemon.json";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "hawserd", version, about = "Container networking engine: the daemon")]
pub struct CommandLine {
    #[command(flatten)]
    options: Options,

    /// File with further options, as dockerd's daemon.json
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    config_file: PathBuf,

    /// Check the options and end
    #[arg(long, conflicts_with = "purge")]
    validate: bool,

    /// Take everything of hawser's out of the kernel and end; records and images stay
    #[arg(long)]
    purge: bool,
}

/// Everything that the daemon was told.
#[derive(Debug)]
pub struct Config {
    /// What was said, by flag or file.
    pub options: Options,
    /// What was said and means nothing.
    pub ignored: Vec<&'static Ignored>,
    /// Only check, then end.
    pub validate: bool,
    /// Only take what is ours out of the kernel, then end.
    pub purge: bool,
    /// Where the file is, or would be.
    pub file: PathBuf,
    /// What the command line alone said: a reload keeps it.
    flags: Options,
}

impl std::fmt::Debug for Ignored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)
    }
}

/// Why the configuration is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong, or asked for help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// The file cannot be read.
    #[error("unable to configure the hawser daemon with file {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file is no JSON object, or a value in it is wrong.
    #[error("unable to configure the hawser daemon with file {}: {}", .0.display(), .1)]
    Malformed(PathBuf, String),
    /// Keys that nobody knows.
    #[error(
        "unable to configure the hawser daemon with file {}: the following directives don't \
         match any configuration option: {}", .0.display(), .1.join(", ")
    )]
    Unknown(PathBuf, Vec<String>),
    /// Things said twice.
    #[error(
        "unable to configure the hawser daemon with file {}: the following directives are \
         specified both as a flag and in the configuration file: {}", .0.display(), .1.join(", ")
    )]
    Conflict(PathBuf, Vec<String>),
}

/// Reads arguments (the program's name first) and the file.
pub fn read<I, T>(arguments: I) -> Result<Config, Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let command = ignored::add_flags(CommandLine::command());
    let matches = command.try_get_matches_from(arguments)?;
    let line = CommandLine::from_arg_matches(&matches)?;
    let given = matches.value_source("config_file") == Some(clap::parser::ValueSource::CommandLine);
    let file = read_file(&line.config_file, given)?;
    let mut found = ignored::on_command_line(&matches);
    let (options, of_file) = merge(&line.config_file, &line.options, &found, file)?;
    found.extend(of_file);
    Ok(Config {
        options,
        ignored: found,
        validate: line.validate,
        purge: line.purge,
        file: line.config_file,
        flags: line.options,
    })
}

impl Config {
    /// What is said now that the file may have changed.
    pub fn reread(&self) -> Result<Options, Error> {
        let file = read_file(&self.file, false)?;
        Ok(merge(&self.file, &self.flags, &[], file)?.0)
    }
}

/// The keys of the file; none if there is no file and none was asked for.
fn read_file(path: &Path, must_exist: bool) -> Result<Map<String, Value>, Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
            return Ok(Map::new());
        }
        Err(error) => return Err(Error::Read(path.to_owned(), error)),
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| Error::Malformed(path.to_owned(), error.to_string()))
}

type Merged = (Options, Vec<&'static Ignored>);

fn merge(
    path: &Path,
    flags: &Options,
    ignored_flags: &[&'static Ignored],
    file: Map<String, Value>,
) -> Result<Merged, Error> {
    let known = keys();
    let unknown = |key: &&String| !known.contains(key) && ignored::by_key(key).is_none();
    let unknown: Vec<String> = file.keys().filter(unknown).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::Unknown(path.to_owned(), unknown));
    }
    let of_line = as_map(flags);
    let ignored_on_line = |key: &str| ignored_flags.iter().any(|option| option.key == key);
    let twice: Vec<String> = file
        .iter()
        // Runtimes of both add up, as with dockerd.
        .filter(|(key, _)| key.as_str() != "runtimes")
        .filter(|(key, _)| of_line.contains_key(*key) || ignored_on_line(key))
        .map(|(key, value)| match of_line.get(key) {
            Some(flag) => format!("{key}: (from flag: {flag}, from file: {value})"),
            None => format!("{key}: (from file: {value})"),
        })
        .collect();
    if !twice.is_empty() {
        return Err(Error::Conflict(path.to_owned(), twice));
    }
    let (useful, useless): (Map<_, _>, Map<_, _>) =
        file.into_iter().partition(|(key, _)| known.contains(key));
    let found = useless.keys().filter_map(|key| ignored::by_key(key)).collect();
    Ok((join(path, flags, useful)?, found))
}

/// The file's options with those of the command line on top.
fn join(path: &Path, flags: &Options, file: Map<String, Value>) -> Result<Options, Error> {
    for (key, value) in &file {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        Options::deserialize(Value::Object(alone)).map_err(|error| {
            Error::Malformed(path.to_owned(), format!("invalid value for {key}: {error}"))
        })?;
    }
    let mut all = file;
    let mut runtimes = all.remove("runtimes").map_or_else(Vec::new, of_file_runtimes);
    all.extend(as_map(flags));
    let mut options = Options::deserialize(Value::Object(all))
        .map_err(|error| Error::Malformed(path.to_owned(), error.to_string()))?;
    runtimes.append(&mut options.runtimes);
    options.runtimes = runtimes;
    Ok(options)
}

fn of_file_runtimes(value: Value) -> crate::values::Runtimes {
    crate::values::runtimes(value).unwrap_or_default()
}

/// What was given, by key.
pub fn as_map(options: &Options) -> Map<String, Value> {
    match serde_json::to_value(options) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The keys that options have in the file.
fn keys() -> Vec<String> {
    let command = Options::augment_args(clap::Command::new("keys"));
    command.get_arguments().map(|arg| arg.get_id().as_str().replace('_', "-")).collect()
}

#[cfg(test)]
mod tests;
