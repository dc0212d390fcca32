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
use crate::version::ApiVersion;

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
    /// What the body and the query ask for, and what the user should know of it.
    pub fn request(
        Json(body): Json<Self>,
        query: &Query,
        version: ApiVersion,
    ) -> Result<(CreateContainer, Option<String>)> {
        let body = body.ok_or_else(|| {
            ApiError::bad_request("config cannot be empty in order to create a container")
        })?;
        let mut request = CreateContainer {
            name: query.string("name"),
            platform: query.string("platform"),
            config: body.config,
            host_config: body.host_config.unwrap_or_default(),
            networking: body.networking.unwrap_or_default(),
        };
        let warning = mac_address(&mut request, version)?;
        Ok((request, warning))
    }
}

pub async fn handle(
    State(engine): Shared,
    version: ApiVersion,
    query: Query,
    body: Json<Body>,
) -> Result {
    let (request, warning) = Body::request(body, &query, version)?;
    let mut created = engine.container_create(request).await?;
    created.warnings.extend(warning);
    Ok(answer::created(&json!({"Id": created.id.as_str(), "Warnings": created.warnings})))
}

/// Where a hardware address is asked for: since 1.44 on each network; the container's own field is
/// for the network of its mode, and older clients know no other.
fn mac_address(request: &mut CreateContainer, version: ApiVersion) -> Result<Option<String>> {
    let endpoints = &mut request.networking.endpoints_config;
    if version.before(44) {
        endpoints.values_mut().flatten().for_each(|settings| settings.mac_address.clear());
        return Ok(None);
    }
    let own = std::mem::take(&mut request.config.mac_address);
    if own.is_empty() {
        return Ok(None);
    }
    let mode = request.host_config.network_mode.as_str();
    if !matches!(mode, "host" | "none") && !mode.starts_with("container:") {
        let mode = if mode.is_empty() { "default" } else { mode };
        if !endpoints.is_empty() && !endpoints.contains_key(mode) {
            return Err(ApiError::bad_request(
                "unable to migrate container-wide MAC address to a specific network: \
                 HostConfig.NetworkMode must match the identity of a network in \
                 NetworkSettings.Networks",
            ));
        }
        let settings = endpoints.entry(mode.to_owned()).or_default().get_or_insert_default();
        if settings.mac_address.is_empty() {
            settings.mac_address = own;
        } else if settings.mac_address != own {
            return Err(ApiError::bad_request(
                "the container-wide MAC address must match the endpoint-specific MAC address for \
                 the main network, or be left empty",
            ));
        }
    }
    Ok(Some(
        "The container-wide MacAddress field is now deprecated. It should be specified in \
         EndpointsConfig instead."
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use hawser_engine::spec::EndpointSettings;

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

    fn asked(mode: &str, own: &str, endpoints: &[(&str, &str)]) -> CreateContainer {
        let mut request = CreateContainer::default();
        request.host_config.network_mode = mode.to_owned();
        request.config.mac_address = own.to_owned();
        for (name, mac) in endpoints {
            let settings =
                EndpointSettings { mac_address: (*mac).to_owned(), ..Default::default() };
            request.networking.endpoints_config.insert((*name).to_owned(), Some(settings));
        }
        request
    }

    #[test]
    fn a_mac_address_is_the_networks() {
        let now = ApiVersion::CURRENT;
        let mac = |request: &CreateContainer, name: &str| {
            let settings = &request.networking.endpoints_config[name];
            settings.as_ref().unwrap().mac_address.clone()
        };
        let mut one = asked("net", "02:00:00:00:00:05", &[]);
        assert!(mac_address(&mut one, now).unwrap().unwrap().contains("deprecated"));
        assert_eq!(mac(&one, "net"), "02:00:00:00:00:05");
        assert!(one.config.mac_address.is_empty());
        let mut host = asked("host", "02:00:00:00:00:05", &[]);
        assert!(mac_address(&mut host, now).unwrap().is_some());
        assert!(host.networking.endpoints_config.is_empty());
        let mut differs = asked("net", "02:00:00:00:00:05", &[("net", "02:00:00:00:00:06")]);
        assert!(mac_address(&mut differs, now).is_err());
        let mut elsewhere = asked("net", "02:00:00:00:00:05", &[("other", "")]);
        assert!(mac_address(&mut elsewhere, now).is_err());
    }

    #[test]
    fn old_clients_know_one_mac_address() {
        let old = ApiVersion::new(1, 43);
        let mut request = asked("net", "02:00:00:00:00:05", &[("net", "02:00:00:00:00:06")]);
        assert_eq!(mac_address(&mut request, old).unwrap(), None);
        assert_eq!(request.config.mac_address, "02:00:00:00:00:05");
        let settings = request.networking.endpoints_config["net"].as_ref().unwrap();
        assert!(settings.mac_address.is_empty());
    }

    #[test]
    fn parts_may_be_missing_or_null() {
        let body: Body = serde_json::from_str(r#"{"Image":"busybox","HostConfig":null}"#).unwrap();
        assert!(body.host_config.is_none() && body.networking.is_none());
    }
}
