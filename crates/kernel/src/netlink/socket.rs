//! A netlink socket: sends messages, collects acknowledgements and dumps.
//!
//! In: [`Message`]s. Out: refusals by position, or payloads. The kernel answers before `send`
//! returns, so nothing here waits long; a lost answer is an error after [`PATIENCE`].

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::attribute::{attributes, text};
use super::message::{HEADER, Message};
use super::number::NLMSGERR_ATTR_MSG;
use crate::error::Cause;
use crate::sys;

/// How long an answer may take. Deleting a thousand links at once takes about a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages sent at once where the batch needs not be atomic: their errors fit the receive buffer.
const AT_ONCE: usize = 100;
/// Limit, not reservation, of both buffers: an atomic batch of some 50,000 elements.
const BUFFER_LIMIT: usize = 16 << 20;
/// Limit of the notices that wait to be heard: those of some hundred changes.
const NOTICES_LIMIT: usize = 1 << 20;
/// The kernel's dumps come in pieces of at most 32 KiB.
const RECEIVE: usize = 64 << 10;
/// A dump that was changed under way is read again, this often.
const DUMP_ATTEMPTS: usize = 10;

/// A message that the kernel refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Its place in the batch.
    pub(crate) position: usize,
    /// The error number, positive.
    pub(crate) errno: i32,
    /// The kernel's explanation, often empty.
    pub(crate) text: String,
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { errno: refusal.errno, text: refusal.text }
    }
}

/// A netlink socket; it belongs to the namespace that it was opened in.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

struct Frame<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

impl Socket {
    /// A socket for links, addresses, routes and neighbours.
    pub(crate) fn route() -> io::Result<Self> {
        Self::open(None)
    }

