//! Records of networks, sandboxes and endpoints in the store.
//!
//! In: the store. Out: a model whose laws hold. A record that can't be read is an error that names
//! its key: nothing is dropped silently.

use hawser_model::{Model, Records};
use hawser_store::{Embedded, Store};
use serde::de::DeserializeOwned;

use crate::engine::system;
use crate::error::{Error, Kind, Result};

/// The model that was saved.
pub(super) fn load(store: &Embedded) -> Result<Model> {
    let records = Records {
        networks: list(store, "network/")?,
        sandboxes: list(store, "sandbox/")?,
        endpoints: list(store, "endpoint/")?,
    };
    Model::from_records(records).map_err(|e| system("read the networks from the store", e))
}

fn list<R: DeserializeOwned>(store: &Embedded, prefix: &str) -> Result<Vec<R>> {
    let found = store.list(prefix).map_err(|e| system("read the store", e))?;
    let read = found.entries.iter().map(|entry| {
        serde_json::from_slice(&entry.value)
            .map_err(|e| Error::caused(Kind::System, format!("read record {}", entry.key), e))
    });
    read.collect()
}
