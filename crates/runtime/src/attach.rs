//! Output and input of a process under `conmon`.
//!
//! In: the folder of its sockets. Out: chunks of output, and a way to write to its input. The socket keeps message
//! boundaries: a message from `conmon` is one byte that names the stream, then data. Nothing is buffered here; a
//! client that does not read holds the process up, as a full pipe would.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::bundle::TerminalSize;
use crate::raw;

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output; everything of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it was written to.
    pub stream: Stream,
    /// What.
    pub data: Bytes,
}

/// One connection to a process. When both halves are dropped, the process's input is closed if it was created
/// with `stdin_once` and the connection was made with input.
#[derive(Debug)]
pub struct Attachment {
    /// What it writes.
    pub output: Output,
    /// What it reads.
    pub input: Input,
}

/// The reading half. It must be read or dropped: a full one holds the process up.
#[derive(Debug)]
pub struct Output {
    socket: Arc<Socket>,
    buffer: Vec<u8>,
}

/// The writing half.
#[derive(Debug, Clone)]
pub struct Input {
    socket: Arc<Socket>,
}

/// The open connections to one process.
#[derive(Debug, Default)]
pub(crate) struct Attachments(Mutex<Vec<Weak<Socket>>>);

/// The connection. `conmon` closes the process's input when it sees the end of *any* connection, also of one
/// that was made to watch only; such a one is kept open until the process ends.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: Option<AsyncFd<OwnedFd>>,
    /// Handle on `conmon`, when the socket is to be kept open.
    keep_for: Option<OwnedFd>,
}

/// Longest message of any version of `conmon`, with room.
const RECEIVE: usize = 64 << 10;
/// `conmon` cuts longer ones off.
const SEND: usize = 8 << 10;
const STDOUT: u8 = 2;
const STDERR: u8 = 3;

impl Attachment {
    /// Connects to the process whose sockets are in `dir`. `keep_for`: see [`Socket`].
    pub(crate) async fn connect(dir: &Path, keep_for: Option<OwnedFd>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = SocketType::SEQPACKET;
        let fd = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)?;
        // By way of a descriptor: the path itself may be longer than an address can be.
        let folder = rustix::fs::open(dir, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let path = format!("/proc/self/fd/{}/attach", folder.as_raw_fd());
        connect(&fd, &SocketAddrUnix::new(path)?).await?;
        let fd = raw::watch(fd, Interest::READABLE | Interest::WRITABLE)?;
        let socket = Arc::new(Socket { fd: Some(fd), keep_for });
        let output = Output { socket: Arc::clone(&socket), buffer: vec![0; RECEIVE] };
        Ok(Self { output, input: Input { socket } })
    }
}

/// The queue of connections to be accepted is short, and `conmon` accepts none while it creates the container.
async fn connect(fd: &OwnedFd, address: &SocketAddrUnix) -> io::Result<()> {
    for _ in 0..500 {
        match rustix::net::connect(fd, address) {
            Err(rustix::io::Errno::AGAIN) => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            outcome => return outcome.map_err(Into::into),
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

impl Socket {
    fn fd(&self) -> io::Result<&AsyncFd<OwnedFd>> {
        self.fd.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn shutdown(&self, how: Shutdown) {
        if let Some(fd) = &self.fd
            && let Err(error) = rustix::net::shutdown(fd.get_ref(), how)
        {
            tracing::debug!(%error, "cannot shut an attachment down");
        }
    }

    /// Takes no more output. `conmon` may be waiting for room at this moment: what is there is thrown away, so that
    /// it wakes up and sees.
    fn close_output(&self) {
        self.shutdown(Shutdown::Read);
        let Some(fd) = &self.fd else { return };
        let mut waste = [0; 1];
        let flags = RecvFlags::DONTWAIT;
        while rustix::net::recv(fd.get_ref(), &mut waste, flags).is_ok_and(|(length, _)| length > 0)
        {
        }
    }
}

impl Attachments {
    /// Remembers a connection as long as it is open.
    pub(crate) fn add(&self, attachment: &Attachment) {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.push(Arc::downgrade(&attachment.output.socket));
    }

    /// Takes no more output on any: `conmon` waits for clients that do not read even when its container has ended.
    pub(crate) fn close_outputs(&self) {
        let sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            socket.close_output();
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let (Some(fd), Some(conmon)) = (self.fd.take(), self.keep_for.take())
            && let Ok(tokio) = tokio::runtime::Handle::try_current()
        {
            tokio.spawn(async move {
                if let Err(error) = crate::process::ended(&conmon).await {
                    tracing::debug!(%error, "cannot wait for conmon");
                }
                drop(fd);
            });
        }
    }
}

impl Output {
    /// The next piece; `None` when the process has ended.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> io::Result<Option<Chunk>> {
        let Self { socket, buffer } = self;
        let fd = socket.fd()?;
        loop {
            let receive = |fd: &OwnedFd| {
                let (length, _) = rustix::net::recv(fd, &mut buffer[..], RecvFlags::empty())?;
                Ok(length)
            };
            let length = match fd.async_io(Interest::READABLE, receive).await {
                // What conmon had not read when it ended, we learn as a reset.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
                length => length?,
            };
            let stream = match buffer[..length].first() {
                None => return Ok(None),
                Some(&STDOUT) => Stream::Stdout,
                Some(&STDERR) => Stream::Stderr,
                Some(_) => continue,
            };
            return Ok(Some(Chunk { stream, data: Bytes::copy_from_slice(&buffer[1..length]) }));
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.socket.close_output();
    }
}

impl Input {
    /// Writes all.
    ///
    /// # Errors
    /// The connection broke: the process has ended.
    pub async fn write(&self, data: &[u8]) -> io::Result<()> {
        let fd = self.socket.fd()?;
        for message in data.chunks(SEND) {
            let send = |fd: &OwnedFd| Ok(rustix::net::send(fd, message, SendFlags::NOSIGNAL)?);
            fd.async_io(Interest::WRITABLE, send).await?;
        }
        Ok(())
    }

    /// Closes the process's standard input (when it was created with `stdin_once`); output goes on.
    pub fn close(&self) {
        self.socket.shutdown(Shutdown::Write);
    }
}

/// Asks the `conmon` whose fifo is in `dir` to set the size of the terminal.
pub(crate) fn resize(dir: &Path, size: TerminalSize) -> io::Result<()> {
    /// conmon refuses more.
    const MOST: u16 = 1000;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fifo = rustix::fs::open(dir.join("ctl"), flags, Mode::empty())?;
    let message = format!("1 {} {}\n", size.height.min(MOST), size.width.min(MOST));
    rustix::io::write(&fifo, message.as_bytes())?;
    Ok(())
}
