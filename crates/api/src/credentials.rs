//! Credentials for registries, as Docker's clients send them.
//!
//! In: the header `X-Registry-Auth` (JSON in URL-safe base64) or a body. Out: [`Credentials`] and the
//! registry that they are for. They are never kept or logged.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hawser_engine::image::Credentials;
use http::HeaderMap;
use serde::Deserialize;

use crate::error::{ApiError, Result};

const HEADER: &str = "x-registry-auth";

/// Docker's `AuthConfig`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AuthConfig {
    username: String,
    password: String,
    auth: String,
    /// The registry.
    pub serveraddress: String,
    identitytoken: String,
    registrytoken: String,
}

impl AuthConfig {
    /// What it says of the user. `auth` is name and password in one, in the base64 of `config.json`.
    pub fn credentials(self) -> Credentials {
        let pair = STANDARD.decode(&self.auth).ok().and_then(|pair| String::from_utf8(pair).ok());
        let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
        let (username, password) = match pair.filter(|_| self.username.is_empty()) {
            Some((username, password)) => (username.to_owned(), password.to_owned()),
            None => (self.username, self.password),
        };
        Credentials {
            username,
            password,
            identity_token: self.identitytoken,
            registry_token: self.registrytoken,
        }
    }
}

/// What the header says; nothing if there is none.
pub fn of_header(headers: &HeaderMap) -> Result<Credentials> {
    let Some(value) = headers.get(HEADER) else { return Ok(Credentials::default()) };
    // Some clients pad, some do not.
    let padding =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let json = GeneralPurpose::new(&URL_SAFE, padding).decode(value.as_bytes());
    let json =
        json.map_err(|_| ApiError::bad_request("invalid X-Registry-Auth header: no base64"))?;
    // `null` and nothing at all stand for nobody.
    if json.iter().all(u8::is_ascii_whitespace) || json == b"null" {
        return Ok(Credentials::default());
    }
    let config: AuthConfig = serde_json::from_slice(&json).map_err(|error| {
        ApiError::bad_request(format!("invalid X-Registry-Auth header: {error}"))
    })?;
    Ok(config.credentials())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Credentials> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, value.parse().unwrap());
        of_header(&headers)
    }

    fn encode(json: &str) -> String {
        base64::engine::general_purpose::URL_SAFE.encode(json)
    }

    #[test]
    fn credentials_come_in_several_forms() {
        let json = r#"{"username":"me","password":"s?>","serveraddress":"localhost:5000"}"#;
        for value in [encode(json), encode(json).trim_end_matches('=').to_owned()] {
            let read = read(&value).unwrap();
            assert_eq!((read.username.as_str(), read.password.as_str()), ("me", "s?>"));
        }
        let one = read(&encode(r#"{"auth":"bWU6czpl"}"#)).unwrap();
        assert_eq!((one.username.as_str(), one.password.as_str()), ("me", "s:e"));
        let token = read(&encode(r#"{"identitytoken":"t"}"#)).unwrap();
        assert_eq!(token.identity_token, "t");
        for nobody in ["", "bnVsbA==", "e30="] {
            assert!(read(nobody).unwrap().is_empty(), "{nobody:?}");
        }
        assert!(of_header(&HeaderMap::new()).unwrap().is_empty());
        assert!(read("%").is_err() && read("eA==").is_err());
    }
}
