//! `network ls`.

use hawser_model::Network;

use super::NetworkDetails;
use super::inspect::details;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::filters::Filters;

const KNOWN_FILTERS: &[&str] = &["dangling", "driver", "id", "label", "name", "scope", "type"];

impl Engine {
    /// All networks that the filters let through, ordered by name.
    ///
    /// # Errors
    /// Invalid: an unknown filter or value.
    pub fn network_list(&self, filters: &Filters) -> Result<Vec<NetworkDetails>> {
        filters.allow(KNOWN_FILTERS)?;
        let dangling = dangling(filters)?;
        if let Some(wrong) = filters.values("type").find(|t| !matches!(*t, "custom" | "builtin")) {
            return Err(Error::invalid(format!("invalid filter: 'type'='{wrong}'")));
        }
        let model = self.networks.writer.model();
        let unused = |n: &Network| !n.predefined && model.endpoints_of_network(n.id).is_empty();
        let networks = model.networks().map(|n| &**n).filter(|n| passes(n, filters));
        let mut found: Vec<&Network> =
            networks.filter(|n| dangling.is_none_or(|wanted| wanted == unused(n))).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found.into_iter().map(|n| details(&model, n)).collect())
    }
}

/// Whether only networks in use, or only those that are not, are wanted; in Docker's words.
fn dangling(filters: &Filters) -> Result<Option<bool>> {
    if filters.values("dangling").count() > 1 {
        let text = "got more than one value for filter key \"dangling\"";
        return Err(Error::invalid(text));
    }
    match filters.values("dangling").next() {
        None => Ok(None),
        Some("1" | "true") => Ok(Some(true)),
        Some("0" | "false") => Ok(Some(false)),
        Some(_) => Err(Error::invalid(
            "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")",
        )),
    }
}

fn passes(network: &Network, filters: &Filters) -> bool {
    filters.pattern("name", network.name.as_str())
        && filters.pattern("id", &network.id.to_string())
        && filters.exact("driver", network.driver.as_str())
        && filters.exact("scope", network.scope.as_str())
        && filters.exact("type", if network.predefined { "builtin" } else { "custom" })
        && filters.labels("label", &network.labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangling_is_yes_or_no() {
        let with = |value: &str| Filters::default().with("dangling", value);
        assert_eq!(dangling(&Filters::default()).unwrap(), None);
        assert_eq!(dangling(&with("1")).unwrap(), Some(true));
        assert_eq!(dangling(&with("false")).unwrap(), Some(false));
        let message = |filters: Filters| dangling(&filters).unwrap_err().to_string();
        assert!(message(with("maybe")).starts_with("invalid value for filter 'dangling', must be"));
        let both = with("true").with("dangling", "false");
        assert_eq!(message(both), "got more than one value for filter key \"dangling\"");
    }
}
