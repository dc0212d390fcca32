//! What is reserved, kept in the plainest way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hawser_model::{Model, NetworkName};

use crate::operations::{self, Operation};

/// Container and network's name, and the addresses.
#[derive(Default)]
pub struct Reserved(BTreeMap<(u8, NetworkName), BTreeSet<IpAddr>>, Names);

/// Names of networks that were renamed, by their numbers.
#[derive(Default)]
struct Names(BTreeMap<u8, NetworkName>);

impl Reserved {
    /// What an operation that went well does to it.
    pub fn follow(&mut self, operation: &Operation) {
        match operation {
            Operation::CreateNetwork { number, .. } => {
                self.1.0.insert(*number, operations::name(*number));
            }
            Operation::RenameNetwork { number, name } => {
                let new = operations::name(*name);
                let old = self.1.0.insert(*number, new.clone()).unwrap();
                for sandbox in 0..8 {
                    if let Some(addresses) = self.0.remove(&(sandbox, old.clone())) {
                        self.0.entry((sandbox, new.clone())).or_default().extend(addresses);
                    }
                }
            }
            Operation::Reserve { sandbox, name, hosts } => {
                let key = (*sandbox, operations::name(*name));
                self.0.insert(key, operations::reserved(hosts));
            }
            Operation::EndReservations(sandbox) => self.0.retain(|key, _| key.0 != *sandbox),
            _ => {}
        }
    }

    pub fn holds(&self, network: &NetworkName, address: IpAddr) -> bool {
        self.0.iter().any(|((_, name), kept)| name == network && kept.contains(&address))
    }

    /// Tells a model, as an engine does that has started.
    pub fn tell(&self, model: &mut Model) {
        for ((sandbox, name), addresses) in &self.0 {
            model.reserve(operations::sandbox(*sandbox), name, addresses.clone());
        }
    }
}
