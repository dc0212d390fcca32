//! Notices that the client of an upgraded connection is gone, without writing to it.
//!
//! In: an upgraded connection. Out: its two halves, and a [`Hangup`] to wait for. A client that
//! ended its input only is not gone: on a unix socket the kernel tells the two apart (POLLHUP). On
//! other transports only a failing write does.

use std::io::{self, Cursor};
use std::os::fd::AsFd;

use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest};
use tokio::net::UnixStream;

type Reader = Box<dyn AsyncRead + Unpin + Send>;
type Writer = Box<dyn AsyncWrite + Unpin + Send>;

/// The halves of a connection, and the way to notice its end.
pub fn split(connection: Upgraded) -> (Reader, Writer, Hangup) {
    match connection.downcast::<TokioIo<UnixStream>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let stream = io.into_inner();
            let hangup = Hangup(second(&stream).ok());
            let (from, to) = stream.into_split();
            (Box::new(Cursor::new(read_buf).chain(from)), Box::new(to), hangup)
        }
        Err(connection) => {
            let (from, to) = tokio::io::split(TokioIo::new(connection));
            (Box::new(from), Box::new(to), Hangup(None))
        }
    }
}

/// A second handle, whose readiness may be cleared without the first one's writer missing it.
fn second(stream: &UnixStream) -> io::Result<UnixStream> {
    let descriptor = stream.as_fd().try_clone_to_owned()?;
    UnixStream::from_std(descriptor.into())
}

/// The end of a connection.
pub struct Hangup(Option<UnixStream>);

impl Hangup {
    /// Returns when the client is gone; never where that cannot be noticed.
    pub async fn wait(self) {
        let Some(stream) = self.0 else { return std::future::pending().await };
        loop {
            match stream.ready(Interest::WRITABLE).await {
                Ok(ready) if !ready.is_write_closed() => {}
                _ => return,
            }
            // Says that it was not writable, so that the next change is waited for.
            let nothing = stream.try_io(Interest::WRITABLE, || -> io::Result<()> {
                Err(io::ErrorKind::WouldBlock.into())
            });
            debug_assert!(nothing.is_err());
        }
    }
}
