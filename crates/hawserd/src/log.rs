//! The daemon's own log, on stderr.
//!
//! In: a level. Out: a [`Log`] whose level can change while the daemon runs.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload;

use crate::options::Options;

/// The log; keeps the way to change its level.
pub struct Log(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error>>);

/// A level that is none.
#[derive(Debug, thiserror::Error)]
#[error("invalid log-level {0:?}, want debug, info, warn, error or fatal")]
pub struct NoLevel(String);

impl Log {
    /// Whether the level is one.
    pub fn check(options: &Options) -> Result<(), NoLevel> {
        filter(options).map(drop)
    }

    /// Begins to log.
    pub fn start(options: &Options) -> Result<Self, NoLevel> {
        let builder = tracing_subscriber::fmt()
            .with_target(false)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr)
            .with_env_filter(filter(options)?)
            .with_filter_reloading();
        let handle = builder.reload_handle();
        builder.init();
        Ok(Self(Box::new(move |filter| handle.reload(filter))))
    }

    /// Changes the level.
    pub fn reload(&self, options: &Options) -> Result<(), NoLevel> {
        if let Err(error) = (self.0)(filter(options)?) {
            tracing::warn!(%error, "cannot change the log level");
        }
        Ok(())
    }
}

fn filter(options: &Options) -> Result<EnvFilter, NoLevel> {
    let level = match options.log_level.as_deref().unwrap_or("info") {
        _ if options.debug == Some(true) => "debug",
        "fatal" => "error",
        level @ ("trace" | "debug" | "info" | "warn" | "error") => level,
        other => return Err(NoLevel(other.to_owned())),
    };
    // The libraries below have nothing to say that a user of the daemon could act on.
    Ok(EnvFilter::new(format!("{level},hyper=warn,hyper_util=warn,rustls=warn")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_dockerds() {
        let of = |level: &str, debug| {
            filter(&Options { log_level: Some(level.into()), debug, ..Options::default() })
                .map(|filter| filter.to_string().rsplit(',').next().map(str::to_owned))
        };
        assert_eq!(of("fatal", None).unwrap().as_deref(), Some("error"));
        assert_eq!(of("warn", Some(true)).unwrap().as_deref(), Some("debug"));
        assert!(of("loud", None).is_err());
    }
}
