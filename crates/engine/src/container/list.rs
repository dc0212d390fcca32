//! `ps`.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::registry::Entry;
use super::{ContainerView, port_filter};
use crate::Engine;
use crate::error::Result;
use crate::filters::Filters;
use crate::record::{Container, Status};

const KNOWN_FILTERS: &[&str] = &[
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];
const STATES: &[&str] =
    &["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListContainers {
    /// Also those that do not run.
    pub all: bool,
    /// Only so many, the youngest; includes those that do not run.
    pub limit: Option<usize>,
    /// Also sizes.
    pub size: bool,
    /// Filters.
    pub filters: Filters,
}

/// What the values of some filters mean among today's containers and images.
struct Meaning {
    exited: BTreeSet<i32>,
    task: Option<bool>,
    before: Option<DateTime<Utc>>,
    since: Option<DateTime<Utc>>,
    images: BTreeSet<String>,
}

impl Engine {
    /// Containers, the youngest first.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value, NotFound for a `before` or `since` that is not there.
    pub async fn container_list(&self, query: ListContainers) -> Result<Vec<ContainerView>> {
        let filters = &query.filters;
        let meaning = self.meaning(filters)?;
        let all = query.all || query.limit.is_some() || filters.contains("status");
        let mut entries = self.containers.all();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.record().created));
        let wanted = entries
            .into_iter()
            .filter(|entry| all || shown_by_default(&entry.record()))
            .filter(|entry| self.passes(entry, filters, &meaning))
            .take(query.limit.unwrap_or(usize::MAX));
        let mut views: Vec<ContainerView> =
            wanted.map(|entry| self.container_view(&entry)).collect();
        if query.size {
            for view in &mut views {
                // One that is removed meanwhile has none any more: no reason to refuse the list.
                view.size = self.container_size(&view.record).await.ok();
            }
        }
        Ok(views)
    }

    fn meaning(&self, filters: &Filters) -> Result<Meaning> {
        filters.allow(KNOWN_FILTERS)?;
        for (key, allowed) in
            [("status", STATES), ("health", &["none", "starting", "healthy", "unhealthy"][..])]
        {
            if filters.values(key).any(|value| !allowed.contains(&value)) {
                return Err(filters.invalid_value(key));
            }
        }
        let exited: Result<_, std::num::ParseIntError> =
            filters.values("exited").map(str::parse).collect();
        for key in ["publish", "expose"] {
            filters.values(key).try_for_each(|value| port_filter::parse(value).map(drop))?;
        }
        Ok(Meaning {
            exited: exited.map_err(|_| filters.invalid_value("exited"))?,
            task: filters.boolean("is-task")?,
            before: self.created_of(filters, "before")?,
            since: self.created_of(filters, "since")?,
            images: filters
                .values("ancestor")
                .filter_map(|name| self.images.resolve(name).ok())
                .map(|image| image.id.as_str().to_owned())
                .collect(),
        })
    }

    fn created_of(&self, filters: &Filters, key: &str) -> Result<Option<DateTime<Utc>>> {
        let found: Result<Vec<Arc<Entry>>> =
            filters.values(key).map(|reference| self.containers.find(reference)).collect();
        Ok(found?.into_iter().map(|entry| entry.record().created).next())
    }

    fn passes(&self, entry: &Entry, filters: &Filters, meaning: &Meaning) -> bool {
        let record = entry.record();
        let state = &record.state;
        filters.pattern("name", &record.name)
            && filters.prefix("id", record.id.as_str())
            && filters.labels("label", &record.config.labels)
            && filters.exact("status", status_word(state.status))
            && filters.exact("health", &entry.health().map_or("none".to_owned(), |h| h.status))
            && (!filters.contains("exited")
                || (state.started_at.is_some()
                    && !state.is_running()
                    && meaning.exited.contains(&state.exit_code)))
            && meaning.task != Some(true)
            && meaning.before.is_none_or(|time| record.created < time)
            && meaning.since.is_none_or(|time| record.created > time)
            && (!filters.contains("ancestor") || meaning.images.contains(&record.image))
            && volume_matches(&record, filters)
            && self.network_matches(&record, filters)
            && port_matches(&record, filters)
    }

    fn network_matches(&self, record: &Container, filters: &Filters) -> bool {
        if !filters.contains("network") {
            return true;
        }
        let networks = self.networks.view(record).networks;
        networks.iter().any(|(name, endpoint)| {
            filters.exact("network", name) || filters.exact("network", &endpoint.network_id)
        })
    }
}

fn shown_by_default(record: &Container) -> bool {
    record.state.is_running() || record.state.status == Status::Restarting
}

/// A status as filters and `inspect` name it.
pub(crate) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Restarting => "restarting",
        Status::Removing => "removing",
        Status::Exited => "exited",
        Status::Dead => "dead",
    }
}

fn volume_matches(record: &Container, filters: &Filters) -> bool {
    !filters.contains("volume")
        || record.mounts.iter().any(|mount| {
            filters.exact("volume", &mount.name)
                || filters.exact("volume", &mount.destination)
                || filters.exact("volume", &mount.source)
        })
}

fn port_matches(record: &Container, filters: &Filters) -> bool {
    let bindings = &record.host_config.port_bindings;
    let exposed = record.config.exposed_ports.iter().flatten().map(|(port, _)| port.as_str());
    let matches = |filter: &str, port: &str| port_filter::matches(filters, filter, port);
    (!filters.contains("publish") || bindings.keys().any(|port| matches("publish", port)))
        && (!filters.contains("expose")
            || exposed.chain(bindings.keys().map(String::as_str)).any(|p| matches("expose", p)))
}
