//! Bytes from one TCP connection to another: the first are copied, the rest go through a pipe
//! without leaving the kernel.
//!
//! In: two connections. Out: how it ended. Most connections are short, and a pipe costs more than
//! copying their few bytes: it is made when a direction has carried [`COPIED`] bytes.

use std::io;
use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Bytes of a direction that are copied.
const COPIED: usize = 64 << 10;

/// Size of the buffer, in bytes.
const BUFFER: usize = 8 << 10;

/// Size asked for a pipe, in bytes; the kernel's own (64 KiB) will do where it refuses.
const PIPE: usize = 256 << 10;

/// Carries everything until `from` ends.
pub(crate) async fn pump(from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    match copy(from, to).await? {
        End::Reached => Ok(()),
        End::Beyond => through_pipe(from, to).await,
    }
}

enum End {
    Reached,
    Beyond,
}

async fn copy(from: &TcpStream, to: &TcpStream) -> io::Result<End> {
    let mut buffer = [0; BUFFER];
    let mut copied = 0;
    while copied < COPIED {
        let read = from.async_io(Interest::READABLE, || from.try_read(&mut buffer)).await?;
        if read == 0 {
            return Ok(End::Reached);
        }
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            let written = to.async_io(Interest::WRITABLE, || to.try_write(rest)).await?;
            rest = &rest[written..];
        }
        copied += read;
    }
    Ok(End::Beyond)
}

async fn through_pipe(from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    let (out, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let size = fcntl_setpipe_size(&into, PIPE).unwrap_or(64 << 10);
    loop {
        // The pipe is empty here, so only the connection can be what has to be waited for.
        let mut held = from.async_io(Interest::READABLE, || fill(from, &into, size)).await?;
        if held == 0 {
            return Ok(());
        }
        while held > 0 {
            held -= to.async_io(Interest::WRITABLE, || drain(&out, to, held)).await?;
        }
    }
}

fn fill(from: &TcpStream, into: &OwnedFd, size: usize) -> io::Result<usize> {
    Ok(splice(from, None, into, None, size, flags())?)
}

fn drain(out: &OwnedFd, to: &TcpStream, held: usize) -> io::Result<usize> {
    Ok(splice(out, None, to, None, held, flags())?)
}

fn flags() -> SpliceFlags {
    SpliceFlags::MOVE | SpliceFlags::NONBLOCK
}
