//! Builds one netlink message.
//!
//! In: numbers, bytes, texts. Out: [`Message::finish`], the bytes with the right lengths.

/// Length of `struct nlmsghdr`.
pub(super) const HEADER: usize = 16;
/// NLA_F_NESTED: the value is made of attributes.
const NESTED: u16 = 0x8000;

/// A netlink message under construction; kernel byte order unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// A request of a type with flags (`NLM_F_REQUEST` is added).
    pub(crate) fn new(kind: u16, flags: i32) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        let flags = flags as u16 | libc::NLM_F_REQUEST as u16;
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        Self(bytes)
    }

    /// Its type.
    pub(super) fn kind(&self) -> u16 {
        u16::from_ne_bytes([self.0[4], self.0[5]])
    }

    /// Appends bytes as they are: a family's fixed structure.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends an attribute of bytes.
    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let start = self.begin(kind);
        self.0.extend_from_slice(value);
        self.end(start)
    }

    /// Appends a one-byte attribute.
    pub(crate) fn u8(&mut self, kind: u16, value: u8) -> &mut Self {
        self.bytes(kind, &[value])
    }

    /// Appends a four-byte attribute.
    pub(crate) fn u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Appends a zero-terminated text.
    pub(crate) fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        let start = self.begin(kind);
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
        self.end(start)
    }

    /// Appends an attribute made of what `inside` appends.
    pub(crate) fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.begin(kind | NESTED);
        inside(self);
        self.end(start)
    }

    fn begin(&mut self, kind: u16) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn end(&mut self, start: usize) -> &mut Self {
        // Callers append bounded values (names, addresses) and lists of bounded length.
        let length = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Writes length and sequence number, adds flags, and gives the bytes.
    pub(super) fn finish(&mut self, sequence: u32, flags: i32) -> &[u8] {
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        let old = u16::from_ne_bytes([self.0[6], self.0[7]]);
        self.0[6..8].copy_from_slice(&(old | flags as u16).to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attributes;

    #[test]
    fn what_is_built_reads_back() {
        let mut message = Message::new(16, 0);
        message.text(3, "eth0").nest(18, |m| {
            m.u8(1, 9);
        });
        let bytes = message.finish(7, libc::NLM_F_ACK).to_vec();
        assert_eq!(bytes[..4], (bytes.len() as u32).to_ne_bytes());
        assert_eq!(bytes[6..8], [5, 0]);
        let read: Vec<_> = attributes(&bytes[HEADER..]).collect();
        assert_eq!(read[0], (3, &b"eth0\0"[..]));
        assert_eq!(attributes(read[1].1).value_of(1), Some(&[9_u8][..]));
    }
}
