//! Archives of images: what `docker save` and OCI tools write.
//!
//! In: a stream of a tar, plain or compressed. Out: [`Candidate`]s: configuration, manifest,
//! layers (files in a staging directory, hashed) and names. Nothing is unpacked or kept here.

mod docker;
mod oci;
mod parts;

use std::io::Read;

use crate::error::{Error, Result};
use crate::files::Staging;
use crate::reference::Reference;
pub(crate) use parts::{Part, Parts, stage};

/// Longest configuration, manifest or index.
pub(crate) const MAX_JSON: u64 = 8 << 20;

/// An image as an archive has it.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// The configuration, byte for byte.
    pub config: Vec<u8>,
    /// The manifest, byte for byte, if the archive has one.
    pub manifest: Option<Vec<u8>>,
    /// The layers' blobs, the lowest first.
    pub layers: Vec<Part>,
    /// What it is to be called.
    pub names: Vec<Reference>,
}

/// Reads the whole archive; its files lie in `staging` until that is dropped.
pub(crate) fn read(archive: impl Read, staging: &Staging) -> Result<Vec<Candidate>> {
    let parts = Parts::read(archive, staging)?;
    // An archive of `docker save` is both; like Docker, believe its own list first.
    if parts.has("manifest.json") {
        return docker::candidates(&parts);
    }
    if parts.has("index.json") {
        return oci::candidates(&parts);
    }
    let message = "neither manifest.json (docker save) nor index.json (OCI) is in it";
    Err(Error::InvalidArchive(message.to_owned()))
}
