//! Joins our standard streams to a container's until it, or the user, is done.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::demux::{Demux, Stream};
use super::keys::{Typed, Watch};
use crate::client::Hijacked;

/// Which streams are joined, and how.
pub struct Session {
    /// Send our standard input.
    pub stdin: bool,
    /// Show the output; without, only the end of the input is waited for.
    pub output: bool,
    /// The container has a terminal: its output is one stream as it is.
    pub tty: bool,
    /// The sequence that detaches; empty if nothing does.
    pub detach_keys: Vec<u8>,
}

/// Why a session ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The container closed its output, or there is no more input.
    Closed,
    /// The user typed the sequence that detaches.
    Detached,
}

impl Session {
    /// Runs the session on a connection that was handed over.
    pub async fn run(&self, connection: Hijacked) -> io::Result<End> {
        let (mut from, mut to) = tokio::io::split(connection);
        let output = async {
            let mut screen = Screen::new(self.tty);
            let mut buffer = vec![0; 32 << 10];
            loop {
                match from.read(&mut buffer).await? {
                    0 => return Ok(End::Closed),
                    n => screen.show(&buffer[..n]).await?,
                }
            }
        };
        let input = async {
            match self.stdin {
                true => self.send_input(&mut to).await,
                false => Ok(End::Closed),
            }
        };
        tokio::pin!(output, input);
        tokio::select! {
            end = &mut output => end,
            end = &mut input => match end? {
                End::Closed if self.output => output.await,
                end => Ok(end),
            },
        }
    }

    async fn send_input(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<End> {
        let mut watch = Watch::new(self.detach_keys.clone());
        let mut typed = read_stdin();
        while let Some(bytes) = typed.recv().await {
            let (bytes, detach) = match watch.feed(&bytes) {
                Typed::Input(bytes) => (bytes, false),
                Typed::Detach(bytes) => (bytes, true),
            };
            // The container need not read what is sent to it: that its end is closed is no
            // failure of ours, its output says how it ended.
            if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
                return Ok(End::Closed);
            }
            if detach {
                return Ok(End::Detached);
            }
        }
        // The end of our input is the end of the container's, and its output still comes.
        let _ = to.shutdown().await;
        Ok(End::Closed)
    }
}

/// Reads the standard input in a thread of its own, which nothing waits for: a read from a
/// terminal cannot be called off.
fn read_stdin() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 32 << 10];
        loop {
            match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(n) if n > 0 && sender.blocking_send(buffer[..n].to_vec()).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

/// Shows a container's output on ours.
pub struct Screen {
    demux: Option<Demux>,
    out: tokio::io::Stdout,
    err: tokio::io::Stderr,
}

impl Screen {
    /// For a container with or without a terminal.
    pub fn new(tty: bool) -> Self {
        let demux = (!tty).then(Demux::default);
        Self { demux, out: tokio::io::stdout(), err: tokio::io::stderr() }
    }

    /// Shows what came.
    pub async fn show(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(demux) = &mut self.demux else {
            self.out.write_all(bytes).await?;
            return self.out.flush().await;
        };
        loop {
            match demux.next(&mut bytes) {
                Ok(None) => return Ok(()),
                Ok(Some((Stream::Out, payload))) => {
                    self.out.write_all(payload).await?;
                    self.out.flush().await?;
                }
                Ok(Some((Stream::Err, payload))) => {
                    self.err.write_all(payload).await?;
                    self.err.flush().await?;
                }
                Ok(Some((Stream::Engine, payload))) => {
                    let message = String::from_utf8_lossy(payload);
                    return Err(io::Error::other(format!(
                        "error from daemon in stream: {message}"
                    )));
                }
                Err(byte) => {
                    return Err(io::Error::other(format!("unrecognized input header: {byte}")));
                }
            }
        }
    }
}