    /// A socket for nftables and connection tracking.
    pub(crate) fn netfilter() -> io::Result<Self> {
        let socket = Self::open(Some(rustix::net::netlink::NETFILTER))?;
        // Without the right to pass the limits, only very large batches are lost.
        let _ = sockopt::set_socket_send_buffer_size_force(&socket.fd, BUFFER_LIMIT);
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket.fd, BUFFER_LIMIT);
        Ok(socket)
    }

    /// A socket that hears what changes, by the groups' numbers (`RTNLGRP_*`).
    pub(crate) fn notices(groups: &[u32]) -> io::Result<Self> {
        Self::open(None)?.listen(groups)
    }

    /// The same of netfilter (`NFNLGRP_*`); `prepare` is done before anything is heard.
    pub(crate) fn netfilter_notices(
        groups: &[u32],
        prepare: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let socket = Self::open(Some(rustix::net::netlink::NETFILTER))?;
        prepare(socket.fd.as_fd())?;
        socket.listen(groups)
    }

    fn listen(self, groups: &[u32]) -> io::Result<Self> {
        let socket = self;
        // Without the right to pass the limit, more is lost, which is noticed.
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket.fd, NOTICES_LIMIT);
        // One without an address hears nothing.
        rustix::net::bind(&socket.fd, &SocketAddrNetlink::new(0, 0))?;
        groups.iter().try_for_each(|group| sys::join_group(socket.fd.as_fd(), *group))?;
        Ok(socket)
    }

    /// The number by which the kernel knows the socket; it has one from now on.
    pub(crate) fn port_id(&self) -> io::Result<u32> {
        // Refused when it has one, from what it sent.
        let _ = rustix::net::bind(&self.fd, &SocketAddrNetlink::new(0, 0));
        let address = rustix::net::getsockname(&self.fd)?;
        Ok(SocketAddrNetlink::try_from(address)?.pid())
    }

    /// Waits until there is something to read, or no longer than that.
    pub(crate) fn wait(&self, patience: Duration) -> io::Result<()> {
        let mut wanted = [PollFd::new(&self.fd, PollFlags::IN)];
        let patience = Timespec::try_from(patience).ok();
        match rustix::event::poll(&mut wanted, patience.as_ref()) {
            Err(rustix::io::Errno::INTR) | Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the notices that are waiting: their types and payloads.
    pub(crate) fn hear(&mut self, mut each: impl FnMut(u16, &[u8])) -> Result<(), Cause> {
        self.buffer.resize(RECEIVE, 0);
        loop {
            let (fd, buffer) = (&self.fd, &mut self.buffer[..]);
            let received = rustix::io::retry_on_intr(|| {
                rustix::net::recv(fd, &mut *buffer, RecvFlags::DONTWAIT)
            });
            let length = match received {
                Ok((length, _)) => length.min(RECEIVE),
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(Cause::Os(error.into())),
            };
            Frames { bytes: &self.buffer[..length] }
                .for_each(|frame| each(frame.kind, frame.payload));
        }
    }

    fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let kind = SocketType::RAW;
        let fd =
            rustix::net::socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, protocol)?;
        sys::enable_netlink_option(fd.as_fd(), libc::NETLINK_EXT_ACK)?;
        // Errors without a copy of the message: a batch of errors fits the receive buffer.
        sys::enable_netlink_option(fd.as_fd(), libc::NETLINK_CAP_ACK)?;
        sockopt::set_socket_timeout(&fd, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { fd, sequence: 0, buffer: Vec::new() })
    }

    /// Sends requests, in portions, and returns what was refused. The kernel goes on after an
    /// error, so messages after a refused one have been tried too.
    pub(crate) fn batch(&mut self, messages: &mut [Message]) -> Result<Vec<Refusal>, Cause> {
        let mut refused = Vec::new();
        for (portion, chunk) in messages.chunks_mut(AT_ONCE).enumerate() {
            let offset = portion * AT_ONCE;
            let found = self.send_and_collect(chunk, chunk.len() - 1)?;
            refused
                .extend(found.into_iter().map(|r| Refusal { position: r.position + offset, ..r }));
        }
        Ok(refused)
    }

    /// Sends all messages at once; the message at `last` is the last that is acknowledged.
    pub(crate) fn send_and_collect(
        &mut self,
        messages: &mut [Message],
        last: usize,
    ) -> Result<Vec<Refusal>, Cause> {
        let first = self.next_sequence(messages.len());
        let atomic = messages[0].kind() == libc::NFNL_MSG_BATCH_BEGIN as u16;
        let mut bytes = Vec::with_capacity(messages.len() * 128);
        for (position, message) in messages.iter_mut().enumerate() {
            let ack = if position == last { libc::NLM_F_ACK } else { 0 };
            bytes.extend_from_slice(message.finish(first.wrapping_add(position as u32), ack));
        }
        self.send(&bytes)?;
        let mut refused = Vec::new();
        self.receive(|frame| {
            let position = frame.sequence.wrapping_sub(first) as usize;
            if position >= messages.len() || frame.kind != libc::NLMSG_ERROR as u16 {
                return Ok(false);
            }
            if let Some((errno, text)) = refusal(&frame) {
                refused.push(Refusal { position, errno, text });
                // A transaction that fails as a whole is reported under its first message.
                return Ok(position == last || (position == 0 && atomic));
            }
            Ok(position == last)
        })?;
        Ok(refused)
    }

    /// Sends one request and returns once it is acknowledged.
    pub(crate) fn request(&mut self, message: Message) -> Result<(), Cause> {
        match self.send_and_collect(&mut [message], 0)?.pop() {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    /// Asks for one object and returns its payload.
    pub(crate) fn get(&mut self, mut message: Message) -> Result<Vec<u8>, Cause> {
        let sequence = self.next_sequence(1);
        self.send(message.finish(sequence, 0))?;
        let mut answer = Vec::new();
        self.receive(|frame| {
            if frame.sequence != sequence {
                return Ok(false);
            }
            if frame.kind != libc::NLMSG_ERROR as u16 {
                answer = frame.payload.to_vec();
            } else if let Some((errno, text)) = refusal(&frame) {
                return Err(Cause::Refused { errno, text });
            }
            Ok(true)
        })?;
        Ok(answer)
    }

    /// Dumps a table: the payload of every object. Read again when it changed under way.
    pub(crate) fn dump(&mut self, message: &Message) -> Result<Vec<Vec<u8>>, Cause> {
        for _ in 0..DUMP_ATTEMPTS {
            let (objects, interrupted) = self.dump_once(message.clone())?;
            if !interrupted {
                return Ok(objects);
            }
        }
        Err(Cause::Unexpected("the table changes faster than it can be read".to_owned()))
    }

    fn dump_once(&mut self, mut message: Message) -> Result<(Vec<Vec<u8>>, bool), Cause> {
        let sequence = self.next_sequence(1);
        self.send(message.finish(sequence, libc::NLM_F_DUMP))?;
        let (mut objects, mut interrupted) = (Vec::new(), false);
        self.receive(|frame| {
            if frame.sequence != sequence {
                return Ok(false);
            }
            interrupted |= frame.flags & libc::NLM_F_DUMP_INTR as u16 != 0;
            if frame.kind == libc::NLMSG_DONE as u16 || frame.kind == libc::NLMSG_ERROR as u16 {
                return match refusal(&frame) {
                    Some((libc::EINTR, _)) | None => Ok(true),
                    Some((errno, text)) => Err(Cause::Refused { errno, text }),
                };
            }
            objects.push(frame.payload.to_vec());
            Ok(false)
        })?;
        Ok((objects, interrupted))
    }

    fn next_sequence(&mut self, count: usize) -> u32 {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count as u32);
        first
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Cause> {
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, bytes, SendFlags::empty()))
            .map(|_| ())
            .map_err(|error| Cause::Os(error.into()))
    }

    /// Reads frames until `done` says so.
    fn receive(
        &mut self,
        mut done: impl FnMut(Frame<'_>) -> Result<bool, Cause>,
    ) -> Result<(), Cause> {
        // Sockets in namespaces live for one operation: the buffer is made when first needed.
        self.buffer.resize(RECEIVE, 0);
        loop {
            let (fd, buffer) = (&self.fd, &mut self.buffer[..]);
            let (length, _) = rustix::io::retry_on_intr(|| {
                rustix::net::recv(fd, &mut *buffer, RecvFlags::empty())
            })
            .map_err(|error| Cause::Os(error.into()))?;
            for frame in (Frames { bytes: &self.buffer[..length.min(RECEIVE)] }) {
                if done(frame)? {
                    return Ok(());
                }
            }
        }
    }
}

/// Errno and text of an error frame (or of the end of a dump); none for an acknowledgement.
fn refusal(frame: &Frame<'_>) -> Option<(i32, String)> {
    let code = frame.payload.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    if code == 0 {
        return None;
    }
    let explained = frame.flags & libc::NLM_F_ACK_TLVS as u16 != 0;
    let extra = frame.payload.get(4 + HEADER..).filter(|_| explained).unwrap_or_default();
    let said = attributes(extra).value_of(NLMSGERR_ATTR_MSG).map(text).unwrap_or_default();
    Some((code.saturating_neg(), said))
}

struct Frames<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let header = self.bytes.first_chunk::<HEADER>()?;
        let u16_at = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
        let u32_at = |at: usize| {
            u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let length = u32_at(0) as usize;
        let payload = self.bytes.get(HEADER..length)?;
        let frame = Frame { kind: u16_at(4), flags: u16_at(6), sequence: u32_at(8), payload };
        self.bytes = self.bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(frame)
    }
}
