//! The streams between a client and a container's process.
//!
//! In: the runtime's connections, which may come later (a client attaches before the start). Out:
//! a stream of output and a way for input that looks for the detach keys. Frames of the wire
//! format are the edge's business.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use hawser_runtime as runtime;
use tokio::sync::oneshot;

use super::detach::Filter;

/// Which output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Standard output; all output of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Output as it comes; ends when the process has closed it, or the client detached.
pub type OutputStream = Pin<Box<dyn Stream<Item = io::Result<(StreamKind, Bytes)>> + Send>>;

/// A client joined to a process.
pub struct Attachment {
    /// Whether there is a terminal: output is then one raw stream.
    pub tty: bool,
    /// Output.
    pub output: OutputStream,
    /// Input, if asked for and open.
    pub input: Option<AttachInput>,
}

/// What became of written input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was passed on.
    Open,
    /// The detach keys were in it: the output stream ends now, and so should the connection.
    Detached,
    /// The process does not read any more: further input is pointless, output may go on.
    Closed,
}

/// What a client wants of a connection.
pub(crate) struct Wants {
    pub(crate) tty: bool,
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// Whether the end of the client's input is the end of the process's.
    pub(crate) close_stdin: bool,
    /// Keys that detach; none detaches never.
    pub(crate) detach_keys: Vec<u8>,
    /// Called when the client detaches.
    pub(crate) on_detach: Box<dyn FnOnce() + Send>,
}

/// A client that waits for a connection to the process.
pub(crate) struct Waiting {
    output: oneshot::Sender<runtime::Output>,
    input: Option<oneshot::Sender<runtime::Input>>,
}

impl Waiting {
    /// Whether it writes to the process.
    pub(crate) fn wants_input(&self) -> bool {
        self.input.is_some()
    }

    /// Gives the client its connection; one that has gone away meanwhile does not matter.
    pub(crate) fn join(self, connection: runtime::Attachment) {
        let _ = self.output.send(connection.output);
        if let Some(input) = self.input {
            let _ = input.send(connection.input);
        }
    }
}

/// The way to a process's standard input.
pub struct AttachInput {
    connection: Connection,
    keys: Filter,
    close_stdin: bool,
    detach: Option<oneshot::Sender<()>>,
    on_detach: Option<Box<dyn FnOnce() + Send>>,
}

enum Connection {
    /// The process is not there yet.
    Coming(oneshot::Receiver<runtime::Input>),
    Open(runtime::Input),
    /// It will not come, or the process has ended.
    Closed,
}

impl Attachment {
    /// A client's side, and what connects it to the process when that is there.
    pub(crate) fn new(wants: Wants) -> (Waiting, Self) {
        let (output, output_comes) = oneshot::channel();
        let (input, input_comes) = oneshot::channel();
        let (detach, detached) = oneshot::channel();
        let Wants { tty, stdin, stdout, stderr, .. } = wants;
        let waiting = Waiting { output, input: stdin.then_some(input) };
        let input = stdin.then(|| AttachInput {
            connection: Connection::Coming(input_comes),
            keys: Filter::new(if tty { wants.detach_keys } else { Vec::new() }),
            close_stdin: wants.close_stdin,
            detach: Some(detach),
            on_detach: Some(wants.on_detach),
        });
        // Nobody sends the output if the process never comes: the stream is then empty.
        let output = stream::once(output_comes)
            .filter_map(|output| std::future::ready(output.ok()))
            .flat_map(move |output| output_stream(output, stdout, stderr))
            .take_until(was_sent(detached));
        (waiting, Self { tty, output: Box::pin(output), input })
    }

    /// A client's side of a connection that is there.
    pub(crate) fn joined(wants: Wants, connection: runtime::Attachment) -> Self {
        let (waiting, attachment) = Self::new(wants);
        waiting.join(connection);
        attachment
    }
}

/// Ends when something is sent; a sender that goes away without sending is no end.
async fn was_sent(receiver: oneshot::Receiver<()>) {
    if receiver.await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn output_stream(
    output: runtime::Output,
    stdout: bool,
    stderr: bool,
) -> impl Stream<Item = io::Result<(StreamKind, Bytes)>> {
    stream::unfold(Some(output), move |output| async move {
        let mut output = output?;
        loop {
            match output.next().await {
                Ok(Some(chunk)) => {
                    let kind = StreamKind::from(chunk.stream);
                    if if kind == StreamKind::Stdout { stdout } else { stderr } {
                        return Some((Ok((kind, chunk.data)), Some(output)));
                    }
                }
                Ok(None) => return None,
                Err(e) => return Some((Err(e), None)),
            }
        }
    })
}

impl From<runtime::Stream> for StreamKind {
    fn from(stream: runtime::Stream) -> Self {
        match stream {
            runtime::Stream::Stdout => Self::Stdout,
            runtime::Stream::Stderr => Self::Stderr,
        }
    }
}

impl AttachInput {
    /// Passes input on, looking for the detach keys. Waits for the process if it is not there yet.
    ///
    /// # Errors
    /// Any of the socket to the process.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<Progress> {
        let (bytes, detached) = self.keys.pass(bytes);
        if !bytes.is_empty() {
            let Some(input) = self.input().await else { return Ok(Progress::Closed) };
            match input.write(&bytes).await {
                Ok(()) => {}
                Err(e) if is_end(&e) => {
                    self.connection = Connection::Closed;
                    return Ok(Progress::Closed);
                }
                Err(e) => return Err(e),
            }
        }
        if !detached {
            return Ok(Progress::Open);
        }
        if let Some(on_detach) = self.on_detach.take() {
            on_detach();
        }
        // The output may have ended and gone by itself.
        let _ = self.detach.take().map(|detach| detach.send(()));
        Ok(Progress::Detached)
    }

    /// The client has no more input: closes the process's stdin if it is this client's to close.
    ///
    /// # Errors
    /// Any of the socket to the process.
    pub async fn close(mut self) -> io::Result<()> {
        if self.close_stdin
            && let Some(input) = self.input().await
        {
            input.close();
        }
        Ok(())
    }

    async fn input(&mut self) -> Option<&runtime::Input> {
        if let Connection::Coming(coming) = &mut self.connection {
            self.connection = match coming.await {
                Ok(input) => Connection::Open(input),
                Err(_) => Connection::Closed,
            };
        }
        match &self.connection {
            Connection::Open(input) => Some(input),
            _ => None,
        }
    }
}

/// Whether an error only says that the process has ended.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    )
}
