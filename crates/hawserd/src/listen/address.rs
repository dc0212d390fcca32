//! `-H` addresses.
//!
//! In: text. Out: a [`Host`]. Nothing is bound here.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use super::{DEFAULT_SOCKET, Error};

/// Ports of TCP addresses that name none, as dockerd's.
const PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
    /// Sockets that systemd passed.
    Inherited,
}

/// Reads `unix://PATH`, `tcp://HOST[:PORT]`, `fd://[…]`, or a bare `HOST:PORT`.
pub fn parse(text: &str, tls: bool) -> Result<Host, Error> {
    let bad = |why: &str| Error::Address(text.to_owned(), why.to_owned());
    match text.split_once("://") {
        Some(("unix", "")) => Ok(Host::Unix(DEFAULT_SOCKET.into())),
        Some(("unix", path)) if path.starts_with('/') => Ok(Host::Unix(path.into())),
        Some(("unix", _)) => Err(bad("not an absolute path")),
        Some(("fd", "" | "*")) => Ok(Host::Inherited),
        Some(("fd", _)) => Err(bad("only fd:// is known: all sockets that were passed")),
        Some(("tcp", rest)) => tcp(rest, tls).map_err(|why| bad(&why)),
        Some(_) => Err(bad("unknown protocol")),
        None => tcp(text, tls).map_err(|why| bad(&why)),
    }
}

fn tcp(text: &str, tls: bool) -> Result<Host, String> {
    let port = if tls { TLS_PORT } else { PORT };
    let text = text.trim_end_matches('/');
    let text = if text.is_empty() { "localhost" } else { text };
    let mut addresses = match text.rsplit_once(':') {
        // A colon inside brackets is of the address.
        Some((_, number)) if !number.ends_with(']') => text.to_socket_addrs(),
        _ => (text.trim_matches(['[', ']']), port).to_socket_addrs(),
    }
    .map_err(|error| error.to_string())?;
    addresses.next().map(Host::Tcp).ok_or_else(|| "no such host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let tcp = |text: &str| Host::Tcp(text.parse().unwrap());
        for (text, tls, wanted) in [
            ("unix:///x/y.sock", false, Host::Unix("/x/y.sock".into())),
            ("unix://", false, Host::Unix(DEFAULT_SOCKET.into())),
            ("fd://", false, Host::Inherited),
            ("tcp://127.0.0.1:99", false, tcp("127.0.0.1:99")),
            ("tcp://127.0.0.1", false, tcp("127.0.0.1:2375")),
            ("tcp://127.0.0.1", true, tcp("127.0.0.1:2376")),
            ("tcp://[::1]:99", false, tcp("[::1]:99")),
            ("tcp://[::1]", false, tcp("[::1]:2375")),
            ("0.0.0.0:2376", true, tcp("0.0.0.0:2376")),
        ] {
            assert_eq!(parse(text, tls).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["npipe://x", "unix://x", "tcp://127.0.0.1:x", "fd://3", "tcp://127.0.0.1:99999"]
        {
            let error = parse(text, false).unwrap_err().to_string();
            assert!(error.starts_with(&format!("invalid bind address ({text}): ")), "{error}");
        }
    }
}
