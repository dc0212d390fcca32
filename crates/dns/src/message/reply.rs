//! A reply of ours: the question again, and records.
//!
//! In: a query, addresses and names. Out: a packet no longer than the client takes.

use std::net::IpAddr;

use super::{
    A, AAAA, Code, EDNS_PAYLOAD, HEADER, IN, MAX_NAME, OPT, PTR, Query, TRUNCATED, TTL, number, put,
};

/// A reply being written.
pub(crate) struct Reply<'a> {
    query: &'a Query,
    bytes: Vec<u8>,
    count: u16,
    limit: usize,
    code: Code,
}

impl<'a> Reply<'a> {
    /// A reply of at most `limit` bytes.
    pub(crate) fn new(query: &'a Query, code: Code, limit: usize) -> Self {
        let mut bytes = query.header.reply(code).to_vec();
        bytes.extend(&query.question);
        Self { query, bytes, count: 0, limit, code }
    }

    /// Adds an address.
    pub(crate) fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.record(A, &address.octets()),
            IpAddr::V6(address) => self.record(AAAA, &address.octets()),
        }
    }

    /// Adds a name (of an address).
    pub(crate) fn pointer(&mut self, name: &str) {
        let mut data = Vec::with_capacity(name.len() + 2);
        for label in name.split('.').map(str::as_bytes) {
            // A name that does not fit the format is not sent: what else could be done with it?
            let Ok(length @ 1..=63) = u8::try_from(label.len()) else { return };
            data.push(length);
            data.extend(label);
        }
        data.push(0);
        if data.len() <= MAX_NAME {
            self.record(PTR, &data);
        }
    }

    /// The packet. Records that did not fit are missing, and it says so.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        put(&mut self.bytes, 4, 1);
        put(&mut self.bytes, 6, self.count);
        if self.query.edns.is_some() {
            put(&mut self.bytes, 10, 1);
            let high = (self.code as u16 >> 4) as u8;
            self.bytes.push(0);
            self.bytes.extend(OPT.to_be_bytes());
            self.bytes.extend(EDNS_PAYLOAD.to_be_bytes());
            self.bytes.extend([high, 0, 0, 0, 0, 0]);
        }
        self.bytes
    }

    fn record(&mut self, kind: u16, data: &[u8]) {
        let Ok(length) = u16::try_from(data.len()) else { return };
        // 12 for what precedes the data, 11 for the record of EDNS.
        if self.bytes.len() + 12 + data.len() + 11 > self.limit {
            let flags = number(&self.bytes, 2).unwrap_or_default();
            put(&mut self.bytes, 2, flags | TRUNCATED);
            return;
        }
        // The name: a pointer to the question's.
        self.bytes.extend([0xc0, HEADER as u8]);
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(IN.to_be_bytes());
        self.bytes.extend(TTL.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(data);
        self.count += 1;
    }
}
