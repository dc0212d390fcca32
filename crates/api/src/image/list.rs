//! `GET /images/json`.

use std::collections::BTreeMap;

use axum::extract::State;
use hawser_engine::image::ImageView;
use serde::Serialize;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;
use crate::time;
use crate::version::ApiVersion;

pub async fn handle(State(engine): Shared, query: Query, version: ApiVersion) -> Result {
    let images = engine.image_list(&query.filters()?).await?;
    let list: Vec<Summary<'_>> = images.iter().map(|view| Summary::new(view, version)).collect();
    Ok(answer::ok(&list))
}

/// An image in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary<'a> {
    containers: usize,
    created: i64,
    id: &'a str,
    labels: Option<&'a BTreeMap<String, String>>,
    parent_id: &'static str,
    repo_digests: Names<'a>,
    repo_tags: Names<'a>,
    shared_size: i64,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_size: Option<u64>,
}

/// Names, or what older clients expect in the place of none.
type Names<'a> = Vec<&'a str>;

impl<'a> Summary<'a> {
    /// The image as lists show it to a client of that version.
    pub fn new(view: &'a ImageView, version: ApiVersion) -> Self {
        let image = &view.image;
        let labels = &image.config.config.labels;
        Self {
            containers: view.containers,
            created: time::seconds(image.config.created.as_deref()),
            id: image.id.as_str(),
            labels: (!labels.is_empty()).then_some(labels),
            parent_id: "",
            repo_digests: names(&image.repo_digests, "<none>@<none>", version),
            repo_tags: names(&image.repo_tags, "<none>:<none>", version),
            shared_size: -1,
            size: image.size,
            virtual_size: version.before(44).then_some(image.size),
        }
    }
}

fn names<'a>(names: &'a [String], none: &'static str, version: ApiVersion) -> Names<'a> {
    if names.is_empty() && version.before(43) {
        return vec![none];
    }
    names.iter().map(String::as_str).collect()
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;

    use hawser_engine::image::Image;
    use serde_json::json;

    use super::*;

    /// An image with a name and a command.
    pub fn image() -> Image {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z",
            "config": {"Cmd": ["sh"], "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest]},
            "history": [{"created_by": "one"}, {"created_by": "two", "comment": "c"}],
        });
        Image {
            id: digest.parse().unwrap(),
            config: Arc::new(serde_json::from_value(config).unwrap()),
            manifest: digest.parse().unwrap(),
            repo_tags: vec!["busybox:latest".into()],
            repo_digests: vec![],
            size: 1234,
            last_tagged: None,
        }
    }

    #[test]
    fn the_shape_is_dockers() {
        let view = ImageView { image: image(), containers: 1 };
        let json = serde_json::to_string(&Summary::new(&view, ApiVersion::CURRENT)).unwrap();
        let wanted = format!(
            "{{\"Containers\":1,\"Created\":1700000000,\"Id\":\"sha256:{}\",\"Labels\":null,\
             \"ParentId\":\"\",\"RepoDigests\":[],\"RepoTags\":[\"busybox:latest\"],\
             \"SharedSize\":-1,\"Size\":1234}}",
            "ab".repeat(32)
        );
        assert_eq!(json, wanted);
    }

    #[test]
    fn older_clients_get_what_they_know() {
        let mut view = ImageView { image: image(), containers: 0 };
        view.image.repo_tags.clear();
        let json = serde_json::to_value(Summary::new(&view, ApiVersion::new(1, 41))).unwrap();
        assert_eq!(json["RepoTags"], json!(["<none>:<none>"]));
        assert_eq!(json["VirtualSize"], 1234);
    }
}
