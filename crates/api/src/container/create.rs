//! `POST /containers/create`.

use axum::extract::State;
use hawser_engine::container::CreateContainer;
use hawser_engine::spec::{ContainerConfig, HostConfig, NetworkingConfig};
use serde::Deserialize;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::{ApiError, Result};
use crate::query::Query;

/// The body: the configuration, with two parts that are not of it.
#[derive(Debug, Deserialize)]
pub struct Body {
    #[serde(flatten)]
    config: ContainerConfig,
    #[serde(rename = "HostConfig", default)]
    host_config: Option<HostConfig>,
    #[serde(rename = "NetworkingConfig", default)]
    networking: Option<NetworkingConfig>,
}

impl Body {
    /// What the body and the query ask for.
    pub fn request(Json(body): Json<Self>, query: &Query) -> Result<CreateContainer> {
        let body = body.ok_or_else(|| {
            ApiError::bad_request("config cannot be empty in order to create a container")
        })?;
        Ok(CreateContainer {
            name: query.string("name"),
            platform: query.string("platform"),
            config: body.config,
            host_config: body.host_config.unwrap_or_default(),
            networking: body.networking.unwrap_or_default(),
        })
    }
}

pub async fn handle(State(engine): Shared, query: Query, body: Json<Body>) -> Result {
    let created = engine.container_create(Body::request(body, &query)?).await?;
    Ok(answer::created(&json!({"Id": created.id.as_str(), "Warnings": created.warnings})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_body_are_told_apart() {
        let body: Body = serde_json::from_str(
            r#"{"Image":"busybox","Cmd":["true"],"Env":null,"Labels":null,"Volumes":{},
                "HostConfig":{"NetworkMode":"bridge","PortBindings":{"80/tcp":[{"HostPort":"8080"}]}},
                "NetworkingConfig":{"EndpointsConfig":{"net":null}},"Unknown":1}"#,
        )
        .unwrap();
        assert_eq!(body.config.image, "busybox");
        assert_eq!(body.config.cmd.as_deref(), Some(&["true".to_owned()][..]));
        assert_eq!(body.host_config.unwrap().network_mode, "bridge");
        assert!(body.networking.unwrap().endpoints_config["net"].is_none());
    }

    #[test]
    fn parts_may_be_missing_or_null() {
        let body: Body = serde_json::from_str(r#"{"Image":"busybox","HostConfig":null}"#).unwrap();
        assert!(body.host_config.is_none() && body.networking.is_none());
    }
}
