//! The store as a whole: load, import, resolve, tag, remove, save, root file systems.

mod archives;
mod containers;
mod hostile;
mod names;
mod pulled;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{Digest, ImageId, Images, ImportOptions};

/// A store in a directory of its own.
struct Store {
    directory: tempfile::TempDir,
    images: Images,
}

impl Store {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let images = Images::open(directory.path()).unwrap();
        Self { directory, images }
    }

    fn reopen(self) -> Self {
        let Self { directory, images } = self;
        drop(images);
        let images = Images::open(directory.path()).unwrap();
        Self { directory, images }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn import(&self, reference: &str, content: &str) -> ImageId {
        let options = ImportOptions { reference: Some(reference.to_owned()), ..Default::default() };
        self.images.import(layer(&[("f", content)]).as_slice(), &options).unwrap()
    }

    /// What is in the store's directories, but for names and roots.
    fn leftovers(&self) -> Vec<String> {
        let mut all = Vec::new();
        for directory in ["layers", "images/blobs/sha256", "images/tmp", "rootfs"] {
            all.extend(
                names(&self.path(directory)).iter().map(|name| format!("{directory}/{name}")),
            );
        }
        all
    }
}

fn names(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    fs::read_dir(directory).unwrap().map(|e| name(e).into_string().unwrap()).collect()
}

/// A tar of files.
fn layer(files: &[(&str, &str)]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (*n, c.as_bytes())).collect();
    tar_of(&files)
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A configuration with fields that we do not know, for layers given as tars.
fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let config = json!({
        "architecture": crate::manifest::architecture(), "os": "linux",
        "created": "2024-01-02T03:04:05Z", "moby.something": {"new": 1},
        "config": {"Env": ["A=b"], "Cmd": ["/bin/sh"], "Volumes": null, "Unknown": true},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": null,
    });
    serde_json::to_vec(&config).unwrap()
}

/// An archive as old `docker save` writes it.
fn docker_archive(tags: &[&str], layers: &[&[u8]]) -> Vec<u8> {
    let config = config(layers);
    let names: Vec<String> = (0..layers.len()).map(|n| format!("{n}/layer.tar")).collect();
    let manifest = json!([{"Config": "c.json", "RepoTags": tags, "Layers": names}]).to_string();
    let mut files: Vec<(&str, &[u8])> = vec![("c.json", &config)];
    files.extend(names.iter().zip(layers).map(|(name, layer)| (name.as_str(), *layer)));
    files.push(("manifest.json", manifest.as_bytes()));
    tar_of(&files)
}
