//! `import`: an image out of a tar of a root file system.
//!
//! In: the tar, plain or compressed, and what the configuration is to say. Out: an image of one
//! layer.

use std::io::Read;

use crate::archive::{self, Candidate};
use crate::compression;
use crate::config::{ContainerConfig, History, ImageConfig, RootFs};
use crate::error::{Error, Result};
use crate::id::{Digest, ImageId};
use crate::load::add;
use crate::resolve::{put_tag, taggable};
use crate::{Images, Platform, Reference, instruction, now};

/// How `import` makes an image out of a tar of a root file system.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// `repo[:tag]` to give it.
    pub reference: Option<String>,
    /// The history's comment.
    pub message: String,
    /// Dockerfile instructions (`CMD ["sh"]`, `ENV A=b`, …).
    pub changes: Vec<String>,
    /// `os[/architecture[/variant]]`; this machine's if `None`.
    pub platform: Option<String>,
}

impl Images {
    /// Makes an image of one layer from a tar (plain or compressed) of a root file system.
    ///
    /// Errors: kind `InvalidParameter` for a bad reference, change, platform or archive, of which
    /// nothing stays.
    pub fn import(&self, archive: impl Read, options: &ImportOptions) -> Result<ImageId> {
        // All that can be refused without reading the archive first.
        let name = options.reference.as_deref().map(taggable).transpose()?;
        let mut container = ContainerConfig::default();
        instruction::apply(&mut container, &options.changes)?;
        let platform = options.platform.as_deref().filter(|text| !text.is_empty());
        let platform = platform.map_or_else(|| Ok(Platform::here()), Platform::parse)?;

        let staging = self.layout.staging()?;
        let path = staging.path().join("layer");
        let failed = |error| Error::archive_io("read archive into", &path, error);
        let (plain, _) = compression::plain(archive).map_err(failed)?;
        let layer = archive::stage(plain, &path)?;
        let config = config(container, platform, &layer.digest, &options.message);
        let config = serde_json::to_vec(&config).map_err(|error| failed(error.into()))?;
        let layers = vec![layer];
        let candidate = Candidate { config, manifest: None, layers, names: Vec::new() };
        self.import_one(&candidate, name).inspect_err(|_| self.tidy_up())
    }

    fn import_one(&self, candidate: &Candidate, name: Option<Reference>) -> Result<ImageId> {
        let (id, known, _pins) = self.keep(candidate)?;
        self.sync()?;
        self.change(|state| {
            add(state, &id, &known);
            if let Some(name) = name {
                put_tag(state, &id, name);
            }
            Ok(())
        })?;
        Ok(id)
    }
}

fn config(
    config: ContainerConfig,
    Platform { os, architecture, variant }: Platform,
    diff_id: &Digest,
    message: &str,
) -> ImageConfig {
    let created = Some(now());
    let comment = message.to_owned();
    let history = History { created: created.clone(), comment, ..History::default() };
    let rootfs = RootFs { kind: "layers".to_owned(), diff_ids: vec![diff_id.clone()] };
    ImageConfig {
        os,
        architecture,
        variant,
        created,
        config,
        rootfs,
        history: vec![history],
        ..ImageConfig::default()
    }
}
