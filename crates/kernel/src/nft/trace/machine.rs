//! Works through rules with one packet, as the kernel's machine does.
//!
//! In: rules, a packet. Out: what becomes of it. Registers know which of their bytes are known: what
//! depends on an unknown one does not match.

use std::net::IpAddr;

use super::Packet;
use super::ruleset::{Chain, Ruleset, number};
use crate::address::octets;
use crate::error::{Cause, Error};
use crate::netlink::number::*;
use crate::netlink::{attributes, text};

/// How deep jumps go (NFT_JUMP_STACK_SIZE).
const DEPTH: usize = 16;
/// Bytes of all registers.
const REGISTERS: usize = 64;
/// Longest name of a link.
const IFNAME: usize = 16;

/// What becomes of a packet in a base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    Drop { by_policy: bool },
}

/// What an expression, or a rule, says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Continue,
    /// The rule does not match.
    Break,
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
}

/// The machine.
pub(super) struct Machine<'a> {
    rules: &'a Ruleset,
    packet: &'a Packet,
    family: u8,
    table: String,
    /// Before routing, and before the destination is translated.
    early: bool,
    registers: [Option<u8>; REGISTERS],
}

type Attributes<'e> = &'e [u8];

impl<'a> Machine<'a> {
    pub(super) fn new(rules: &'a Ruleset, packet: &'a Packet, base: &Chain) -> Self {
        Self {
            rules,
            packet,
            family: base.family,
            table: base.table.clone(),
            early: base.hook == Some(NF_INET_PRE_ROUTING),
            registers: [None; REGISTERS],
        }
    }

    /// What a base chain does.
    pub(super) fn run(&mut self, base: &Chain) -> Result<Outcome, Error> {
        Ok(match self.walk(base, 0)? {
            Verdict::Drop => Outcome::Drop { by_policy: false },
            Verdict::Continue | Verdict::Return if base.drops => Outcome::Drop { by_policy: true },
            _ => Outcome::Pass,
        })
    }

    /// Through a chain, and those that it jumps to.
    fn walk(&mut self, chain: &Chain, depth: usize) -> Result<Verdict, Error> {
        if depth > DEPTH {
            let cause = Cause::Unexpected("its jumps go too deep".to_owned());
            return Err(Error::new("follow", format!("chain {}", chain.name), cause));
        }
        for rule in &chain.rules {
            let (target, goes_back) = match self.rule(rule) {
                Verdict::Continue | Verdict::Break => continue,
                Verdict::Jump(target) => (target, true),
                Verdict::Goto(target) => (target, false),
                decided => return Ok(decided),
            };
            let place = (self.family, self.table.clone(), target);
            let Some(target) = self.rules.chain(&place) else { continue };
            match self.walk(target, depth + 1)? {
                Verdict::Continue | Verdict::Return if goes_back => {}
                decided => return Ok(decided),
            }
        }
        Ok(Verdict::Continue)
    }

    fn rule(&mut self, expressions: &[u8]) -> Verdict {
        for (_, expression) in attributes(expressions) {
            let name = attributes(expression).value_of(NFTA_EXPR_NAME).map(text);
            let data = attributes(expression).value_of(NFTA_EXPR_DATA).unwrap_or_default();
            match self.expression(&name.unwrap_or_default(), data) {
                Verdict::Continue => {}
                decided => return decided,
            }
        }
        Verdict::Continue
    }

    fn expression(&mut self, name: &str, data: Attributes<'_>) -> Verdict {
        match name {
            "meta" => self.meta(data),
            "payload" => self.payload(data),
            "ct" => self.connection(data),
            "cmp" => self.compare(data),
            "range" => self.range(data),
            "bitwise" => self.bitwise(data),
            "lookup" => self.look_up(data),
            "immediate" => self.immediate(data),
            "reject" => Verdict::Drop,
            "counter" | "log" | "last" | "notrack" => Verdict::Continue,
            // Extensions of iptables.
            "match" if extension(data) == "comment" => Verdict::Continue,
            "target" if extension(data) == "REJECT" => Verdict::Drop,
            "target" => Verdict::Continue,
            "queue" => Verdict::Accept,
            _ => Verdict::Break,
        }
    }

    fn store(&mut self, register: u32, value: &[u8]) {
        let Some(at) = place(register) else { return };
        // The kernel clears the rest of the last word.
        for (offset, cell) in self.registers.iter_mut().skip(at).enumerate() {
            match value.get(offset) {
                Some(byte) => *cell = Some(*byte),
                None if offset < value.len().next_multiple_of(4) => *cell = Some(0),
                None => break,
            }
        }
    }

    fn forget(&mut self, register: u32) {
        let at = place(register).unwrap_or(REGISTERS);
        self.registers.iter_mut().skip(at).take(16).for_each(|cell| *cell = None);
    }

    /// So many bytes of a register, if all are known.
    fn load(&self, register: u32, length: usize) -> Option<Vec<u8>> {
        let at = place(register)?;
        self.registers.get(at..at + length)?.iter().copied().collect()
    }

