//! The names that one namespace sees: what a name server inside it answers from.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Names and addresses that belong together, forward and backward. Plain data: who makes it
/// decides what is in it, who answers from it adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    names: BTreeMap<String, Vec<IpAddr>>,
    pointers: BTreeMap<IpAddr, String>,
}

impl Zone {
    /// Adds an address to a name (kept in lower case, without a final dot); an address that the
    /// name has already is not added twice.
    pub fn add(&mut self, name: &str, address: IpAddr) {
        let addresses = self.names.entry(canonical(name)).or_default();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    /// Makes `name` the answer to a reverse look-up of `address`; the first one given stays.
    pub fn point(&mut self, address: IpAddr, name: &str) {
        self.pointers.entry(address).or_insert_with(|| name.to_owned());
    }

    /// Addresses of a name, of both families, in the order they were added; none when the zone
    /// doesn't know the name. Case and a final dot don't matter.
    pub fn addresses(&self, name: &str) -> Option<&[IpAddr]> {
        self.names.get(&canonical(name)).map(Vec::as_slice)
    }

    /// The name of an address.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.pointers.get(&address).map(String::as_str)
    }

    /// All names with their addresses, in the order of the names.
    pub fn names(&self) -> impl Iterator<Item = (&str, &[IpAddr])> {
        self.names.iter().map(|(name, addresses)| (name.as_str(), addresses.as_slice()))
    }

    /// All reverse entries in the order of the addresses.
    pub fn pointers(&self) -> impl Iterator<Item = (IpAddr, &str)> {
        self.pointers.iter().map(|(address, name)| (*address, name.as_str()))
    }
}

fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_without_case_and_final_dot() {
        let mut zone = Zone::default();
        let address = IpAddr::from([10, 0, 0, 2]);
        zone.add("Web.Front", address);
        zone.add("web.front", address);
        assert_eq!(zone.addresses("WEB.front."), Some(&[address][..]));
        assert_eq!(zone.addresses("web"), None);
    }

    #[test]
    fn the_first_reverse_entry_stays() {
        let mut zone = Zone::default();
        let address = IpAddr::from([10, 0, 0, 2]);
        zone.point(address, "web.front");
        zone.point(address, "other.front");
        assert_eq!(zone.name(address), Some("web.front"));
    }
}
