//! Where the engine is, as `-H`, `DOCKER_HOST` and the `--tls*` flags say it.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where hawserd listens unless it is told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/hawser/hawser.sock";

/// How to reach an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP address `host:port`.
    Tcp {
        /// Host and port.
        address: String,
        /// TLS, if it is wanted.
        tls: Option<TlsSettings>,
    },
}

/// The files that TLS needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// Whether the server's certificate must be signed by `ca`.
    pub verify: bool,
    /// The authorities that are trusted (PEM).
    pub ca: PathBuf,
    /// The client's certificate (PEM); used if it is there.
    pub certificate: PathBuf,
    /// The client's key (PEM); used if it is there.
    pub key: PathBuf,
}

/// A host that cannot be understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EndpointError {
    /// A protocol that is not spoken.
    #[error("unable to parse host {0:?}: hawser connects to unix://PATH and tcp://HOST:PORT")]
    Protocol(String),
    /// A TCP address without a host, or with a path.
    #[error("invalid bind address ({0}): write tcp://HOST:PORT")]
    Address(String),
}

impl Endpoint {
    /// Parses what `-H` or `DOCKER_HOST` says; empty means the default socket.
    pub fn parse(host: &str, tls: Option<TlsSettings>) -> Result<Self, EndpointError> {
        let host = host.trim();
        if host.is_empty() || host == "unix://" {
            return Ok(Self::Unix(PathBuf::from(DEFAULT_SOCKET)));
        }
        match host.split_once("://") {
            Some(("unix", path)) => Ok(Self::Unix(PathBuf::from(path))),
            Some(("tcp" | "http" | "https", address)) => Self::tcp(address, tls),
            None if !host.contains('/') => Self::tcp(host, tls),
            _ => Err(EndpointError::Protocol(host.to_owned())),
        }
    }

    fn tcp(address: &str, tls: Option<TlsSettings>) -> Result<Self, EndpointError> {
        let address = address.trim_end_matches('/');
        if address.contains('/') {
            return Err(EndpointError::Address(address.to_owned()));
        }
        let port = if tls.is_some() { 2376 } else { 2375 };
        // The colons of a bare IPv6 address in brackets are not the port's.
        let has_port = address
            .rsplit_once(':')
            .is_some_and(|(host, _)| !host.starts_with('[') || host.ends_with(']'));
        let address = match address {
            "" => format!("127.0.0.1:{port}"),
            _ if has_port => address.to_owned(),
            _ => format!("{address}:{port}"),
        };
        let address = match address.strip_prefix(':') {
            Some(port) => format!("127.0.0.1:{port}"),
            None => address,
        };
        Ok(Self::Tcp { address, tls })
    }

    /// What the `Host` header says.
    pub fn authority(&self) -> &str {
        match self {
            // A unix socket has no name; any that is valid will do.
            Self::Unix(_) => "hawser",
            Self::Tcp { address, .. } => address,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { address, .. } => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str) -> String {
        Endpoint::parse(host, None).unwrap().to_string()
    }

    #[test]
    fn understands_what_docker_understands() {
        assert_eq!(tcp(""), "unix:///run/hawser/hawser.sock");
        assert_eq!(tcp("unix:///a/b.sock"), "unix:///a/b.sock");
        assert_eq!(tcp("tcp://example"), "tcp://example:2375");
        assert_eq!(tcp("tcp://10.0.0.1:99/"), "tcp://10.0.0.1:99");
        assert_eq!(tcp("localhost:2375"), "tcp://localhost:2375");
        assert_eq!(tcp("tcp://:2376"), "tcp://127.0.0.1:2376");
        assert_eq!(tcp("tcp://[::1]"), "tcp://[::1]:2375");
        assert_eq!(tcp("tcp://[::1]:1"), "tcp://[::1]:1");
    }

    #[test]
    fn refuses_the_rest() {
        assert!(matches!(Endpoint::parse("ssh://a", None), Err(EndpointError::Protocol(_))));
        assert!(matches!(Endpoint::parse("/a/b", None), Err(EndpointError::Protocol(_))));
        assert!(matches!(Endpoint::parse("tcp://a/b", None), Err(EndpointError::Address(_))));
    }
}
