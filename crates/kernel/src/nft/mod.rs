//! Our nftables tables over raw nfnetlink: the skeleton as a whole, and its elements.
//!
//! In: elements to add and remove. Out: one atomic transaction, or a dump. What the sets mean is
//! written in the skeleton, not here.

mod compile;
mod element;
mod firewall;
mod interval;
mod lead;
mod table;
mod trace;

use hawser_hoststate::{Element, ElementData, SetName, TableFamily};

use crate::error::{Cause, Error, ErrorKind};
use crate::netlink::number::*;
use crate::netlink::{Message, Refusal, Socket, attributes};

pub(crate) use firewall::Firewall;
pub use firewall::{Ownership, Repairs};
pub(crate) use lead::{Lead, lead, mislead};
pub(crate) use table::FAMILIES;
pub(crate) use trace::obstacles;
pub use trace::{Obstacle, Packet};

/// The name of our tables.
pub(crate) const TABLE: &str = "hawser";

/// One step of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Place of the change that asked for it.
    pub(crate) change: usize,
    /// Whether the element is added or removed.
    pub(crate) add: bool,
    pub(crate) element: Element,
    pub(crate) data: ElementData,
}

/// Elements of one message, at most: an attribute has 64 KiB, an element less than 128 bytes.
const TOGETHER: usize = 256;

/// Does all steps or none. Adding an equal element and removing an absent one are no errors.
/// A failure comes with the place of the change that caused it.
pub(crate) fn transact(socket: &mut Socket, mut steps: Vec<Step>) -> Result<(), (usize, Error)> {
    if steps.len() > TOGETHER && commit_together(socket, &steps) {
        return Ok(());
    }
    while let Some(first) = steps.first() {
        let first_change = first.change;
        let fail = |cause| (first_change, Error::new("change", "nftables elements", cause));
        let refused = commit(socket, steps.chunks(1).map(encode).collect()).map_err(fail)?;
        // Absent elements make the whole transaction fail: leave them out and send it again.
        let (absent, failed): (Vec<_>, Vec<_>) = refused.into_iter().partition(|r| {
            r.errno == libc::ENOENT && steps.get(r.position).is_some_and(|s| !s.add)
        });
        if let Some(refusal) = failed.into_iter().next() {
            return Err(explain(&steps, refusal));
        }
        if absent.is_empty() {
            return Ok(());
        }
        let absent: Vec<_> = absent.into_iter().map(|refusal| refusal.position).collect();
        let mut position = 0..;
        steps.retain(|_| position.next().is_some_and(|position| !absent.contains(&position)));
    }
    Ok(())
}

/// Does all steps with few messages, which costs half of what a message for each does; false when it
/// is refused: the kernel does not say which element of a message it means.
fn commit_together(socket: &mut Socket, steps: &[Step]) -> bool {
    let of_one = |a: &Step, b: &Step| (a.add, a.element.set()) == (b.add, b.element.set());
    let runs = steps.chunk_by(of_one).flat_map(|run| run.chunks(TOGETHER));
    commit(socket, runs.map(encode).collect()).is_ok_and(|refused| refused.is_empty())
}

/// Sends one transaction; positions of refusals are those of `messages`.
fn commit(socket: &mut Socket, messages: Vec<Message>) -> Result<Vec<Refusal>, Cause> {
    let last = messages.len();
    let mut all = Vec::with_capacity(last + 2);
    all.push(boundary(libc::NFNL_MSG_BATCH_BEGIN));
    all.extend(messages);
    all.push(boundary(libc::NFNL_MSG_BATCH_END));
    let refused = socket.send_and_collect(&mut all, last)?;
    let position = |refusal: Refusal| match refusal.position.checked_sub(1) {
        Some(position) => Ok(Refusal { position, ..refusal }),
        None => Err(refusal.into()),
    };
    refused.into_iter().map(position).collect()
}

