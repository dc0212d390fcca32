//! Names of one network (or of one sandbox alone).
//!
//! In: names and addresses, as decided elsewhere. Out: addresses of a name, the name of an
//! address. A zone is a snapshot: it is replaced, not changed, once it is served.

use std::collections::HashMap;
use std::net::IpAddr;

/// Names of one network (or of one sandbox alone: its links), a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    names: HashMap<String, Vec<IpAddr>>,
    reverse: HashMap<IpAddr, String>,
}

impl Zone {
    /// A zone without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an address to a name; a name with several addresses is answered in turn.
    /// The name is kept in lower case, without a dot at its end; adding twice changes nothing.
    pub fn add(&mut self, name: &str, address: IpAddr) {
        let addresses = self.names.entry(canonical(name)).or_default();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    /// Sets what a reverse query for the address is answered with.
    pub fn add_reverse(&mut self, address: IpAddr, name: &str) {
        self.reverse.insert(address, canonical(name));
    }

    /// The addresses of a name in lower case; `None` if there is no such name.
    pub(crate) fn addresses(&self, name: &str) -> Option<&[IpAddr]> {
        self.names.get(name).map(Vec::as_slice)
    }

    /// The name of an address.
    pub(crate) fn name_of(&self, address: IpAddr) -> Option<&str> {
        self.reverse.get(&address).map(String::as_str)
    }
}

fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
