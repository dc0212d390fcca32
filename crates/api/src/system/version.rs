//! `GET /version`.

use axum::extract::State;
use axum::response::Response;
use hawser_engine::system::{Component, Version};
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answer;

pub async fn handle(State(engine): Shared) -> Response {
    answer::ok(&encode(&engine.version()))
}

fn encode(version: &Version) -> Value {
    json!({
        "Platform": {"Name": "hawser"},
        "Components": version.components.iter().map(component).collect::<Vec<_>>(),
        "Version": version.version,
        "ApiVersion": version.api_version,
        "MinAPIVersion": version.min_api_version,
        "GitCommit": "",
        "GoVersion": "",
        "Os": version.os,
        "Arch": version.arch,
        "KernelVersion": version.kernel_version,
        "BuildTime": "",
    })
}

/// A part with its details; clients print these of every engine, so none is missing.
fn component(part: &Component) -> Value {
    let mut details: Map<String, Value> = Map::new();
    if part.name == "Engine" {
        let printed = ["BuildTime", "Experimental", "GitCommit", "GoVersion"];
        details.extend(printed.map(|key| (key.to_owned(), json!(""))));
        details.insert("Experimental".to_owned(), json!("false"));
    }
    details.extend(part.details.iter().map(|(key, value)| (key.clone(), json!(value))));
    json!({"Name": part.name, "Version": part.version, "Details": details})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ApiVersion;

    #[test]
    fn the_version_told_is_the_version_served() {
        let version = Version {
            version: "0.1.0".into(),
            api_version: "1.51",
            min_api_version: "1.24",
            os: "linux",
            arch: "amd64",
            kernel_version: "6.1".into(),
            components: vec![],
        };
        let json = encode(&version);
        assert_eq!(json["ApiVersion"], ApiVersion::CURRENT.to_string());
        assert_eq!(json["MinAPIVersion"], ApiVersion::MINIMUM.to_string());
    }
}
