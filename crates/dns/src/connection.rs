//! One TCP connection of a sandbox (RFC 7766): any number of questions, answered as answers come.
//!
//! In: a stream. Out: framed replies, in any order. Who sends nothing whole, or takes nothing, is
//! left alone after a while; who sends what is no message, at once. It holds no more than it must
//! and reads no more while much is to be sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::buffer::with_datagram;
use crate::connections::Activity;
use crate::forward::Transport;
use crate::sandbox::{Outcome, Sandbox};
use crate::stream::{Frames, frame};

/// How long a connection may be silent, and how long it may take nothing.
const IDLE: Duration = Duration::from_secs(10);
/// How long a message may take to come.
const WHOLE: Duration = Duration::from_secs(5);
/// Bytes that are read at once.
const PIECE: usize = 4096;
/// With so many to send or so many questions with upstreams, nothing more is read.
const MUCH_TO_SEND: usize = 64 << 10;
/// See [`MUCH_TO_SEND`].
const MANY_ASKED: usize = 64;

/// A connection.
pub(crate) struct Connection {
    sandbox: Arc<Sandbox>,
    stream: TcpStream,
    frames: Frames,
    out: Vec<u8>,
    asked: FuturesUnordered<BoxFuture<'static, Vec<u8>>>,
    /// Since when a message is on its way.
    begun: Option<Instant>,
    /// When something last came whole or was taken.
    moved: Instant,
    /// The client sends nothing more; it may wait for answers.
    ended: bool,
}

/// What happens to a connection.
enum Event {
    Answer(Vec<u8>),
    Readable(io::Result<()>),
    Writable(io::Result<()>),
}

impl Connection {
    pub(crate) fn new(sandbox: Arc<Sandbox>, stream: TcpStream) -> Self {
        Self {
            sandbox,
            stream,
            frames: Frames::default(),
            out: Vec::new(),
            asked: FuturesUnordered::new(),
            begun: None,
            moved: Instant::now(),
            ended: false,
        }
    }

    /// Serves it until one of both sides has had enough.
    pub(crate) async fn serve(mut self, activity: Arc<Activity>) {
        loop {
            let busy = !self.asked.is_empty() || !self.out.is_empty();
            if self.ended && !busy {
                return;
            }
            let has_room = self.out.len() <= MUCH_TO_SEND;
            let much = !has_room || self.asked.len() > MANY_ASKED;
            let deadline = self.deadline();
            let event = tokio::select! {
                Some(reply) = self.asked.next(), if has_room && !self.asked.is_empty() => {
                    Event::Answer(reply)
                }
                ready = self.stream.readable(), if !much && !self.ended => Event::Readable(ready),
                ready = self.stream.writable(), if !self.out.is_empty() => Event::Writable(ready),
                () = sleep_until(deadline) => return,
            };
            let step = match event {
                Event::Answer(reply) => {
                    self.reply(&reply);
                    Ok(true)
                }
                Event::Readable(ready) => ready.and_then(|()| self.read()),
                Event::Writable(ready) => ready.and_then(|()| self.write()),
            };
            match step {
                Ok(true) => {
                    self.moved = Instant::now();
                    activity.note(!self.asked.is_empty() || !self.out.is_empty());
                }
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return tracing::debug!(%error, "connection"),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let idle = self.moved + IDLE;
        self.begun.map_or(idle, |begun| idle.min(begun + WHOLE))
    }

    /// Reads a piece; whether a message was whole by then.
    fn read(&mut self) -> io::Result<bool> {
        let stream = &self.stream;
        let receive = |buffer: &mut [u8]| {
            let piece = buffer.get_mut(..PIECE).unwrap_or_default();
            Ok((stream.try_read(piece)?, ()))
        };
        let (sandbox, frames) = (&self.sandbox, &mut self.frames);
        let mut outcomes = Vec::new();
        let pushed = with_datagram(receive, |piece, ()| {
            let push = frames.push(piece, |message| {
                outcomes.push(sandbox.look_up(message, Transport::Tcp, None));
            });
            push.map(|()| piece.is_empty())
        })?;
        self.ended = pushed.map_err(|_| io::Error::other("longer than any query"))?;
        let whole = !outcomes.is_empty();
        outcomes.into_iter().try_for_each(|outcome| self.take(outcome))?;
        self.begun = match self.frames.is_partial() {
            false => None,
            true if whole => Some(Instant::now()),
            true => self.begun.or_else(|| Some(Instant::now())),
        };
        Ok(whole)
    }

    fn take(&mut self, outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Silence => return Err(io::Error::other("not a query")),
            Outcome::Reply(reply) => self.reply(&reply),
            Outcome::Forward(pending) => {
                let sandbox = Arc::clone(&self.sandbox);
                self.asked.push(Box::pin(async move { sandbox.ask(*pending, None).await }));
            }
        }
        Ok(())
    }

    fn reply(&mut self, reply: &[u8]) {
        // What upstreams send has come over the same format: it fits.
        frame(&mut self.out, reply);
    }

    fn write(&mut self) -> io::Result<bool> {
        let sent = self.stream.try_write(&self.out)?;
        self.out.drain(..sent);
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        Ok(sent > 0)
    }
}
