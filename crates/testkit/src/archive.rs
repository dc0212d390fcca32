//! Image archives, as `docker save` writes them and as an attacker would.
//!
//! In: entries of layers, an image configuration, a name; out: the bytes of a docker-archive or an
//! OCI archive. Nothing is checked: hostile entries are what it is for.

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType};

use crate::rootfs::header;

/// One entry of a layer. Paths and targets are taken as they are, `..` and `/` included.
#[derive(Debug, Clone)]
pub enum ArchiveEntry {
    /// A directory.
    Directory(&'static str),
    /// A file: path, mode, content.
    File(&'static str, u32, &'static str),
    /// A symbolic link: path, target.
    Symlink(&'static str, &'static str),
    /// A hard link: path, target.
    Hardlink(&'static str, &'static str),
}

/// An uncompressed layer.
///
/// # Panics
/// When a path is longer than a tar header holds (100 bytes).
pub fn layer_tar(entries: &[ArchiveEntry]) -> Vec<u8> {
    match entries.iter().try_fold(Builder::new(Vec::new()), add).and_then(Builder::into_inner) {
        Ok(bytes) => bytes,
        Err(error) => panic!("layer: {error}"),
    }
}

fn add(mut tar: Builder<Vec<u8>>, entry: &ArchiveEntry) -> std::io::Result<Builder<Vec<u8>>> {
    let (kind, path, mode, data, target) = match entry {
        ArchiveEntry::Directory(path) => (EntryType::Directory, path, 0o755, "", ""),
        ArchiveEntry::File(path, mode, data) => (EntryType::Regular, path, *mode, *data, ""),
        ArchiveEntry::Symlink(path, target) => (EntryType::Symlink, path, 0o777, "", *target),
        ArchiveEntry::Hardlink(path, target) => (EntryType::Link, path, 0o644, "", *target),
    };
    let mut header = header(kind, mode, data.len() as u64);
    // The builder's own functions refuse `..` and absolute paths: write the fields directly.
    let fields = header.as_gnu_mut().ok_or_else(|| std::io::Error::other("no GNU header"))?;
    for (field, text) in
        [(&mut fields.name, path.as_bytes()), (&mut fields.linkname, target.as_bytes())]
    {
        let place = field.get_mut(..text.len()).ok_or_else(|| std::io::Error::other("too long"))?;
        place.copy_from_slice(text);
    }
    header.set_cksum();
    tar.append(&header, data.as_bytes())?;
    Ok(tar)
}

/// An image, before it is packed.
#[derive(Debug, Clone)]
pub struct ImageArchive {
    name: String,
    layers: Vec<Vec<u8>>,
    config: Value,
}

impl ImageArchive {
    /// An image `name` (`app:1`) of uncompressed `layers`, with `config` as the image's `config`
    /// object (`Cmd`, `Env`, …).
    pub fn new(name: &str, layers: Vec<Vec<u8>>, config: Value) -> ImageArchive {
        let diff_ids: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "created": "2024-01-01T00:00:00Z",
            "config": config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": layers.iter().map(|_| json!({ "created_by": "test" })).collect::<Vec<_>>(),
        });
        ImageArchive { name: name.to_owned(), layers, config }
    }

    /// Puts another value in the place of the layers' content digests.
    pub fn with_diff_ids(mut self, diff_ids: &[&str]) -> ImageArchive {
        self.config["rootfs"]["diff_ids"] = json!(diff_ids);
        self
    }

    /// The image's id.
    pub fn id(&self) -> String {
        digest(self.config.to_string().as_bytes())
    }

    /// The archive of `docker save` before OCI: `manifest.json`, a configuration, `layer.tar`s.
    ///
    /// # Panics
    /// Never, in practice: it is written to memory.
    pub fn docker(&self) -> Vec<u8> {
        let config = self.config.to_string();
        let config_name = format!("{}.json", hex(&config));
        let layers: Vec<String> =
            (0..self.layers.len()).map(|n| format!("l{n}/layer.tar")).collect();
        let manifest = json!([{
            "Config": config_name, "RepoTags": [self.name], "Layers": layers,
        }]);
        let mut files = vec![(config_name, config.into_bytes())];
        files.extend(layers.into_iter().zip(self.layers.clone()));
        files.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        pack(&files)
    }

    /// The OCI layout as an archive: `oci-layout`, `index.json`, blobs.
    ///
    /// # Panics
    /// Never, in practice: it is written to memory.
    pub fn oci(&self) -> Vec<u8> {
        let config = self.config.to_string().into_bytes();
        let mut files = vec![blob(&config)];
        files.extend(self.layers.iter().map(|layer| blob(layer)));
        let layer = "application/vnd.oci.image.layer.v1.tar";
        let layers: Vec<Value> = self.layers.iter().map(|bytes| descriptor(layer, bytes)).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": layers,
        });
        let manifest = manifest.to_string().into_bytes();
        files.push(blob(&manifest));
        let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
        entry["annotations"] = json!({
            "io.containerd.image.name": format!("docker.io/library/{}", self.name),
            "org.opencontainers.image.ref.name": self.name.split(':').next_back(),
        });
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
        files.push(("index.json".to_owned(), index.to_string().into_bytes()));
        pack(&files)
    }
}

fn blob(bytes: &[u8]) -> (String, Vec<u8>) {
    (digest(bytes).replace("sha256:", "blobs/sha256/"), bytes.to_vec())
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() })
}

fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let write = || -> Result<Vec<u8>> {
        let mut tar = Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = header(EntryType::Regular, 0o644, bytes.len() as u64);
            tar.append_data(&mut header, name, bytes.as_slice())?;
        }
        Ok(tar.into_inner()?)
    };
    match write() {
        Ok(bytes) => bytes,
        Err(error) => panic!("image archive: {error:#}"),
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
