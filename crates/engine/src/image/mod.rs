//! Images: the verbs of crate `images`, made asynchronous, with their events.
//!
//! In: references, archives. Out: images and what was done, in that crate's types. How images are
//! kept is none of its business; who uses them is.

use std::io::{Read, Write};
use std::sync::Arc;

pub use hawser_images::{Image, ImportOptions, Loaded, Removed};

use crate::Engine;
use crate::error::Result;
use crate::filters::Filters;

/// What a prune of images removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagesPruned {
    /// What was done, in order.
    pub removed: Vec<Removed>,
    /// Bytes.
    pub space_reclaimed: u64,
}

/// An image in a list.
#[derive(Clone, Debug)]
pub struct ImageView {
    /// The image.
    pub image: Image,
    /// How many containers use it.
    pub containers: usize,
}

impl Engine {
    /// Images, the youngest first.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn image_list(self: &Arc<Self>, filters: &Filters) -> Result<Vec<ImageView>> {
        let _ = filters;
        todo!()
    }

    /// The image of a name, id or unique id prefix; its history is in its configuration.
    ///
    /// # Errors
    /// NotFound, Invalid for a malformed reference.
    pub async fn image_inspect(self: &Arc<Self>, reference: &str) -> Result<Image> {
        let _ = reference;
        todo!()
    }

    /// Reads an archive (docker-archive, OCI), plain or compressed, on a blocking thread.
    ///
    /// # Errors
    /// Invalid if it is no such archive, or not to be trusted.
    pub async fn image_load(self: &Arc<Self>, archive: impl Read + Send + 'static) -> Result<Vec<Loaded>> {
        let _ = archive;
        todo!()
    }

    /// Makes an image of a tar of a root file system, on a blocking thread; the answer is its id.
    ///
    /// # Errors
    /// Invalid for options that make no sense or an archive that is none.
    pub async fn image_import(
        self: &Arc<Self>,
        archive: impl Read + Send + 'static,
        options: ImportOptions,
    ) -> Result<String> {
        let _ = (archive, options);
        todo!()
    }

    /// Writes images as an archive that `load` reads, on a blocking thread.
    ///
    /// # Errors
    /// NotFound, or of the writer.
    pub async fn image_save(
        self: &Arc<Self>,
        references: Vec<String>,
        out: impl Write + Send + 'static,
    ) -> Result<()> {
        let _ = (references, out);
        todo!()
    }

    /// Gives an image a further name.
    ///
    /// # Errors
    /// NotFound, Invalid for a malformed name.
    pub async fn image_tag(self: &Arc<Self>, source: &str, target: &str) -> Result<()> {
        let _ = (source, target);
        todo!()
    }

    /// Takes a name away, and the image with its last one.
    ///
    /// # Errors
    /// NotFound, Conflict if a container uses it.
    pub async fn image_remove(self: &Arc<Self>, reference: &str, force: bool) -> Result<Vec<Removed>> {
        let _ = (reference, force);
        todo!()
    }

    /// Removes images that nothing uses: those without a name, or all with `dangling=false`.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn image_prune(self: &Arc<Self>, filters: &Filters) -> Result<ImagesPruned> {
        let _ = filters;
        todo!()
    }

    /// Refused: pulling comes with a later release.
    ///
    /// # Errors
    /// Always NotImplemented; Invalid for a malformed reference.
    pub async fn image_pull(self: &Arc<Self>, reference: &str) -> Result<()> {
        let _ = reference;
        todo!()
    }
}
