//! Unpacked layers, one directory for each chain id: `<chain>/diff` and `<chain>/layer.json`.
//!
//! In: a layer's blob and the diff id it must have. Out: its directory, complete or not there:
//! it is unpacked elsewhere and moved in place. Which layers are still needed is not known here.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compression;
use crate::error::{Error, Result};
use crate::files::{Layout, create_dir};
use crate::hash::Hashing;
use crate::id::{ChainId, Digest};
use crate::tar::Archive;
use crate::unpack::unpack;

/// Most bytes of a layer's uncompressed tar.
pub(crate) const MAX_LAYER: u64 = 64 << 30;

#[derive(Serialize, Deserialize)]
struct Record {
    /// Bytes of all regular files.
    size: u64,
}

/// Where the files of a layer are.
pub(crate) fn diff(layout: &Layout, chain: &ChainId) -> PathBuf {
    layout.layer(chain).join("diff")
}

/// Bytes of regular files in a layer; `None` if there is no such layer.
pub(crate) fn size(layout: &Layout, chain: &ChainId) -> Option<u64> {
    let bytes = fs::read(layout.layer(chain).join("layer.json")).ok()?;
    serde_json::from_slice::<Record>(&bytes).ok().map(|record| record.size)
}

/// Makes sure that the layer is there; returns its size. `blob` must hash to `diff_id` when
/// uncompressed.
pub(crate) fn ensure(
    layout: &Layout,
    chain: &ChainId,
    blob: &Path,
    diff_id: &Digest,
) -> Result<u64> {
    if let Some(size) = size(layout, chain) {
        verify(blob, diff_id)?;
        return Ok(size);
    }
    let staging = layout.staging()?;
    let size = unpack_into(staging.path(), blob, diff_id)?;
    let target = layout.layer(chain);
    // A second load of the same layer may have been quicker.
    match fs::rename(staging.path(), &target) {
        Err(error) if !target.is_dir() => Err(Error::io("move layer to", &target)(error)),
        _ => Ok(size),
    }
}

fn unpack_into(directory: &Path, blob: &Path, diff_id: &Digest) -> Result<u64> {
    let diff = directory.join("diff");
    create_dir(&diff)?;
    let hostile = |error: std::io::Error| Error::archive_io("unpack layer into", &diff, error);
    let mut archive = Archive::new(plain(blob)?);
    let size = unpack(&mut archive, &diff).map_err(hostile)?;
    let (found, _) = archive.finish().map_err(hostile)?.finish();
    expect(diff_id, &found)?;
    let record = directory.join("layer.json");
    let bytes = format!("{{\"size\":{size}}}");
    fs::write(&record, bytes).map_err(Error::io("write", &record))?;
    Ok(size)
}

/// Checks the digest of a layer that need not be unpacked.
fn verify(blob: &Path, diff_id: &Digest) -> Result<()> {
    let mut reader = plain(blob)?;
    let copied = std::io::copy(&mut reader, &mut std::io::sink());
    copied.map_err(|error| Error::archive_io("read", blob, error))?;
    expect(diff_id, &reader.finish().0)
}

fn plain(blob: &Path) -> Result<Hashing<Box<dyn Read>>> {
    let file = File::open(blob).map_err(Error::io("open", blob))?;
    let (plain, _) =
        compression::plain(file).map_err(|error| Error::archive_io("read", blob, error))?;
    Ok(Hashing::new(plain, MAX_LAYER))
}

fn expect(diff_id: &Digest, found: &Digest) -> Result<()> {
    if found == diff_id {
        return Ok(());
    }
    let message = format!("invalid diffID for layer: expected \"{diff_id}\", got \"{found}\"");
    Err(Error::InvalidArchive(message))
}
