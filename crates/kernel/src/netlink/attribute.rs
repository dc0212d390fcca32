//! Reads netlink attributes: type, length, value, padded to four bytes.
//!
//! In: the bytes after a family's fixed structure. Out: pairs of type and value. Malformed input
//! ends the iteration; it never panics.

/// Flags in the upper bits of the type (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
const TYPE_MASK: u16 = 0x3fff;

/// Iterator over attributes.
pub(crate) struct Attributes<'a>(&'a [u8]);

/// Iterates over the attributes in `bytes`.
pub(crate) fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes(bytes)
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.0.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

impl<'a> Attributes<'a> {
    /// The first attribute of that type.
    pub(crate) fn value_of(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == kind).map(|(_, value)| value)
    }
}

/// A text attribute without its terminating zero; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_padded_attributes() {
        let bytes = [5, 0, 1, 0, 7, 0, 0, 0, 4, 0, 2, 0x80];
        let read: Vec<_> = attributes(&bytes).collect();
        assert_eq!(read, [(1, &[7_u8][..]), (2, &[][..])]);
    }

    #[test]
    fn malformed_input_ends_the_iteration() {
        for bytes in [&[3, 0, 1, 0][..], &[9, 0, 1, 0, 1], &[0, 0, 0, 0], &[1]] {
            assert_eq!(attributes(bytes).count(), 0, "{bytes:?}");
        }
    }
}
