//! Containers that a container needs: whose namespaces it shares, or that it is linked to.
//!
//! In: records. Out: their references, and a wait until those run that are about to be started too.
//! It starts nothing.

use std::time::Duration;

use super::restart_policy::wants_start_with_daemon;
use crate::Engine;
use crate::record::{Container, Status};

/// How long a restart waits for what it needs: as long as Docker does.
const PATIENCE: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(20);

impl Engine {
    /// Waits until what a container needs runs, if a policy is about to start that too. After a
    /// restart of the machine all are started at once.
    pub(super) async fn await_needed(&self, record: &Container) {
        let all = needed(record);
        let ready = async {
            while all.iter().any(|reference| self.is_coming(reference)) {
                tokio::time::sleep(STEP).await;
            }
        };
        // What does not come is the start's error to tell.
        let _ = tokio::time::timeout(PATIENCE, ready).await;
    }

    fn is_coming(&self, reference: &str) -> bool {
        let Ok(entry) = self.containers.find(reference) else { return false };
        let record = entry.record();
        match record.state.status {
            Status::Restarting => true,
            Status::Exited => wants_start_with_daemon(&record),
            _ => false,
        }
    }
}

/// Ids or names.
fn needed(record: &Container) -> Vec<&str> {
    let host = &record.host_config;
    let modes = [&host.network_mode, &host.ipc_mode, &host.pid_mode];
    let shared = modes.into_iter().filter_map(|mode| mode.strip_prefix("container:"));
    let linked = host.links.iter().flatten();
    let linked = linked.map(|link| link.split_once(':').map_or(link.as_str(), |(name, _)| name));
    shared.chain(linked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;

    #[test]
    fn owners_of_namespaces_and_targets_of_links_are_needed() {
        let mut it = record("c");
        it.host_config.network_mode = "container:net".into();
        it.host_config.ipc_mode = "private".into();
        it.host_config.pid_mode = "container:pid".into();
        it.host_config.links = Some(vec!["one:alias".into(), "two".into()]);
        assert_eq!(needed(&it), ["net", "pid", "one", "two"]);
        assert!(needed(&record("c")).is_empty());
    }
}
