//! Listening in between a client and the engine: which statuses a client was answered with.
//!
//! In: a host; out: a socket beside the engine's that passes all on, unchanged and as it comes, and
//! keeps what the engine said. With it a client's command shows its message and its status at once.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::client::{Cli, Client};
use crate::testhost::TestHost;

/// What the engine said on one connection.
type Said = Arc<Mutex<Vec<u8>>>;

/// A socket that hears what passes through it.
#[derive(Debug)]
pub struct Recorder<'a> {
    host: &'a TestHost,
    socket: PathBuf,
    said: Arc<Mutex<Vec<Said>>>,
}

impl TestHost {
    /// A recorder before this host's engine.
    ///
    /// # Panics
    /// When its socket cannot be made.
    #[track_caller]
    pub fn recorder(&self) -> Recorder<'_> {
        let socket = self.files().join("recorder.sock");
        let listener = match UnixListener::bind(&socket) {
            Ok(listener) => listener,
            Err(error) => panic!("bind {}: {error}", socket.display()),
        };
        let said: Arc<Mutex<Vec<Said>>> = Arc::default();
        let (engine, heard) = (self.http().socket, Arc::clone(&said));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                pass(client, &engine, &heard);
            }
        });
        Recorder { host: self, socket, said }
    }
}

impl<'a> Recorder<'a> {
    /// A client program that speaks through the recorder.
    pub fn client(&self, cli: Cli) -> Client<'a> {
        Client::at(self.host, cli, &self.socket)
    }

    /// The statuses of 400 and above that were answered since the last call, in order.
    pub fn refusals(&self) -> Vec<u16> {
        let connections = self.said.lock().map(|mut all| std::mem::take(&mut *all));
        let connections = connections.unwrap_or_default();
        let texts = connections.iter().filter_map(|said| said.lock().ok().map(|s| s.clone()));
        texts.flat_map(|bytes| statuses(&bytes)).filter(|status| *status >= 400).collect()
    }
}

/// Passes a connection on, both ways, and listens.
fn pass(client: UnixStream, engine: &Path, heard: &Mutex<Vec<Said>>) {
    let Ok(server) = UnixStream::connect(engine) else { return };
    let (Ok(from_client), Ok(to_client)) = (client.try_clone(), client.try_clone()) else { return };
    let (Ok(from_server), Ok(to_server)) = (server.try_clone(), server.try_clone()) else { return };
    let said = Said::default();
    if let Ok(mut all) = heard.lock() {
        all.push(Arc::clone(&said));
    }
    thread::spawn(move || copy(from_client, to_server, None));
    thread::spawn(move || copy(from_server, to_client, Some(&said)));
}

fn copy(mut from: UnixStream, mut to: UnixStream, said: Option<&Said>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if let Some(mut said) = said.and_then(|said| said.lock().ok()) {
            said.extend_from_slice(&buffer[..count]);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The statuses in what an engine said on a connection that may be used many times.
fn statuses(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_a_connection_counts() {
        let bytes =
            b"HTTP/1.1 200 OK\r\n\r\n{}HTTP/1.1 404 Not Found\r\n\r\nHTTP/1.1 204 No Content";
        assert_eq!(statuses(bytes), [200, 404, 204]);
    }
}
