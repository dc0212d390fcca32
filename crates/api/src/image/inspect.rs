//! `GET /images/{name}/json`.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use hawser_engine::image::Image;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::time;
use crate::version::ApiVersion;

pub async fn handle(
    State(engine): Shared,
    Path(name): Path<String>,
    version: ApiVersion,
) -> Result {
    let image = engine.image_inspect(&name).await?;
    Ok(answer::ok(&Details::new(&image, version)))
}

/// The shape of the answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details<'a> {
    id: &'a str,
    repo_tags: &'a [String],
    repo_digests: &'a [String],
    parent: &'static str,
    comment: &'a str,
    created: &'a str,
    docker_version: &'static str,
    author: &'a str,
    config: Config<'a>,
    architecture: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    variant: &'a str,
    os: &'a str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_size: Option<u64>,
    graph_driver: Value,
    #[serde(rename = "RootFS")]
    root_fs: Value,
    metadata: Value,
}

/// What a container of the image starts with; empty fields are written.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config<'a> {
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposed_ports: Option<&'a Map<String, Value>>,
    env: Option<&'a [String]>,
    cmd: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Value>,
    volumes: Option<&'a Map<String, Value>>,
    working_dir: &'a str,
    entrypoint: Option<&'a [String]>,
    on_build: Option<&'a [String]>,
    labels: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_signal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shell: Option<&'a [String]>,
}

impl<'a> Details<'a> {
    fn new(image: &'a Image, version: ApiVersion) -> Self {
        let config = &*image.config;
        Self {
            id: image.id.as_str(),
            repo_tags: &image.repo_tags,
            repo_digests: &image.repo_digests,
            parent: "",
            comment: config.history.last().map_or("", |step| &step.comment),
            created: config.created.as_deref().unwrap_or(time::ZERO),
            docker_version: "",
            author: &config.author,
            config: Config::new(image),
            architecture: &config.architecture,
            variant: &config.variant,
            os: &config.os,
            size: image.size,
            virtual_size: version.before(44).then_some(image.size),
            graph_driver: json!({"Data": null, "Name": "overlay2"}),
            root_fs: json!({"Type": "layers", "Layers": config.rootfs.diff_ids}),
            metadata: json!({
                "LastTagTime": image.last_tagged.as_deref().unwrap_or(time::ZERO),
            }),
        }
    }
}

impl<'a> Config<'a> {
    fn new(image: &'a Image) -> Self {
        let config = &image.config.config;
        let list = |list: &'a Vec<String>| (!list.is_empty()).then_some(&list[..]);
        let map = |map: &'a Map<String, Value>| (!map.is_empty()).then_some(map);
        Self {
            user: &config.user,
            exposed_ports: map(&config.exposed_ports),
            env: list(&config.env),
            cmd: config.cmd.as_deref(),
            healthcheck: config.healthcheck.as_ref().and_then(|h| serde_json::to_value(h).ok()),
            volumes: map(&config.volumes),
            working_dir: &config.working_dir,
            entrypoint: config.entrypoint.as_deref(),
            on_build: list(&config.on_build),
            labels: (!config.labels.is_empty()).then_some(&config.labels),
            stop_signal: config.stop_signal.as_deref(),
            shell: config.shell.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::tests::image;
    use super::*;

    #[test]
    fn the_shape_is_dockers() {
        let image = image();
        let json = serde_json::to_value(Details::new(&image, ApiVersion::CURRENT)).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys.join(" "),
            "Id RepoTags RepoDigests Parent Comment Created DockerVersion Author Config \
             Architecture Os Size GraphDriver RootFS Metadata"
        );
        assert_eq!(
            json["Config"].to_string(),
            "{\"User\":\"\",\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"sh\"],\"Volumes\":null,\
             \"WorkingDir\":\"\",\"Entrypoint\":null,\"OnBuild\":null,\"Labels\":null}"
        );
        assert_eq!(json["Comment"], "c");
        assert_eq!(json["RootFS"]["Type"], "layers");
    }
}
