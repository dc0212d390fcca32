//! Signals: SIGTERM and SIGINT stop the daemon, SIGHUP makes it read its file again.
//!
//! In: signals. Out: a return when it is time to stop. Of the file's keys only the log's level
//! takes effect at once; for others the daemon says that it needs a restart.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::log::Log;
use crate::options::Options;

/// The signals that the daemon listens to.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the daemon is to stop; reloads in between.
    pub async fn until_stop(mut self, config: &Config, log: &Log) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break tracing::info!("stopping: SIGTERM"),
                _ = self.interrupt.recv() => break tracing::info!("stopping: SIGINT"),
                _ = self.hangup.recv() => reload(config, log),
            }
        }
    }
}

fn reload(config: &Config, log: &Log) {
    let options = match config.reread() {
        Ok(options) => options,
        Err(error) => return tracing::error!("not reloaded: {error}"),
    };
    if let Err(error) = log.reload(&options) {
        return tracing::error!("not reloaded: {error}");
    }
    for key in fixed(&config.options, &options) {
        tracing::warn!("{key} has changed: that takes a restart of the daemon");
    }
    tracing::info!("reloaded {}", config.file.display());
}

/// Keys that differ and cannot change while the daemon runs.
fn fixed(before: &Options, after: &Options) -> Vec<String> {
    let (before, after) = (crate::config::as_map(before), crate::config::as_map(after));
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| !matches!(key.as_str(), "debug" | "log-level"))
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named() {
        let before = Options { debug: Some(true), mtu: Some(1400), ..Options::default() };
        let after =
            Options { bip: Some("10.0.0.1/8".into()), mtu: Some(1400), ..Options::default() };
        assert_eq!(fixed(&before, &after), ["bip"]);
        assert!(fixed(&before, &before).is_empty());
    }
}
