//! Records for the tests of this crate.

use std::collections::BTreeMap;

use chrono::Utc;

use crate::record::{Container, ContainerId, State};
use crate::spec::{ContainerConfig, HostConfig};

/// A container of this name that was just made, with nothing special about it.
pub(crate) fn record(name: &str) -> Container {
    Container {
        id: ContainerId::random(),
        name: name.to_owned(),
        created: Utc::now(),
        image: format!("sha256:{}", "0".repeat(64)),
        path: "sh".to_owned(),
        args: Vec::new(),
        config: ContainerConfig::default(),
        host_config: HostConfig::default(),
        networks: BTreeMap::new(),
        mounts: Vec::new(),
        state: State::default(),
        restart_count: 0,
    }
}
