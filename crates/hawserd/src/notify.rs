//! Tells systemd how the daemon is doing (sd_notify(3)): one datagram to `NOTIFY_SOCKET`.
//!
//! In: a state. Out: nothing; without systemd nothing happens.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// Ready to serve.
pub const READY: &str = "READY=1";
/// About to end.
pub const STOPPING: &str = "STOPPING=1";

/// Tells a state to whoever started the daemon.
pub fn tell(state: &str) {
    let Some(target) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(target.as_bytes(), state) {
        tracing::warn!(%error, "cannot tell systemd {state}");
    }
}

fn send(target: &[u8], state: &str) -> std::io::Result<()> {
    let address = match target.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(Path::new(std::ffi::OsStr::from_bytes(target)))?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_arrive_by_path_and_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("hawserd-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        send(path.as_os_str().as_bytes(), READY).unwrap();
        send(format!("@{name}").as_bytes(), STOPPING).unwrap();
        let mut text = [0; 32];
        let count = by_path.recv(&mut text).unwrap();
        assert_eq!(&text[..count], b"READY=1");
        let count = by_name.recv(&mut text).unwrap();
        assert_eq!(&text[..count], b"STOPPING=1");
    }
}
