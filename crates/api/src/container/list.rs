//! `GET /containers/json`.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::Utc;
use hawser_engine::container::{ContainerView, ListContainers};
use hawser_engine::record::{Container, Mount};
use hawser_engine::spec::EndpointSettings;
use serde::Serialize;

use super::settings::{Port, ports};
use super::state;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let limit = query.number("limit")?.filter(|limit| *limit > 0);
    let wanted = ListContainers {
        all: query.bool("all"),
        limit: limit.and_then(|limit| usize::try_from(limit).ok()),
        size: query.bool("size"),
        filters: query.filters()?,
    };
    let views = engine.container_list(wanted).await?;
    let list: Vec<Summary<'_>> = views.iter().map(Summary::new).collect();
    Ok(answer::ok(&list))
}

/// A container in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary<'a> {
    id: &'a str,
    names: [String; 1],
    image: &'a str,
    #[serde(rename = "ImageID")]
    image_id: &'a str,
    command: String,
    created: i64,
    ports: Vec<Port<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_root_fs: Option<u64>,
    labels: &'a BTreeMap<String, String>,
    state: &'static str,
    status: String,
    host_config: Host<'a>,
    network_settings: Networks<'a>,
    mounts: &'a [Mount],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Host<'a> {
    network_mode: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Networks<'a> {
    networks: &'a BTreeMap<String, EndpointSettings>,
}

impl<'a> Summary<'a> {
    /// The container as lists show it.
    pub fn new(view: &'a ContainerView) -> Self {
        let record = &*view.record;
        Self {
            id: record.id.as_str(),
            names: [format!("/{}", record.name)],
            image: &view.image_name,
            image_id: &record.image,
            command: command(record),
            created: record.created.timestamp(),
            ports: ports(&view.network.ports),
            size_rw: view.size.map(|size| size.rw).filter(|bytes| *bytes > 0),
            size_root_fs: view.size.map(|size| size.root_fs).filter(|bytes| *bytes > 0),
            labels: &record.config.labels,
            state: state::word(record.state.status),
            status: state::sentence(&record.state, view.health.as_ref(), Utc::now()),
            host_config: Host {
                network_mode: &record.host_config.network_mode,
                annotations: &record.host_config.annotations,
            },
            network_settings: Networks { networks: &view.network.networks },
            mounts: &record.mounts,
        }
    }
}

/// The command line; words with blanks are quoted, as `ps` shows them.
fn command(record: &Container) -> String {
    let mut line = record.path.clone();
    for word in &record.args {
        line.push(' ');
        if word.contains(' ') {
            line.push_str(&format!("'{word}'"));
        } else {
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use hawser_engine::network::NetworkView;
    use hawser_engine::record::State;

    use super::*;

    /// A container that was made and never started.
    pub fn view() -> ContainerView {
        let record = Container {
            id: "ab".repeat(32).parse().unwrap(),
            name: "web".into(),
            created: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            image: format!("sha256:{}", "cd".repeat(32)),
            path: "sh".into(),
            args: vec!["-c".into(), "sleep 1".into()],
            config: Default::default(),
            host_config: Default::default(),
            networks: Default::default(),
            mounts: vec![],
            state: State::default(),
            restart_count: 0,
        };
        ContainerView {
            record: Arc::new(record),
            network: NetworkView::default(),
            paths: Default::default(),
            exec_ids: vec![],
            image_name: "busybox".into(),
            size: None,
            health: None,
        }
    }

    #[test]
    fn the_shape_is_dockers() {
        let view = view();
        let json = serde_json::to_value(Summary::new(&view)).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys.join(" "),
            "Id Names Image ImageID Command Created Ports Labels State Status HostConfig \
             NetworkSettings Mounts"
        );
        assert_eq!(json["Command"], "sh -c 'sleep 1'");
        assert_eq!(json["Names"], serde_json::json!(["/web"]));
        assert_eq!(json["Status"], "Created");
    }
}
