//! From the flags of `run` and `create` to the request that makes a container.
//!
//! In: the flags, parsed one by one. Out: the three parts of the API's body (what the
//! container is, how the host treats it, its networks). Here and in the parts is what concerns
//! several flags at once.

mod host;
mod networks;
mod process;

use serde_json::{Value, json};

use super::options::ContainerOptions;
use crate::parse::{Invalid, port};

/// The body of a request to create a container, in its parts.
#[derive(Debug)]
pub struct Spec {
    /// The API's `Config`.
    pub config: Value,
    /// The API's `HostConfig`.
    pub host: Value,
    /// The API's `EndpointsConfig`.
    pub endpoints: Value,
}

impl Spec {
    /// Puts the flags together, or says what does not go together.
    pub fn new(options: &ContainerOptions) -> Result<Self, Invalid> {
        let ports = Ports::new(options)?;
        let host = host::host(options, &ports)?;
        let config = process::config(options, &ports)?;
        if options.process.rm && !matches!(host["RestartPolicy"]["Name"].as_str(), Some("" | "no"))
        {
            return Err(Invalid::new(
                "conflicting options: cannot specify both --restart and --rm",
            ));
        }
        let endpoints = networks::endpoints(&options.network)?;
        Ok(Self { config, host, endpoints })
    }

    /// The body of the request.
    pub fn body(&self) -> Value {
        let mut body = self.config.clone();
        body["HostConfig"] = self.host.clone();
        body["NetworkingConfig"] = json!({"EndpointsConfig": self.endpoints});
        body
    }

    /// The image that the container is made from.
    pub fn image(&self) -> &str {
        self.config["Image"].as_str().unwrap_or_default()
    }

    /// Whether one of the booleans of the configuration is set.
    pub fn is_set(&self, key: &str) -> bool {
        self.config[key] == true
    }
}

/// What `-p` and `--expose` come to.
struct Ports {
    exposed: Value,
    bindings: Value,
}

impl Ports {
    fn new(options: &ContainerOptions) -> Result<Self, Invalid> {
        let (mut exposed, mut bindings) = (json!({}), json!({}));
        for text in &options.network.publish {
            for publication in port::publish(text)? {
                exposed[&publication.port] = json!({});
                let binding =
                    json!({"HostIp": publication.host_ip, "HostPort": publication.host_port});
                match bindings[&publication.port].as_array_mut() {
                    Some(list) => list.push(binding),
                    None => bindings[&publication.port] = json!([binding]),
                }
            }
        }
        for text in &options.network.expose {
            for port in port::expose(text)? {
                exposed[port] = json!({});
            }
        }
        Ok(Self { exposed, bindings })
    }
}

#[cfg(test)]
mod tests;
