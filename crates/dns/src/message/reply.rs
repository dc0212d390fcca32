//! A reply of ours: the question again, and records.
//!
//! In: a query, addresses and names. Out: a packet no longer than the client takes.

use std::net::IpAddr;

use super::{
    A, AAAA, Code, DNSSEC_OK, EDNS_PAYLOAD, HEADER, IN, MAX_NAME, OPT, PTR, Query, SOA, TRUNCATED,
    TTL, number, put,
};

/// Who is responsible, in the words of RFC 6303 for zones that servers have of themselves.
const NOBODY: &[u8] = b"\x06nobody\x07invalid\0";

/// A reply being written.
pub(crate) struct Reply<'a> {
    query: &'a Query,
    bytes: Vec<u8>,
    count: u16,
    authorities: u16,
    limit: usize,
    code: Code,
}

impl<'a> Reply<'a> {
    /// A reply of at most `limit` bytes.
    pub(crate) fn new(query: &'a Query, code: Code, limit: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + query.question.len() + 64);
        bytes.extend(query.header.reply(code));
        bytes.extend(&query.question);
        Self { query, bytes, count: 0, authorities: 0, limit, code }
    }

    /// A reply that says nothing but that there is more to say than fits.
    pub(super) fn truncated(query: &'a Query) -> Self {
        let mut reply = Self::new(query, Code::NoError, usize::MAX);
        reply.truncate();
        reply
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

    /// Says for how long a name or a kind of record may be taken not to exist (RFC 2308). `length`
    /// bytes of the question's text are the name of the zone that says so; 0 is the root. To be
    /// called last.
    pub(crate) fn negative(&mut self, length: usize) {
        let owner = match u16::try_from(self.query.suffix_at(length)) {
            Ok(at) if length > 0 => (0xc000 | at).to_be_bytes().to_vec(),
            _ => vec![0],
        };
        let mut data = [&owner, NOBODY].concat();
        // Serial, refresh, retry, expire: nobody transfers it. The last one is what counts.
        for time in [1, 3600, 1200, 604_800, TTL] {
            data.extend(time.to_be_bytes());
        }
        self.bytes.extend(owner);
        self.fixed(SOA, &data);
        self.authorities += 1;
    }

    /// The packet. Records that did not fit are missing, and it says so.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        put(&mut self.bytes, 4, 1);
        put(&mut self.bytes, 6, self.count);
        put(&mut self.bytes, 8, self.authorities);
        if let Some(edns) = self.query.edns {
            put(&mut self.bytes, 10, 1);
            let [high, _] = ((self.code as u16) << 4).to_be_bytes();
            let flags = if edns.dnssec { DNSSEC_OK } else { 0 };
            self.bytes.push(0);
            self.bytes.extend(OPT.to_be_bytes());
            self.bytes.extend(EDNS_PAYLOAD.to_be_bytes());
            self.bytes.extend([high, 0]);
            self.bytes.extend(flags.to_be_bytes());
            self.bytes.extend([0, 0]);
        }
        self.bytes
    }

    fn record(&mut self, kind: u16, data: &[u8]) {
        // 12 for what precedes the data, 11 for the record of EDNS.
        if self.bytes.len() + 12 + data.len() + 11 > self.limit {
            return self.truncate();
        }
        // The name: a pointer to the question's.
        self.bytes.extend([0xc0, HEADER as u8]);
        self.fixed(kind, data);
        self.count += 1;
    }

    fn truncate(&mut self) {
        let flags = number(&self.bytes, 2).unwrap_or_default();
        put(&mut self.bytes, 2, flags | TRUNCATED);
    }

    /// What follows the name of a record.
    fn fixed(&mut self, kind: u16, data: &[u8]) {
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(IN.to_be_bytes());
        self.bytes.extend(TTL.to_be_bytes());
        // Addresses, names, and the fixed data of an SOA: far below the limit of two bytes.
        self.bytes.extend((data.len() as u16).to_be_bytes());
        self.bytes.extend(data);
    }
}