fn explain(steps: &[Step], refusal: Refusal) -> (usize, Error) {
    let Some(step) = steps.get(refusal.position) else {
        return (0, Error::new("change", "nftables elements", refusal));
    };
    let operation = if step.add { "add" } else { "remove" };
    let object = format!("element of set {}: {:?}", step.element.set().as_str(), step.element);
    let errno = refusal.errno;
    let error = Error::new(operation, object, refusal);
    let error = match errno {
        libc::ENOENT => error.with_hint("somebody deleted it or its table"),
        libc::EBUSY | libc::ENOTEMPTY => error.with_kind(ErrorKind::Exists),
        _ => error,
    };
    (step.change, error)
}

/// The elements of all sets; none when there is no table.
pub(crate) fn elements(socket: &mut Socket) -> Result<Vec<(Element, ElementData)>, Error> {
    let mut all = Vec::new();
    for set in SetName::ALL {
        all.extend(elements_of(socket, set).map_err(|cause| {
            Error::new("read", format!("nftables set {}", set.as_str()), cause)
        })?);
    }
    Ok(all)
}

fn elements_of(socket: &mut Socket, set: SetName) -> Result<Vec<(Element, ElementData)>, Cause> {
    let mut message = message(libc::NFT_MSG_GETSETELEM, family_of(set), 0);
    message.text(NFTA_SET_ELEM_LIST_TABLE, TABLE).text(NFTA_SET_ELEM_LIST_SET, set.as_str());
    let dumped = match socket.dump(&message) {
        Err(cause) if cause.errno() == Some(libc::ENOENT) => return Ok(Vec::new()),
        dumped => dumped?,
    };
    let lists = dumped.iter().filter_map(|payload| {
        attributes(payload.get(NFGENMSG..)?).value_of(NFTA_SET_ELEM_LIST_ELEMENTS)
    });
    let raw: Vec<_> =
        lists.flat_map(attributes).map(|(_, value)| element::Raw::read(value)).collect();
    Ok(match set {
        SetName::Masquerade4 | SetName::Masquerade6 | SetName::Source4 | SetName::Source6 => {
            interval::decode(set, &raw)
        }
        _ => raw.iter().filter_map(|raw| element::decode(set, raw)).collect(),
    })
}

/// Length of `struct nfgenmsg`.
pub(crate) const NFGENMSG: usize = 4;

fn message(kind: i32, family: u8, flags: i32) -> Message {
    let mut message = Message::new((libc::NFNL_SUBSYS_NFTABLES << 8 | kind) as u16, flags);
    message.raw(&[family, libc::NFNETLINK_V0 as u8, 0, 0]);
    message
}

/// Family of the table that a set is in.
fn family_of(set: SetName) -> u8 {
    match set.family() {
        TableFamily::Inet => NFPROTO_INET,
        TableFamily::Bridge => NFPROTO_BRIDGE,
    }
}

fn boundary(kind: i32) -> Message {
    let subsystem = (libc::NFNL_SUBSYS_NFTABLES as u16).to_be_bytes();
    let mut message = Message::new(kind as u16, 0);
    message.raw(&[libc::AF_UNSPEC as u8, libc::NFNETLINK_V0 as u8]).raw(&subsystem);
    message
}

/// One message for steps that all add to, or all take from, the same set.
fn encode(steps: &[Step]) -> Message {
    let step = &steps[0];
    let (kind, flags) = if step.add {
        (libc::NFT_MSG_NEWSETELEM, libc::NLM_F_CREATE)
    } else {
        (libc::NFT_MSG_DELSETELEM, 0)
    };
    let mut message = message(kind, family_of(step.element.set()), flags);
    message
        .text(NFTA_SET_ELEM_LIST_TABLE, TABLE)
        .text(NFTA_SET_ELEM_LIST_SET, step.element.set().as_str())
        .nest(NFTA_SET_ELEM_LIST_ELEMENTS, |list| {
            steps.iter().for_each(|step| element::encode(list, &step.element, step.data));
        });
    message
}
