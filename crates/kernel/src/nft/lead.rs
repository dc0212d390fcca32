//! Rules in a namespace that lead port 53 of an address to the ports that a name server listens at,
//! and its answers back.
//!
//! In: the address and the ports. Out: a table `ip hawser` in the socket's namespace, or none. The
//! rules are few, look at each packet by itself and need no set: `nft` lists them as
//! `hoststate` prints them. Nothing is tracked for them.

use std::net::Ipv4Addr;

use hawser_hoststate::Transport;

use super::{TABLE, commit, message, table};
use crate::error::Cause;
use crate::netlink::number::*;
use crate::netlink::{Message, Socket};

/// The name of the chain.
const CHAIN: &str = "name_server";
/// Where everybody asks.
const DOMAIN: u16 = 53;
/// The register that values pass through.
const REGISTER: u32 = libc::NFT_REG_1 as u32;

/// The port that is asked for an address, and the one that answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lead {
    pub(crate) transport: Transport,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
}

/// Which packets, by what they carry of the server: those to it, those from it.
#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

impl Way {
    /// Where the server's address is in an IPv4 header, and its port in that of UDP or TCP.
    fn offsets(self) -> (u32, u32) {
        match self {
            Self::There => (16, 2),
            Self::Back => (12, 0),
        }
    }
}

/// Makes these the namespace's leads, and no others, in one transaction.
pub(crate) fn lead(socket: &mut Socket, leads: &[Lead]) -> Result<(), Cause> {
    let mut messages = vec![creation(), chain(), flush()];
    for lead in leads {
        messages.extend([rule(*lead, Way::There), rule(*lead, Way::Back)]);
    }
    finished(commit(socket, messages)?)
}

/// Takes the leads away.
pub(crate) fn mislead(socket: &mut Socket) -> Result<(), Cause> {
    let refused = commit(socket, vec![table::deletion(NFPROTO_IPV4)])?;
    // Whoever may administer the namespace has done so.
    finished(refused.into_iter().filter(|refusal| refusal.errno != libc::ENOENT))
}

fn finished(refused: impl IntoIterator<Item = crate::netlink::Refusal>) -> Result<(), Cause> {
    refused.into_iter().next().map_or(Ok(()), |refusal| Err(refusal.into()))
}

fn creation() -> Message {
    let mut creation = message(libc::NFT_MSG_NEWTABLE, NFPROTO_IPV4, libc::NLM_F_CREATE);
    creation.text(NFTA_TABLE_NAME, TABLE);
    creation
}

/// Before whoever inside might track or translate.
fn chain() -> Message {
    let mut chain = message(libc::NFT_MSG_NEWCHAIN, NFPROTO_IPV4, libc::NLM_F_CREATE);
    chain.text(1, TABLE).text(NFTA_CHAIN_NAME, CHAIN).text(NFTA_CHAIN_TYPE, "filter");
    chain.nest(NFTA_CHAIN_HOOK, |hook| {
        hook.bytes(NFTA_HOOK_HOOKNUM, &NF_INET_LOCAL_OUT.to_be_bytes());
        hook.bytes(NFTA_HOOK_PRIORITY, &libc::NF_IP_PRI_RAW.to_be_bytes());
    });
    chain
}

fn flush() -> Message {
    let mut flush = message(libc::NFT_MSG_DELRULE, NFPROTO_IPV4, 0);
    flush.text(1, TABLE);
    flush
}

/// One way of a lead: what has the address, the protocol and the one port gets the other port.
fn rule(lead: Lead, way: Way) -> Message {
    let (address, port) = way.offsets();
    let (from, to) = match way {
        Way::There => (DOMAIN, lead.port),
        Way::Back => (lead.port, DOMAIN),
    };
    let flags = libc::NLM_F_CREATE | libc::NLM_F_APPEND;
    let mut rule = message(libc::NFT_MSG_NEWRULE, NFPROTO_IPV4, flags);
    rule.text(1, TABLE).text(NFTA_RULE_CHAIN, CHAIN).nest(NFTA_RULE_EXPRESSIONS, |list| {
        load(list, libc::NFT_PAYLOAD_NETWORK_HEADER, address, 4);
        compare(list, &lead.address.octets());
        expression(list, "meta", |meta| {
            number(meta, NFTA_META_KEY, libc::NFT_META_L4PROTO as u32);
            number(meta, NFTA_META_DREG, REGISTER);
        });
        compare(list, &[lead.transport.number()]);
        load(list, libc::NFT_PAYLOAD_TRANSPORT_HEADER, port, 2);
        compare(list, &from.to_be_bytes());
        expression(list, "notrack", |_| {});
        store_port(list, lead.transport, port, to);
    });
    rule
}

fn expression(list: &mut Message, name: &str, data: impl FnOnce(&mut Message)) {
    list.nest(NFTA_LIST_ELEM, |expression| {
        expression.text(NFTA_EXPR_NAME, name).nest(NFTA_EXPR_DATA, data);
    });
}

fn load(list: &mut Message, base: i32, offset: u32, length: u32) {
    expression(list, "payload", |payload| {
        number(payload, NFTA_PAYLOAD_DREG, REGISTER);
        place(payload, base, offset, length);
    });
}

fn compare(list: &mut Message, value: &[u8]) {
    expression(list, "cmp", |cmp| {
        number(cmp, NFTA_CMP_SREG, REGISTER);
        number(cmp, NFTA_CMP_OP, libc::NFT_CMP_EQ as u32);
        cmp.nest(NFTA_CMP_DATA, |data| _ = data.bytes(NFTA_DATA_VALUE, value));
    });
}

/// Writes a port, and mends the checksum by the difference.
fn store_port(list: &mut Message, transport: Transport, offset: u32, port: u16) {
    expression(list, "immediate", |immediate| {
        number(immediate, NFTA_IMMEDIATE_DREG, REGISTER);
        let value = port.to_be_bytes();
        immediate.nest(NFTA_IMMEDIATE_DATA, |data| _ = data.bytes(NFTA_DATA_VALUE, &value));
    });
    expression(list, "payload", |payload| {
        number(payload, NFTA_PAYLOAD_SREG, REGISTER);
        place(payload, libc::NFT_PAYLOAD_TRANSPORT_HEADER, offset, 2);
        number(payload, NFTA_PAYLOAD_CSUM_TYPE, libc::NFT_PAYLOAD_CSUM_INET as u32);
        let checksum = if transport == Transport::Udp { 6 } else { 16 };
        number(payload, NFTA_PAYLOAD_CSUM_OFFSET, checksum);
    });
}

fn place(payload: &mut Message, base: i32, offset: u32, length: u32) {
    number(payload, NFTA_PAYLOAD_BASE, base as u32);
    number(payload, NFTA_PAYLOAD_OFFSET, offset);
    number(payload, NFTA_PAYLOAD_LEN, length);
}

/// A number in the order of the network, as nftables has them.
fn number(message: &mut Message, kind: u16, value: u32) {
    message.bytes(kind, &value.to_be_bytes());
}
