//! Tracked connections in ctnetlink's words.
//!
//! In: an address. Out: its connections are forgotten, so that a new owner of the address, or of
//! a published port, does not get packets by an old translation.

use std::net::IpAddr;

use crate::address::{family, octets};
use crate::error::Error;
use crate::netlink::number::*;
use crate::netlink::{Message, Socket, attributes};

/// Length of `struct nfgenmsg`.
const NFGENMSG: usize = 4;

/// Deletes the connections from or to `address`, before or after translation; returns how many.
pub(crate) fn forget(socket: &mut Socket, address: IpAddr) -> Result<usize, Error> {
    let fail = |cause| Error::new("forget", format!("connections of {address}"), cause);
    let all = socket.dump(&message(IPCTNL_MSG_CT_GET, address)).map_err(fail)?;
    let wanted = octets(address);
    let mut deletions: Vec<_> = all
        .iter()
        .filter_map(|payload| deletion(payload.get(NFGENMSG..)?, address, &wanted))
        .collect();
    let refused = socket.batch(&mut deletions).map_err(fail)?;
    let count = deletions.len() - refused.len();
    match refused.into_iter().find(|refusal| refusal.errno != libc::ENOENT) {
        Some(refusal) => Err(fail(refusal.into())),
        None => Ok(count),
    }
}

fn message(kind: u16, address: IpAddr) -> Message {
    let subsystem = (libc::NFNL_SUBSYS_CTNETLINK as u16) << 8;
    let mut message = Message::new(subsystem | kind, 0);
    message.raw(&[family(address), libc::NFNETLINK_V0 as u8, 0, 0]);
    message
}

/// The request that deletes a connection, when it has the address at either end.
fn deletion(connection: &[u8], address: IpAddr, wanted: &[u8]) -> Option<Message> {
    let value = |kind| attributes(connection).value_of(kind);
    let original = value(CTA_TUPLE_ORIG)?;
    let reply = value(CTA_TUPLE_REPLY)?;
    if !mentions(original, wanted) && !mentions(reply, wanted) {
        return None;
    }
    let mut message = message(IPCTNL_MSG_CT_DELETE, address);
    message.nest(CTA_TUPLE_ORIG, |tuple| {
        tuple.raw(original);
    });
    // The id names this very connection, should its tuple be in use again by now.
    for kind in [CTA_ID, CTA_ZONE] {
        if let Some(found) = value(kind) {
            message.bytes(kind, found);
        }
    }
    Some(message)
}

/// Whether source or destination of a tuple is the address.
fn mentions(tuple: &[u8], wanted: &[u8]) -> bool {
    let ends = attributes(tuple).value_of(CTA_TUPLE_IP).unwrap_or_default();
    attributes(ends).any(|(_, end)| end == wanted)
}
