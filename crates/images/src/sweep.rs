//! Sweeping: layers and blobs that nothing needs any more go away.
//!
//! In: the index, the containers' root file systems, the pins. Out: fewer files. Needed is what
//! an image names, what a container's root is made of, and what is pinned.

use std::collections::HashSet;
use std::fs;

use crate::Images;
use crate::error::{Error, Result};
use crate::files::{self, Staging};
use crate::id::{ChainId, Digest};
use crate::rootfs;

impl Images {
    /// Removes those of the layers and blobs that nothing needs; returns the removed layers,
    /// the topmost first.
    pub(crate) fn sweep(&self, layers: Vec<ChainId>, blobs: Vec<Digest>) -> Result<Vec<ChainId>> {
        let trash = self.layout.staging()?;
        let mut removed = Vec::new();
        // Nothing can be pinned from here to the end: what is not needed now stays so.
        let pinned = self.pins.lock();
        let state = self.state();
        let known = state.images.values();
        let blobs_needed: HashSet<&Digest> =
            pinned.keys().chain(known.clone().flat_map(|known| known.blobs())).collect();
        let mut layers_needed: HashSet<ChainId> = pinned.keys().cloned().map(ChainId).collect();
        layers_needed.extend(known.flat_map(|known| known.chain()));
        layers_needed.extend(rootfs::all_layers(&self.layout)?);
        for chain in layers.into_iter().rev().filter(|chain| !layers_needed.contains(chain)) {
            if self.discard_layer(&chain, &trash)? {
                removed.push(chain);
            }
        }
        for digest in blobs.iter().filter(|digest| !blobs_needed.contains(digest)) {
            files::remove_file(&self.layout.blob(digest))?;
        }
        drop(pinned);
        Ok(removed)
    }

    /// Removes all that nothing needs: what a load that failed left behind.
    pub(crate) fn sweep_all(&self) -> Result<()> {
        let digest = |hex: String| format!("sha256:{hex}").parse::<Digest>().ok();
        let layers = files::names(&self.layout.layers())?;
        let layers = layers.into_iter().filter_map(digest).map(ChainId).collect();
        let blobs = files::names(&self.layout.blobs())?.into_iter().filter_map(digest).collect();
        self.sweep(layers, blobs).map(drop)
    }

    /// Removes what a crash left half-made, too. Only while nothing else goes on: at the start.
    pub(crate) fn sweep_after_crash(&self) -> Result<()> {
        let blobs = self.layout.blobs();
        for name in files::names(&blobs)?.iter().filter(|name| name.contains('.')) {
            files::remove_file(&blobs.join(name))?;
        }
        rootfs::remove_half_made(&self.layout)?;
        self.sweep_parts(crate::PART_LIFETIME)?;
        self.sweep_all()
    }

    /// Moves a layer out of sight; its files are removed with the trash, after the lock.
    fn discard_layer(&self, chain: &ChainId, trash: &Staging) -> Result<bool> {
        let layer = self.layout.layer(chain);
        match fs::rename(&layer, trash.path().join(chain.0.hex())) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("remove layer", &layer)(error)),
        }
    }
}
