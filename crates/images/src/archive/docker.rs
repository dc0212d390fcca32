//! The archive of `docker save`: `manifest.json` lists configuration, layers and names.
//!
//! In: the parts of an archive. Out: its images.

use serde::Deserialize;

use super::parts::{Parts, json};
use super::{Candidate, Part};
use crate::error::Result;
use crate::reference::Reference;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

pub(super) fn candidates(parts: &Parts) -> Result<Vec<Candidate>> {
    let list: Vec<Item> = json("manifest.json", &parts.get("manifest.json")?.bytes()?)?;
    list.into_iter().map(|item| candidate(parts, item)).collect()
}

fn candidate(parts: &Parts, item: Item) -> Result<Candidate> {
    let layer = |name: String| parts.get(&name).cloned();
    let layers = item.layers.unwrap_or_default().into_iter().map(layer);
    let names = item.repo_tags.unwrap_or_default();
    let name = |name: &String| Ok(Reference::parse(name)?.or_latest());
    Ok(Candidate {
        config: parts.get(&item.config)?.bytes()?,
        manifest: None,
        layers: layers.collect::<Result<Vec<Part>>>()?,
        names: names.iter().map(name).collect::<Result<_>>()?,
    })
}
