//! `login`: whether a registry takes credentials; and what a registry says of an image.
//!
//! In: the address of a registry, or a name; credentials. Out: yes, or why not. Nothing is kept: clients keep
//! credentials themselves and send them along.

use std::sync::Arc;

use hawser_registry::{Access, Credentials, Error as Failure};

use crate::Engine;
use crate::error::{Error, Kind, Result};

/// What clients call the default registry.
const DEFAULT: &str = "docker.io";

impl Engine {
    /// Tries credentials at a registry (`HOST[:PORT]`, or the URL that Docker's clients send).
    ///
    /// # Errors
    /// Unauthorized if it refuses them, System if it cannot be reached.
    pub async fn login(self: &Arc<Self>, address: &str, who: &Credentials) -> Result<()> {
        let host = host(address);
        let candidate = self.registry.registries.sessions(host, "", Access::Push, who).pop();
        let candidate = candidate.ok_or_else(|| Error::not_found("no registry"))?;
        let session =
            candidate.open().await.map_err(|e| Error::new(Kind::System, e.to_string()))?;
        let place = session.place();
        session.log_in().await.map_err(|failure| match failure {
            Failure::Unauthorized(why) | Failure::Denied(why) => {
                let message = format!("login attempt to {place}/v2/ failed with status: {why}");
                Error::new(Kind::Unauthorized, message)
            }
            other => Error::new(Kind::System, other.to_string()),
        })
    }
}

/// The host of an address: `https://index.docker.io/v1/` is Docker's.
fn host(address: &str) -> &str {
    let bare = address.trim_start_matches("https://").trim_start_matches("http://");
    match bare.split('/').next().unwrap_or_default() {
        "" | "index.docker.io" | "registry-1.docker.io" => DEFAULT,
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn addresses_are_hosts() {
        assert_eq!(host("https://index.docker.io/v1/"), "docker.io");
        assert_eq!(host(""), "docker.io");
        assert_eq!(host("localhost:5000"), "localhost:5000");
        assert_eq!(host("https://r.example/v2/"), "r.example");
    }
}
