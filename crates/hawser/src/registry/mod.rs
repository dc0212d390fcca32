//! Credentials for registries: `login`, `logout`, and what other commands send along.
//!
//! In: docker's `config.json` and the credential helpers that it names. Out: the header
//! `X-Registry-Auth`. The files and helpers are docker's: who is logged in there is logged in here.

mod config;
mod keeper;
pub mod login;
pub mod logout;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::json;

use crate::failure::Failure;
use crate::parse::reference;
use config::Config;

/// What docker's configuration calls the default registry.
const DEFAULT: &str = "https://index.docker.io/v1/";

/// Name and secret for a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub username: String,
    /// The password.
    pub password: String,
    /// A token in its place.
    pub identity_token: String,
}

/// The header for the registry of an image; for nobody if the user is not logged in there.
pub fn header(image: &str) -> Result<String, Failure> {
    let qualified = reference::qualified(image);
    let domain = qualified.split('/').next().unwrap_or_default();
    let key = key(domain);
    let Some(login) = Config::read()?.login(key)? else { return Ok(URL_SAFE.encode("{}")) };
    let mut value = json!({"serveraddress": key});
    match login.identity_token.as_str() {
        "" => {
            value["username"] = login.username.into();
            value["password"] = login.password.into();
        }
        token => value["identitytoken"] = token.into(),
    }
    Ok(URL_SAFE.encode(value.to_string()))
}

/// Under what name a registry is kept.
fn key(domain: &str) -> &str {
    match domain {
        "" | "docker.io" | "index.docker.io" | "registry-1.docker.io" => DEFAULT,
        other => other,
    }
}

/// The registry that a user names: `https://localhost:5000/v2/` is `localhost:5000`.
fn address(server: &str) -> &str {
    let bare = server.strip_prefix("https://").or_else(|| server.strip_prefix("http://"));
    let host = bare.unwrap_or(server).split('/').next().unwrap_or_default();
    key(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_one_name_each() {
        for default in ["", "docker.io", "https://index.docker.io/v1/"] {
            assert_eq!(address(default), DEFAULT);
        }
        assert_eq!(address("https://localhost:5000/v2/"), "localhost:5000");
        assert_eq!(address("r.example"), "r.example");
    }
}
