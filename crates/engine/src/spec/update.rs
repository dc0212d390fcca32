//! The change of a network as clients of our own API write it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{IpamConfig, nullable};

/// The body of `POST /hawser/networks/{id}/update`; what is left out stays. The API is ours alone,
/// so a field that does not exist is a mistake, not a wish of another version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct NetworkUpdate {
    /// Labels to set; `null` takes one away.
    #[serde(default, deserialize_with = "nullable")]
    pub labels: BTreeMap<String, Option<String>>,
    /// Driver options to set; `null` takes one back to its default.
    #[serde(default, deserialize_with = "nullable")]
    pub options: BTreeMap<String, Option<String>>,
    /// Address pools to add.
    #[serde(default, deserialize_with = "nullable")]
    pub subnets: Vec<IpamConfig>,
}
