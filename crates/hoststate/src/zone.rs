//! The names that one namespace sees: what a name server inside it answers from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

/// Names and addresses that belong together, forward and backward. Plain data: who makes it
/// decides what is in it, who answers from it adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    suffix: Option<String>,
    subnets: Vec<IpNet>,
    names: BTreeMap<String, Vec<IpAddr>>,
    pointers: BTreeMap<IpAddr, String>,
}

impl Zone {
    /// A zone that has all names below `suffix`, and says of those it does not know that they
    /// don't exist.
    pub fn below(suffix: &str) -> Self {
        Self { suffix: Some(canonical(suffix).into_owned()), ..Self::default() }
    }

    /// Adds a subnet: of addresses in it without a name here, it is certain that they have none.
    pub fn cover(&mut self, subnet: IpNet) {
        self.subnets.push(subnet.trunc());
    }

    /// Adds an address to a name (kept in lower case, without a final dot); an address that the
    /// name has already is not added twice.
    pub fn add(&mut self, name: &str, address: IpAddr) {
        let addresses = self.names.entry(canonical(name).into_owned()).or_default();
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
        self.names.get(&*canonical(name)).map(Vec::as_slice)
    }

    /// The name of an address.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.pointers.get(&address).map(String::as_str)
    }

    /// What this zone has all names below, in lower case.
    pub fn suffix(&self) -> Option<&str> {
        self.suffix.as_deref()
    }

    /// Whether a name is the zone's suffix or below it, known or not. Case and a final dot don't
    /// matter.
    pub fn owns(&self, name: &str) -> bool {
        let name = canonical(name);
        let below = |suffix: &String| name.strip_suffix(suffix.as_str());
        let rest = self.suffix.as_ref().and_then(below);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether all addresses of `part` are in one of the zone's subnets.
    pub fn covers(&self, part: IpNet) -> bool {
        self.subnets.iter().any(|subnet| subnet.contains(&part))
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

/// What is canonical already is not copied: that is how a name server asks.
fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => name.to_ascii_lowercase().into(),
        false => name.into(),
    }
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

    #[test]
    fn what_is_below_the_suffix_is_the_zones() {
        let zone = Zone::below("Front.");
        for name in ["front", "web.front", "a.b.FRONT."] {
            assert!(zone.owns(name), "{name}");
        }
        for name in ["upfront", "front.example", "", "."] {
            assert!(!zone.owns(name), "{name}");
        }
        assert!(!Zone::default().owns("front"));
    }

    #[test]
    fn subnets_cover_their_parts() {
        let mut zone = Zone::default();
        zone.cover("10.1.2.3/16".parse().unwrap());
        let covers = |part: &str| zone.covers(part.parse().unwrap());
        assert!(covers("10.1.0.9/32") && covers("10.1.4.0/24") && covers("10.1.0.0/16"));
        assert!(!covers("10.0.0.0/8") && !covers("10.2.0.0/32") && !covers("fd00::/128"));
    }
}