    fn keep(&mut self, register: Option<u32>, value: Option<Vec<u8>>) -> Verdict {
        match (register, value) {
            (Some(register), Some(value)) => self.store(register, &value),
            (Some(register), None) => self.forget(register),
            // It writes to the packet.
            (None, _) => {}
        }
        Verdict::Continue
    }

    fn meta(&mut self, data: Attributes<'_>) -> Verdict {
        let v4 = self.packet.source.is_ipv4();
        let key = get(data, NFTA_META_KEY).unwrap_or(u32::MAX) as i32;
        let value = match key {
            libc::NFT_META_IIFNAME => Some(link(&self.packet.from)),
            libc::NFT_META_OIFNAME => {
                Some(link(self.packet.to.as_deref().filter(|_| !self.early).unwrap_or_default()))
            }
            libc::NFT_META_NFPROTO => Some(vec![if v4 { NFPROTO_IPV4 } else { NFPROTO_IPV6 }]),
            libc::NFT_META_L4PROTO => Some(vec![self.packet.transport.number()]),
            libc::NFT_META_PROTOCOL => Some(ether_type(v4).to_vec()),
            libc::NFT_META_MARK => Some(vec![0; 4]),
            // For this host.
            libc::NFT_META_PKTTYPE => Some(vec![0]),
            _ => None,
        };
        self.keep(get(data, NFTA_META_DREG), value)
    }

    fn payload(&mut self, data: Attributes<'_>) -> Verdict {
        let at = |kind| get(data, kind).unwrap_or_default() as usize;
        let header = match at(NFTA_PAYLOAD_BASE) as i32 {
            libc::NFT_PAYLOAD_NETWORK_HEADER => self.header(),
            libc::NFT_PAYLOAD_TRANSPORT_HEADER => self.ports(),
            _ => Vec::new(),
        };
        let (offset, length) = (at(NFTA_PAYLOAD_OFFSET), at(NFTA_PAYLOAD_LEN));
        let bytes = header.get(offset..offset + length);
        let value = bytes.and_then(|bytes| bytes.iter().copied().collect());
        self.keep(get(data, NFTA_PAYLOAD_DREG), value)
    }

    /// Whether nobody knows where it goes to: its destination is still to be translated.
    fn goes_anywhere(&self) -> bool {
        self.early && self.packet.translated
    }

    /// What of the transport header is alike in all protocols: anybody's port, and ours.
    fn ports(&self) -> Vec<Option<u8>> {
        let known = self.packet.port.filter(|_| !self.goes_anywhere());
        let to = known.map_or([None; 2], |port| port.to_be_bytes().map(Some));
        [[None; 2], to].concat()
    }

    fn header(&self) -> Vec<Option<u8>> {
        let protocol = self.packet.transport.number();
        let mut header = match self.packet.source {
            IpAddr::V4(_) => {
                let fixed = [0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, protocol, 0, 0];
                fixed.map(Some).to_vec()
            }
            IpAddr::V6(_) => [0x60, 0, 0, 0, 0, 40, protocol, 64].map(Some).to_vec(),
        };
        header.extend(octets(self.packet.source).into_iter().map(Some));
        let unknown = self.goes_anywhere() || self.packet.destination.is_unspecified();
        let destination = octets(self.packet.destination).into_iter();
        header.extend(destination.map(|byte| (!unknown).then_some(byte)));
        header
    }

    fn connection(&mut self, data: Attributes<'_>) -> Verdict {
        let translated = self.packet.translated && !self.early;
        let status = if translated { IPS_DST_NAT } else { 0 };
        let value = match get(data, NFTA_CT_KEY).unwrap_or(u32::MAX) as i32 {
            libc::NFT_CT_STATE => Some(NF_CT_STATE_NEW.to_ne_bytes().to_vec()),
            libc::NFT_CT_STATUS => Some(status.to_ne_bytes().to_vec()),
            libc::NFT_CT_MARK => Some(vec![0; 4]),
            libc::NFT_CT_DIRECTION => Some(vec![0]),
            _ => None,
        };
        self.keep(get(data, NFTA_CT_DREG), value)
    }

    fn compare(&mut self, data: Attributes<'_>) -> Verdict {
        let wanted = plain(data, NFTA_CMP_DATA);
        let register = get(data, NFTA_CMP_SREG).unwrap_or_default();
        let Some(found) = self.load(register, wanted.len()) else { return Verdict::Break };
        let order = found.as_slice().cmp(wanted);
        let holds = match get(data, NFTA_CMP_OP).unwrap_or_default() as i32 {
            libc::NFT_CMP_EQ => order.is_eq(),
            libc::NFT_CMP_NEQ => order.is_ne(),
            libc::NFT_CMP_LT => order.is_lt(),
            libc::NFT_CMP_LTE => order.is_le(),
            libc::NFT_CMP_GT => order.is_gt(),
            libc::NFT_CMP_GTE => order.is_ge(),
            _ => false,
        };
        matched(holds)
    }

