//! The OCI image layout in a tar: `index.json` names manifests, `blobs/` has everything.
//!
//! In: the parts of an archive. Out: its images for this machine. Every blob's digest is checked.

use super::Candidate;
use super::parts::{Parts, json};
use crate::error::{Error, Result};
use crate::manifest::{self, Descriptor, Index, Manifest};
use crate::reference::Reference;

/// The image's name in containerd's archives.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// A tag, or a whole name, in everyone else's.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// How deep indexes may be nested.
const MAX_DEPTH: usize = 4;

pub(super) fn candidates(parts: &Parts) -> Result<Vec<Candidate>> {
    let index: Index = json("index.json", &parts.get("index.json")?.bytes()?)?;
    let mut images: Vec<Candidate> = Vec::new();
    for entry in &index.manifests {
        let Some(found) = image(parts, entry, MAX_DEPTH)? else { continue };
        let name = name(entry);
        // One image with two names is listed twice.
        match images.iter_mut().find(|image| image.manifest == found.manifest) {
            Some(image) => image.names.extend(name),
            None => images.push(Candidate { names: name.into_iter().collect(), ..found }),
        }
    }
    if images.is_empty() {
        return Err(Error::InvalidArchive("no image for this machine is in it".to_owned()));
    }
    Ok(images)
}

/// The image that an entry stands for; of several for different machines, ours.
fn image(parts: &Parts, entry: &Descriptor, depth: usize) -> Result<Option<Candidate>> {
    if !is_for_us(entry) {
        return Ok(None);
    }
    let bytes = parts.blob(&entry.digest)?.bytes()?;
    if entry.media_type != manifest::INDEX && entry.media_type != manifest::DOCKER_LIST {
        return candidate(parts, bytes).map(Some);
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::InvalidArchive("indexes nested too deeply".to_owned()));
    };
    let index: Index = json("index", &bytes)?;
    for inner in &index.manifests {
        // An index may list machines whose blobs were left out of the archive.
        if let Some(found) = image(parts, inner, depth)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_for_us(entry: &Descriptor) -> bool {
    entry.platform.as_ref().is_none_or(|platform| {
        platform.os == "linux" && platform.architecture == manifest::architecture()
    })
}

fn candidate(parts: &Parts, bytes: Vec<u8>) -> Result<Candidate> {
    let manifest: Manifest = json("manifest", &bytes)?;
    let layers = manifest.layers.iter().map(|layer| parts.blob(&layer.digest).cloned());
    Ok(Candidate {
        config: parts.blob(&manifest.config.digest)?.bytes()?,
        layers: layers.collect::<Result<_>>()?,
        manifest: Some(bytes),
        names: Vec::new(),
    })
}

/// What the entry calls its image. A mere tag is no name: the archive does not say of what.
fn name(entry: &Descriptor) -> Option<Reference> {
    let whole = |text: &&String| text.contains(['/', ':']);
    let annotation = |key: &str| entry.annotations.get(key);
    let text = annotation(CONTAINERD_NAME).or_else(|| annotation(REF_NAME).filter(whole))?;
    Reference::parse(text).ok().map(Reference::or_latest)
}
