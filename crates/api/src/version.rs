//! API versions in paths: `/v1.43/info` is `/info` asked by a client of version 1.43.
//!
//! In: a path. Out: the path without its version, and the version. Refuses what is too old or too
//! new in Docker's words, which clients match on.

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::ApiError;

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    major: u32,
    minor: u32,
}

impl ApiVersion {
    /// The newest version served, and the one of unversioned paths.
    pub const CURRENT: Self = Self::new(1, 51);
    /// The oldest version served.
    pub const MINIMUM: Self = Self::new(1, 24);

    /// The version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether the client is older than version `1.minor`.
    pub fn before(self, minor: u32) -> bool {
        self < Self::new(1, minor)
    }

    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let number = |word: &str| {
            let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| word.parse().unwrap_or(u32::MAX))
        };
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl<S: Sync> FromRequestParts<S> for ApiVersion {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::CURRENT))
    }
}

/// Takes the version off a path; a path without one is of the current version.
pub fn split(path: &str) -> Result<(ApiVersion, &str), ApiError> {
    let Some((version, rest)) = versioned(path) else {
        return Ok((ApiVersion::CURRENT, path));
    };
    if version > ApiVersion::CURRENT {
        return Err(ApiError::bad_request(format!(
            "client version {version} is too new. Maximum supported API version is {}",
            ApiVersion::CURRENT
        )));
    }
    if version < ApiVersion::MINIMUM {
        return Err(ApiError::bad_request(format!(
            "client version {version} is too old. Minimum supported API version is {}, \
             please upgrade your client to a newer version",
            ApiVersion::MINIMUM
        )));
    }
    Ok((version, rest))
}

fn versioned(path: &str) -> Option<(ApiVersion, &str)> {
    let rest = path.strip_prefix("/v")?;
    let slash = rest.find('/')?;
    Some((ApiVersion::parse(&rest[..slash])?, &rest[slash..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_taken_off() {
        let of = |path| split(path).map(|(v, rest)| (v.to_string(), rest.to_owned())).unwrap();
        assert_eq!(of("/v1.24/info"), ("1.24".into(), "/info".into()));
        assert_eq!(of("/v1.51/containers/x/json"), ("1.51".into(), "/containers/x/json".into()));
        assert_eq!(of("/info"), ("1.51".into(), "/info".into()));
        assert_eq!(of("/volumes"), ("1.51".into(), "/volumes".into()));
        assert_eq!(of("/volumes/v1.2/x"), ("1.51".into(), "/volumes/v1.2/x".into()));
        assert_eq!(of("/v1.x/info"), ("1.51".into(), "/v1.x/info".into()));
    }

    #[test]
    fn versions_out_of_range_are_refused_in_dockers_words() {
        let refusal = |path| split(path).unwrap_err().message().to_owned();
        assert_eq!(
            refusal("/v1.99/info"),
            "client version 1.99 is too new. Maximum supported API version is 1.51"
        );
        assert_eq!(
            refusal("/v1.10/info"),
            "client version 1.10 is too old. Minimum supported API version is 1.24, please \
             upgrade your client to a newer version"
        );
        assert!(split("/v99999999999.1/info").is_err());
    }

    #[test]
    fn order_is_that_of_numbers() {
        assert!(ApiVersion::new(1, 9).before(10));
        assert!(!ApiVersion::new(1, 51).before(44));
    }
}
