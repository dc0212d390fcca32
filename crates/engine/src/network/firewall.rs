//! The firewall is what the model says, whatever others do to it.
//!
//! In: the kernel's notices of what other processes do to nftables. Out: tables as they must be, with
//! a word in the log and an event when something had to be repaired. Where this process owns the
//! tables (Linux 6.9), there is nothing to repair while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hawser_kernel::{Heard, Monitor, Ownership, Repairs};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;

use super::Networks;
use crate::container::host_name;
use crate::engine::{Engine, system};
use crate::error::Result;

/// How many things a word to people lists.
const LISTED: usize = 10;
/// How often a repair that failed is tried again, and how long after.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(100);
/// How long others may take for their changes before they are looked at.
const SETTLED: Duration = Duration::from_secs(1);
/// How often the listening thread looks whether it is still wanted.
const LISTEN: Duration = Duration::from_secs(10);

impl Networks {
    /// Makes the tables, and repairs them from now on.
    pub(super) async fn raise_firewall(&self, engine: &Arc<Engine>) -> Result<()> {
        // First, so that nothing goes unheard.
        let monitor = self.kernel.watch_firewall().map_err(|e| system("watch the firewall", e))?;
        let sole = engine.settings.firewall_lock;
        let ownership = if sole { Ownership::Sole } else { Ownership::Shared };
        let repairs = self.writer.load_firewall(ownership).await?;
        if !repairs.is_empty() {
            let (restored, removed) = (list(&repairs.restored), list(&repairs.removed));
            tracing::info!(restored, removed, "the firewall is as the records say");
        }
        if sole && !self.kernel.owns_firewall() {
            tracing::info!(
                "before Linux 6.9 other programs can change the firewall: what they take away is restored at once"
            );
        }
        // What comes while it is full waits in the kernel, which keeps no more than it has room for.
        let (sender, heard) = channel(1);
        let thread = std::thread::Builder::new().name("firewall".to_owned());
        let listen = move || listen(monitor, &sender);
        thread.spawn(listen).map_err(|e| system("watch the firewall", e))?;
        tokio::spawn(watch(heard, Arc::downgrade(engine)));
        Ok(())
    }

    /// Logs what drops our traffic, if it is not what is `known`.
    async fn tell_obstacles(&self, known: Vec<String>) -> Vec<String> {
        match self.obstacles().await {
            Ok(found) => {
                let new = found.iter().filter(|sentence| !known.contains(sentence));
                new.for_each(|sentence| tracing::warn!("{sentence}"));
                found
            }
            Err(error) => {
                tracing::error!(%error, "cannot look at the firewalls of others");
                known
            }
        }
    }

    /// Repairs the tables after somebody changed them.
    async fn mend(&self, engine: &Engine, by: &str) {
        for attempt in 1..=ATTEMPTS {
            match self.writer.mend_firewall().await {
                Ok(repairs) if repairs.is_empty() => return,
                Ok(repairs) => return tell(engine, &repairs, by),
                Err(error) => tracing::error!(%error, attempt, "cannot repair the firewall"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Hears as long as somebody wants to know.
fn listen(mut monitor: Monitor, tell: &Sender<Heard>) {
    while !tell.is_closed() {
        match monitor.wait(LISTEN) {
            Ok(heard) if heard == Heard::default() => {}
            Ok(heard) => {
                if tell.blocking_send(heard).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(%error, cause = %error.cause, "the firewall is not watched any more");
                return;
            }
        }
    }
}

/// Repairs, and looks at what else there is, as long as the engine lives.
async fn watch(mut heard: Receiver<Heard>, engine: Weak<Engine>) {
    let mut known = Vec::new();
    let mut look = Some(Instant::now());
    loop {
        let looking = async {
            match look {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let heard = tokio::select! {
            heard = heard.recv() => heard,
            () = looking => Some(Heard::default()),
        };
        let (Some(heard), Some(engine)) = (heard, engine.upgrade()) else { return };
        if heard.ours {
            let by = heard.by.map(|(pid, name)| format!("{name} (process {pid})"));
            engine.networks.mend(&engine, &by.unwrap_or_default()).await;
        }
        if heard.others {
            look.get_or_insert_with(|| Instant::now() + SETTLED);
        } else if look.is_some_and(|at| at <= Instant::now()) {
            look = None;
            known = engine.networks.tell_obstacles(known).await;
        }
    }
}

fn tell(engine: &Engine, repairs: &Repairs, by: &str) {
    let (restored, removed) = (list(&repairs.restored), list(&repairs.removed));
    tracing::warn!(by, restored, removed, "somebody changed the firewall: repaired");
    let attributes = [("name", host_name()), ("by", by.to_owned())]
        .into_iter()
        .chain([("restored", restored), ("removed", removed)])
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value));
    let attributes: BTreeMap<_, _> = attributes.collect();
    engine.events.publish("daemon", "repair", engine.engine_id(), attributes);
}

/// The first few of what there is, and how many more there are.
fn list(things: &[String]) -> String {
    let mut text = things.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = things.len().checked_sub(LISTED).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let things = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(list(&things(0)), "");
        assert_eq!(list(&things(2)), "0, 1");
        assert_eq!(list(&things(10)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(list(&things(12)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
    }
}
