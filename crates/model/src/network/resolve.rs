//! Finding a network by what the user typed.

use std::sync::Arc;

use super::Network;
use crate::error::Error;
use crate::id::NetworkId;
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
        let found: Vec<_> = self.ids_starting_with(term).collect();
        match found[..] {
            [one] => Ok(one),
            [] => Err(Error::NoSuchNetwork(term.to_owned())),
            _ => Err(Error::Ambiguous { term: term.to_owned(), count: found.len() }),
        }
    }

    /// Networks whose ids start so; none if the text is empty.
    fn ids_starting_with(&self, term: &str) -> impl Iterator<Item = &Arc<Network>> {
        let lowest = if term.is_empty() { None } else { format!("{term:0<64}").parse().ok() };
        let from = lowest.into_iter().flat_map(|lowest: NetworkId| self.networks.range(lowest..));
        let starts = move |network: &&Arc<Network>| network.id.to_string().starts_with(term);
        from.map(|(_, network)| network).take_while(starts)
    }
}
