//! `GET /containers/{name}/json`.

use axum::extract::{Path, State};
use hawser_engine::container::{ContainerPaths, ContainerView};
use hawser_engine::record::Mount;
use hawser_engine::spec::{ContainerConfig, HostConfig};
use serde::Serialize;

use super::settings::NetworkSettings;
use super::state::StateView;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;
use crate::time;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let view = engine.container_inspect(&name, query.bool("size")).await?;
    Ok(answer::ok(&Details::new(&view)))
}

/// The shape of the answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details<'a> {
    id: &'a str,
    created: String,
    path: &'a str,
    args: &'a [String],
    state: StateView<'a>,
    image: &'a str,
    resolv_conf_path: String,
    hostname_path: String,
    hosts_path: String,
    log_path: String,
    name: String,
    restart_count: u32,
    driver: &'static str,
    platform: &'static str,
    mount_label: &'static str,
    process_label: &'static str,
    app_armor_profile: &'static str,
    #[serde(rename = "ExecIDs")]
    exec_ids: Option<&'a [String]>,
    host_config: &'a HostConfig,
    graph_driver: GraphDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_root_fs: Option<u64>,
    mounts: &'a [Mount],
    config: &'a ContainerConfig,
    network_settings: NetworkSettings<'a>,
}

/// Where the container's root file system is kept.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphDriver {
    data: GraphData,
    name: &'static str,
}

/// Directories of the overlay. There is no `MergedDir`: nothing is mounted on the host.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphData {
    lower_dir: String,
    upper_dir: String,
    work_dir: String,
}

impl<'a> Details<'a> {
    fn new(view: &'a ContainerView) -> Self {
        let record = &*view.record;
        let paths = &view.paths;
        Self {
            id: record.id.as_str(),
            created: time::rfc3339(record.created),
            path: &record.path,
            args: &record.args,
            state: StateView::new(&record.state, view.health.as_ref()),
            image: &record.image,
            resolv_conf_path: paths.resolv_conf.display().to_string(),
            hostname_path: paths.hostname.display().to_string(),
            hosts_path: paths.hosts.display().to_string(),
            log_path: paths.log.display().to_string(),
            name: format!("/{}", record.name),
            restart_count: record.restart_count,
            driver: "overlay2",
            platform: "linux",
            mount_label: "",
            process_label: "",
            app_armor_profile: "",
            exec_ids: (!view.exec_ids.is_empty()).then_some(&view.exec_ids[..]),
            host_config: &record.host_config,
            graph_driver: GraphDriver { data: GraphData::new(paths), name: "overlay2" },
            size_rw: view.size.map(|size| size.rw),
            size_root_fs: view.size.map(|size| size.root_fs),
            mounts: &record.mounts,
            config: &record.config,
            network_settings: NetworkSettings::new(&view.network),
        }
    }
}

impl GraphData {
    fn new(paths: &ContainerPaths) -> Self {
        let lower: Vec<String> = paths.lower.iter().map(|dir| dir.display().to_string()).collect();
        Self {
            lower_dir: lower.join(":"),
            upper_dir: paths.upper.display().to_string(),
            work_dir: paths.work.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::tests::view;
    use super::*;

    #[test]
    fn the_shape_is_dockers() {
        let view = view();
        let json = serde_json::to_value(Details::new(&view)).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys.join(" "),
            "Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath \
             Name RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile \
             ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings"
        );
        assert_eq!(json["Name"], "/web");
        assert!(json["ExecIDs"].is_null());
        assert_eq!(json["Mounts"], serde_json::json!([]));
        assert_eq!(json["Created"], "2023-11-14T22:13:20Z");
    }
}
