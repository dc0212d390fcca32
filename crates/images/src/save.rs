//! `save`: images as an archive that `load`, Docker and OCI tools read.
//!
//! In: references. Out: a tar with an OCI layout (`index.json`, `blobs/`) and Docker's
//! `manifest.json` over the same blobs. What came in goes out byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};

use serde_json::json;

use crate::Images;
use crate::error::{Error, Result};
use crate::id::{Digest, ImageId};
use crate::index::{Known, State};
use crate::manifest::{Descriptor, Index, MANIFEST};
use crate::reference::Reference;
use crate::resolve::{find, find_name};

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// Times in the archive: it depends on the images alone.
const EPOCH: u64 = 0;

impl Images {
    /// Writes the images that the references name as an archive that `load` reads
    /// (docker-archive and OCI layout in one). A name without a tag stands for all its tags.
    pub fn save(&self, references: &[&str], out: impl Write) -> Result<()> {
        let state = self.state();
        let wanted = wanted(&state, references)?;
        let known: Vec<&Known> =
            wanted.keys().filter_map(|id| Some(&**state.images.get(id)?)).collect();
        let blobs: BTreeSet<&Digest> = known.iter().flat_map(|known| known.blobs()).collect();
        // Nothing of it is swept while we write, whatever is removed meanwhile.
        let _pins = self.pins.pin(blobs.iter().copied());
        let mut archive = ::tar::Builder::new(out);
        let failed = |error| Error::io("write archive of", &self.layout.blobs())(error);
        for digest in blobs {
            let path = self.layout.blob(digest);
            let file = File::open(&path).map_err(Error::io("open", &path))?;
            let size = file.metadata().map_err(Error::io("read", &path))?.len();
            let name = format!("blobs/sha256/{}", digest.hex());
            append(&mut archive, &name, size, file).map_err(failed)?;
        }
        let index = to_json(&self.index(&state, &wanted)?)?;
        let manifest = to_json(&docker_manifest(&state, &wanted))?;
        for (name, bytes) in
            [("index.json", &index[..]), ("manifest.json", &manifest), ("oci-layout", LAYOUT)]
        {
            append(&mut archive, name, bytes.len() as u64, bytes).map_err(failed)?;
        }
        archive.finish().map_err(failed)
    }

    fn index(&self, state: &State, wanted: &Wanted) -> Result<Index> {
        let mut manifests = Vec::new();
        for (id, names) in wanted {
            let Some(known) = state.images.get(id) else { continue };
            let path = self.layout.blob(&known.manifest_digest);
            let size = path.metadata().map_err(Error::io("read", &path))?.len();
            let entry = Descriptor::new(MANIFEST, known.manifest_digest.clone(), size);
            manifests.extend(names.iter().map(|name| named(&entry, name)));
            if names.is_empty() {
                manifests.push(entry);
            }
        }
        let media_type = crate::manifest::INDEX.to_owned();
        Ok(Index { schema_version: 2, media_type, manifests })
    }
}

/// Images, with the names under which each was asked for.
type Wanted = BTreeMap<ImageId, BTreeSet<Reference>>;

fn named(entry: &Descriptor, name: &Reference) -> Descriptor {
    let tag = name.tag().unwrap_or_default().to_owned();
    let annotations = [
        ("io.containerd.image.name".to_owned(), name.to_string()),
        ("org.opencontainers.image.ref.name".to_owned(), tag),
    ];
    Descriptor { annotations: annotations.into(), ..entry.clone() }
}

fn wanted(state: &State, references: &[&str]) -> Result<Wanted> {
    let mut wanted = Wanted::new();
    for text in references {
        let all_tags = Reference::parse(text).ok();
        let all_tags = all_tags.filter(|name| name.tag().is_none() && name.digest().is_none());
        let tags = state.references.iter().filter(|(name, _)| {
            name.tag().is_some() && all_tags.as_ref().is_some_and(|all| all.name() == name.name())
        });
        let mut found = false;
        for (name, id) in tags {
            found = true;
            wanted.entry(id.clone()).or_default().insert(name.clone());
        }
        if !found {
            let id = find(state, text)?;
            let name = find_name(state, text).map(|(name, _)| name.clone());
            let name = name.filter(|name| name.tag().is_some());
            wanted.entry(id).or_default().extend(name);
        }
    }
    Ok(wanted)
}

fn docker_manifest(state: &State, wanted: &Wanted) -> Vec<serde_json::Value> {
    let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    let item = |(id, names): (&ImageId, &BTreeSet<Reference>)| {
        let known = state.images.get(id)?;
        let layers: Vec<String> =
            known.manifest.layers.iter().map(|layer| blob(&layer.digest)).collect();
        let tags: Vec<String> = names.iter().map(Reference::familiar).collect();
        Some(json!({"Config": blob(&id.0), "RepoTags": tags, "Layers": layers}))
    };
    wanted.iter().filter_map(item).collect()
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::InvalidArchive(error.to_string()))
}

fn append(
    archive: &mut ::tar::Builder<impl Write>,
    name: &str,
    size: u64,
    data: impl Read,
) -> io::Result<()> {
    let mut header = ::tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(EPOCH);
    archive.append_data(&mut header, name, data)
}
