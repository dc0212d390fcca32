//! The names that one namespace sees: what a name server inside it answers from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

/// Names and addresses that belong together, forward and backward. Plain data: who makes it
/// decides what is in it, who answers from it adds nothing. One owner's part changes at a cost that
/// does not grow with how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    suffix: Option<String>,
    subnets: Vec<IpNet>,
    owners: BTreeMap<Arc<str>, Names>,
    names: BTreeMap<String, Holders>,
    /// First the owner that comes first.
    pointers: BTreeMap<(IpAddr, Arc<str>), String>,
}

/// What one owner has in a [`Zone`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// What it is called, in any order.
    pub names: Vec<String>,
    /// What each of the names leads to.
    pub addresses: Vec<IpAddr>,
    /// What each of the addresses leads back to.
    pub reverse: Option<String>,
}

/// Who has a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holders {
    all: BTreeSet<(IpAddr, Arc<str>)>,
    /// The addresses, each once: what is answered.
    addresses: Vec<IpAddr>,
}

impl Holders {
    fn change(&mut self, change: impl FnOnce(&mut BTreeSet<(IpAddr, Arc<str>)>)) {
        change(&mut self.all);
        self.addresses.clear();
        self.addresses.extend(self.all.iter().map(|(address, _)| *address));
        self.addresses.dedup();
    }
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

    /// Gives an owner these names instead of those that it has. Case and a final dot don't matter.
    pub fn set(&mut self, owner: &str, names: Names) {
        self.remove(owner);
        let owner: Arc<str> = owner.into();
        for name in &names.names {
            let holders = self.names.entry(canonical(name).into_owned()).or_default();
            let has = names.addresses.iter().map(|address| (*address, Arc::clone(&owner)));
            holders.change(|all| all.extend(has));
        }
        if let Some(reverse) = &names.reverse {
            let back = |address: &IpAddr| ((*address, Arc::clone(&owner)), reverse.clone());
            self.pointers.extend(names.addresses.iter().map(back));
        }
        self.owners.insert(owner, names);
    }

    /// Takes its names from an owner.
    pub fn remove(&mut self, owner: &str) {
        let Some((owner, had)) = self.owners.remove_entry(owner) else { return };
        let has: Vec<_> = had.addresses.iter().map(|a| (*a, Arc::clone(&owner))).collect();
        for name in &had.names {
            let name = canonical(name);
            let Some(holders) = self.names.get_mut(&*name) else { continue };
            holders.change(|all| has.iter().for_each(|holder| _ = all.remove(holder)));
            if holders.all.is_empty() {
                self.names.remove(&*name);
            }
        }
        for key in has {
            self.pointers.remove(&key);
        }
    }

    /// Addresses of a name, of both families, in ascending order; none when the zone doesn't know
    /// the name. Case and a final dot don't matter.
    pub fn addresses(&self, name: &str) -> Option<&[IpAddr]> {
        self.names.get(&*canonical(name)).map(|holders| holders.addresses.as_slice())
    }

    /// The name of an address: of several owners that have it, the first one's.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        let (key, name) = self.pointers.range((address, Arc::from(""))..).next()?;
        (key.0 == address).then_some(name)
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
        self.names.iter().map(|(name, holders)| (name.as_str(), holders.addresses.as_slice()))
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

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn names(names: &[&str], last: &[u8], reverse: &str) -> Names {
        Names {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: last.iter().map(|last| address(*last)).collect(),
            reverse: Some(reverse.to_owned()),
        }
    }

    #[test]
    fn names_match_without_case_and_final_dot() {
        let mut zone = Zone::default();
        zone.set("1", names(&["Web.Front", "web.front."], &[2], "web.front"));
        assert_eq!(zone.addresses("WEB.front."), Some(&[address(2)][..]));
        assert_eq!(zone.addresses("web"), None);
    }

    #[test]
    fn of_several_owners_of_an_address_the_first_is_its_name() {
        let mut zone = Zone::default();
        zone.set("2", names(&["other"], &[2], "other.front"));
        zone.set("1", names(&["web", "other"], &[2], "web.front"));
        assert_eq!(zone.name(address(2)), Some("web.front"));
        assert_eq!(zone.addresses("other"), Some(&[address(2)][..]));
        zone.remove("1");
        assert_eq!(zone.name(address(2)), Some("other.front"));
        assert_eq!(zone.addresses("web"), None);
        assert_eq!(zone.name(address(1)), None);
    }

    #[test]
    fn how_a_zone_came_to_be_does_not_show() {
        let (web, db) = (names(&["web", "all"], &[3, 9], "web"), names(&["db", "all"], &[2], "db"));
        let mut fresh = Zone::below("front");
        fresh.set("1", web.clone());
        fresh.set("2", db.clone());
        assert_eq!(fresh.addresses("all"), Some(&[address(2), address(3), address(9)][..]));
        let mut changed = Zone::below("front");
        for (owner, has) in [("3", &web), ("2", &db), ("1", &db), ("1", &web), ("2", &db)] {
            changed.set(owner, has.clone());
        }
        changed.remove("3");
        assert_eq!(changed, fresh);
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
