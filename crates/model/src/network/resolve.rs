//! Finding a network by what the user typed.

use std::sync::Arc;

use super::Network;
use crate::error::Error;
use crate::model::Model;

impl Model {
    /// The network that a term names, with Docker's precedence: full id, name, the start of one
    /// id alone.
    pub fn resolve_network(&self, term: &str) -> Result<&Arc<Network>, Error> {
        let by_id = term.parse().ok().and_then(|id| self.network(id));
        let by_name = || self.names.get(term).and_then(|id| self.network(*id));
        if let Some(found) = by_id.or_else(by_name) {
            return Ok(found);
        }
        let starts = |n: &&Arc<Network>| !term.is_empty() && n.id.to_string().starts_with(term);
        let found: Vec<_> = self.networks().filter(starts).collect();
        match found[..] {
            [one] => Ok(one),
            [] => Err(Error::NoSuchNetwork(term.to_owned())),
            _ => Err(Error::Ambiguous { term: term.to_owned(), count: found.len() }),
        }
    }
}