    fn range(&mut self, data: Attributes<'_>) -> Verdict {
        let (from, to) = (plain(data, NFTA_RANGE_FROM_DATA), plain(data, NFTA_RANGE_TO_DATA));
        let register = get(data, NFTA_RANGE_SREG).unwrap_or_default();
        let Some(found) = self.load(register, from.len()) else { return Verdict::Break };
        let inside = from <= found.as_slice() && found.as_slice() <= to;
        matched(inside == (get(data, NFTA_RANGE_OP).unwrap_or_default() == 0))
    }

    fn bitwise(&mut self, data: Attributes<'_>) -> Verdict {
        let (mask, xor) = (plain(data, NFTA_BITWISE_MASK), plain(data, NFTA_BITWISE_XOR));
        let register = get(data, NFTA_BITWISE_SREG).unwrap_or_default();
        // Shifts are not followed.
        let masks = get(data, NFTA_BITWISE_OP).unwrap_or_default() == 0;
        let found = self.load(register, mask.len()).filter(|_| masks && xor.len() == mask.len());
        let value = found.map(|found| {
            found.iter().zip(mask).zip(xor).map(|((byte, mask), xor)| byte & mask ^ xor).collect()
        });
        self.keep(get(data, NFTA_BITWISE_DREG), value)
    }

    fn look_up(&mut self, data: Attributes<'_>) -> Verdict {
        let name = attributes(data).value_of(NFTA_LOOKUP_SET).map(text).unwrap_or_default();
        let set = (self.family, self.table.clone(), name);
        let register = get(data, NFTA_LOOKUP_SREG).unwrap_or_default();
        let length = self.rules.key_length(&set).unwrap_or(REGISTERS + 1);
        let Some(key) = self.load(register, length) else { return Verdict::Break };
        let found = self.rules.look_up(&set, &key);
        let inverted = get(data, NFTA_LOOKUP_FLAGS).unwrap_or_default() & NFT_LOOKUP_F_INV != 0;
        match (found, get(data, NFTA_LOOKUP_DREG)) {
            (found, None) => matched(found.is_some() != inverted),
            (None, Some(_)) => Verdict::Break,
            (Some(raw), Some(0)) => verdict(&raw.verdict),
            (Some(raw), Some(register)) => self.keep(Some(register), Some(raw.data.clone())),
        }
    }

    fn immediate(&mut self, data: Attributes<'_>) -> Verdict {
        let value = attributes(data).value_of(NFTA_IMMEDIATE_DATA).unwrap_or_default();
        match get(data, NFTA_IMMEDIATE_DREG) {
            Some(0) => verdict(attributes(value).value_of(NFTA_DATA_VERDICT).unwrap_or_default()),
            register => {
                let value = plain(data, NFTA_IMMEDIATE_DATA).to_vec();
                self.keep(register, Some(value))
            }
        }
    }
}

fn matched(holds: bool) -> Verdict {
    if holds { Verdict::Continue } else { Verdict::Break }
}

/// Where a register is among the bytes: four of 16, or sixteen of 4.
fn place(register: u32) -> Option<usize> {
    let register = register as usize;
    match register {
        1..=4 => Some((register - 1) * 16),
        8..=23 => Some((register - 8) * 4),
        _ => None,
    }
}

fn get(data: Attributes<'_>, kind: u16) -> Option<u32> {
    attributes(data).value_of(kind).map(|bytes| match bytes {
        [one] => u32::from(*one),
        more => number(more),
    })
}

/// Bytes that are not a verdict.
fn plain(data: Attributes<'_>, kind: u16) -> &[u8] {
    let nested = attributes(data).value_of(kind).unwrap_or_default();
    attributes(nested).value_of(NFTA_DATA_VALUE).unwrap_or_default()
}

fn verdict(data: Attributes<'_>) -> Verdict {
    let code = get(data, NFTA_VERDICT_CODE).unwrap_or_default() as i32;
    let chain = || attributes(data).value_of(NFTA_VERDICT_CHAIN).map(text).unwrap_or_default();
    match code {
        libc::NF_DROP => Verdict::Drop,
        libc::NFT_JUMP => Verdict::Jump(chain()),
        libc::NFT_GOTO => Verdict::Goto(chain()),
        libc::NFT_RETURN => Verdict::Return,
        libc::NFT_CONTINUE => Verdict::Continue,
        libc::NFT_BREAK => Verdict::Break,
        _ => Verdict::Accept,
    }
}

fn extension(data: Attributes<'_>) -> String {
    attributes(data).value_of(NFTA_XT_NAME).map(text).unwrap_or_default()
}

fn link(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(IFNAME, 0);
    bytes
}

fn ether_type(v4: bool) -> [u8; 2] {
    let number = if v4 { libc::ETH_P_IP } else { libc::ETH_P_IPV6 };
    (number as u16).to_be_bytes()
}
