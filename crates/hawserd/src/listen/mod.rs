//! Where the daemon listens: unix sockets, TCP with or without TLS, sockets of systemd.
//!
//! In: `-H` addresses and the TLS options. Out: bound listeners. TCP without TLS is for the
//! loopback; beyond it the daemon refuses, because whoever reaches the port is root here.

mod address;
mod tls;
mod unix;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use tokio_rustls::TlsAcceptor;

use crate::options::Options;
pub use address::Host;

/// The socket that clients use if nothing else is said.
pub const DEFAULT_SOCKET: &str = "/run/hawser/hawser.sock";

/// Why the daemon cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("invalid bind address ({0}): {1}")]
    Address(String, String),
    /// TCP without TLS beyond the loopback.
    #[error(
        "refusing to listen on tcp://{0} without TLS: whoever reaches that port is root on this \
         host. Give --tlsverify with --tlscacert, --tlscert and --tlskey, or listen on 127.0.0.1, \
         or accept the risk with --allow-tcp-without-tls"
    )]
    WithoutTls(SocketAddr),
    /// Metrics beyond the loopback.
    #[error(
        "refusing to serve metrics on {0}: whoever reaches that port sees what this host does. \
         Listen on 127.0.0.1, or accept that with --allow-tcp-without-tls"
    )]
    OpenMetrics(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on {0}")]
    Bind(String, #[source] io::Error),
    /// Another daemon answers there.
    #[error("cannot listen on unix://{}: another daemon answers there", .0.display())]
    InUse(PathBuf),
    /// The group that was asked for is not there.
    #[error("cannot give {} to group {group}: no such group", path.display())]
    NoGroup {
        /// The socket.
        path: PathBuf,
        /// The group.
        group: String,
    },
    /// A certificate or key is no good.
    #[error("cannot use {} for TLS: {}", .0.display(), .1)]
    Tls(PathBuf, String),
    /// systemd passed no such socket.
    #[error("no sockets found: fd:// is for a daemon that systemd starts with a socket unit")]
    NoSockets,
}

/// A bound listener.
pub enum Listener {
    /// A unix socket; the path if it is ours to remove.
    Unix(std::os::unix::net::UnixListener, Option<PathBuf>),
    /// TCP, with TLS if there is an acceptor.
    Tcp(std::net::TcpListener, Option<TlsAcceptor>),
}

impl Listener {
    /// The path that is ours to remove at the end.
    pub fn own_path(&self) -> Option<PathBuf> {
        match self {
            Self::Unix(_, path) => path.clone(),
            Self::Tcp(..) => None,
        }
    }
}

/// Checks addresses and TLS files without binding anything.
pub fn check(options: &Options) -> Result<(), Error> {
    let tls = tls::acceptor(options)?;
    for host in &options.hosts {
        if let Host::Tcp(address) = address::parse(host, tls.is_some())? {
            check_exposure(address, options, tls.is_some())?;
        }
    }
    metrics_address(options).map(drop)
}

/// Binds everything that the options name.
pub fn bind(options: &Options) -> Result<Vec<Listener>, Error> {
    let tls = tls::acceptor(options)?;
    // A daemon that systemd starts with a socket unit needs no -H to use it.
    let default = match std::env::var_os("LISTEN_FDS") {
        Some(_) => "fd://".to_owned(),
        None => format!("unix://{DEFAULT_SOCKET}"),
    };
    let default = [default];
    let hosts = if options.hosts.is_empty() { &default[..] } else { &options.hosts[..] };
    let mut listeners = Vec::new();
    for host in hosts {
        match address::parse(host, tls.is_some())? {
            Host::Unix(path) => listeners.push(unix::bind(path, options.group.as_deref())?),
            Host::Tcp(address) => listeners.push(tcp(address, options, tls.clone())?),
            Host::Inherited => listeners.extend(inherited(tls.as_ref())?),
        }
    }
    Ok(listeners)
}

/// Binds where metrics are served, if anywhere. They are plain HTTP, as dockerd's.
pub fn bind_metrics(options: &Options) -> Result<Option<Listener>, Error> {
    let Some(address) = metrics_address(options)? else { return Ok(None) };
    let listener = std::net::TcpListener::bind(address)
        .map_err(|error| Error::Bind(address.to_string(), error))?;
    Ok(Some(Listener::Tcp(listener, None)))
}

fn metrics_address(options: &Options) -> Result<Option<SocketAddr>, Error> {
    let Some(text) = &options.metrics_addr else { return Ok(None) };
    let bad = || Error::Address(text.clone(), "want ADDRESS:PORT".to_owned());
    let address = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address = address.ok_or_else(bad)?;
    if !address.ip().is_loopback() && options.allow_tcp_without_tls != Some(true) {
        return Err(Error::OpenMetrics(address));
    }
    Ok(Some(address))
}

fn tcp(
    address: SocketAddr,
    options: &Options,
    tls: Option<TlsAcceptor>,
) -> Result<Listener, Error> {
    check_exposure(address, options, tls.is_some())?;
    let listener = std::net::TcpListener::bind(address)
        .map_err(|error| Error::Bind(format!("tcp://{address}"), error))?;
    Ok(Listener::Tcp(listener, tls))
}

/// TCP without TLS beyond the loopback is for those who say that they want it.
fn check_exposure(address: SocketAddr, options: &Options, tls: bool) -> Result<(), Error> {
    if tls || address.ip().is_loopback() {
        return Ok(());
    }
    if options.allow_tcp_without_tls != Some(true) {
        return Err(Error::WithoutTls(address));
    }
    tracing::warn!("tcp://{address} has no TLS: whoever reaches it is root here");
    Ok(())
}

/// The sockets that systemd passed, all of them.
fn inherited(tls: Option<&TlsAcceptor>) -> Result<Vec<Listener>, Error> {
    let mut passed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        let fail = |error| Error::Bind(format!("fd://{index}"), error);
        // Of the wrong kind is an error that leaves the socket there for another try.
        if let Ok(Some(listener)) = passed.take_unix_listener(index) {
            listeners.push(Listener::Unix(listener, None));
        } else if let Some(listener) = passed.take_tcp_listener(index).map_err(fail)? {
            listeners.push(Listener::Tcp(listener, tls.cloned()));
        }
    }
    if listeners.is_empty() { Err(Error::NoSockets) } else { Ok(listeners) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: &Options) -> String {
        bind(options).map(|listeners| listeners.len()).unwrap_err().to_string()
    }

    #[test]
    fn tcp_without_tls_is_for_the_loopback() {
        let hosts = |host: &str| Options { hosts: vec![host.into()], ..Options::default() };
        let error = refusal(&hosts("tcp://0.0.0.0:0"));
        assert!(error.starts_with("refusing to listen on tcp://0.0.0.0:0 without TLS"), "{error}");
        assert!(refusal(&hosts("tcp://[::]:0")).starts_with("refusing"));
        assert_eq!(bind(&hosts("tcp://127.0.0.1:0")).map(|l| l.len()).unwrap(), 1);
        let mut allowed = hosts("tcp://0.0.0.0:0");
        allowed.allow_tcp_without_tls = Some(true);
        assert_eq!(bind(&allowed).map(|l| l.len()).unwrap(), 1);
    }

    #[test]
    fn metrics_are_for_the_loopback() {
        let at =
            |address: &str| Options { metrics_addr: Some(address.into()), ..Options::default() };
        let refusal = |options: &Options| check(options).unwrap_err().to_string();
        let error = refusal(&at("0.0.0.0:9323"));
        assert!(error.starts_with("refusing to serve metrics on 0.0.0.0:9323"), "{error}");
        assert!(refusal(&at("localhost")).contains("want ADDRESS:PORT"));
        assert!(check(&at("[::1]:9323")).is_ok() && check(&at("localhost:9323")).is_ok());
        let open = Options { allow_tcp_without_tls: Some(true), ..at("0.0.0.0:9323") };
        assert!(check(&open).is_ok());
        assert!(bind_metrics(&Options::default()).is_ok_and(|none| none.is_none()));
        assert!(bind_metrics(&at("127.0.0.1:0")).is_ok_and(|some| some.is_some()));
    }

    #[test]
    fn without_systemd_there_are_no_sockets() {
        let options = Options { hosts: vec!["fd://".into()], ..Options::default() };
        assert!(refusal(&options).starts_with("no sockets found"));
    }
}
