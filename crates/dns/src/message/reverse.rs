//! Reverse names: addresses written as names (RFC 1035 3.5, RFC 3596 2.5).
//!
//! In: a name in lower case. Out: the address or the part of the address space that it stands for.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What a reverse name is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reverse {
    /// An address, or all that begin like this.
    pub part: IpNet,
    /// The name goes on below, with what is no part of an address.
    pub below: bool,
}

impl Reverse {
    /// Reads a name; `None` if it is no reverse name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_suffix(".in-addr.arpa") {
            let (bytes, count, below) = digits::<4>(rest, octet);
            let part = IpNet::new(Ipv4Addr::from(bytes).into(), 8 * count);
            return part.ok().map(|part| Self { part, below });
        }
        let rest = name.strip_suffix(".ip6.arpa")?;
        let (digits, count, below) = digits::<32>(rest, nibble);
        let address = digits.iter().fold(0u128, |all, digit| (all << 4) | u128::from(*digit));
        let part = IpNet::new(Ipv6Addr::from(address).into(), 4 * count);
        part.ok().map(|part| Self { part, below })
    }
}

/// The digits of an address from the name's end on, how many there are, and whether something else
/// comes before them.
fn digits<const N: usize>(text: &str, read: fn(&str) -> Option<u8>) -> ([u8; N], u8, bool) {
    let mut found = [0; N];
    let mut count = 0;
    let mut labels = text.rsplit('.').peekable();
    for place in &mut found {
        let Some(digit) = labels.peek().and_then(|label| read(label)) else { break };
        labels.next();
        *place = digit;
        count += 1;
    }
    (found, count, labels.peek().is_some())
}

fn octet(label: &str) -> Option<u8> {
    let plain = label.bytes().all(|byte| byte.is_ascii_digit());
    label.parse().ok().filter(|_| plain && (label == "0" || !label.starts_with('0')))
}

fn nibble(label: &str) -> Option<u8> {
    let [digit] = label.as_bytes() else { return None };
    u8::try_from(char::from(*digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_parts_are_read() {
        let read = |name: &str| Reverse::parse(name).map(|r| (r.part.to_string(), r.below));
        let is = |part: &str, below| Some((part.to_owned(), below));
        assert_eq!(read("4.3.2.10.in-addr.arpa"), is("10.2.3.4/32", false));
        assert_eq!(read("x.4.3.2.10.in-addr.arpa"), is("10.2.3.4/32", true));
        assert_eq!(read("9.4.3.2.10.in-addr.arpa"), is("10.2.3.4/32", true));
        assert_eq!(read("2.10.in-addr.arpa"), is("10.2.0.0/16", false));
        assert_eq!(read("0-25.2.10.in-addr.arpa"), is("10.2.0.0/16", true));
        for odd in ["+4", "04", "256", "-1", ""] {
            let name = format!("{odd}.3.2.10.in-addr.arpa");
            assert_eq!(read(&name), is("10.2.3.0/24", true), "{name}");
        }
        assert_eq!(read("in-addr.arpa"), None);
        assert_eq!(read("4.3.2.10.example"), None);
        assert_eq!(read("1.0.d.f.ip6.arpa"), is("fd01::/16", false));
        let full = format!("{}d.f.ip6.arpa", "0.".repeat(30));
        assert_eq!(read(&full), is("fd00::/128", false));
        assert_eq!(read("g.d.f.ip6.arpa"), is("fd00::/8", true));
        assert_eq!(read("10.d.f.ip6.arpa"), is("fd00::/8", true));
    }
}
