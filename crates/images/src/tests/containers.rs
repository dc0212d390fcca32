//! Root file systems of containers.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::Kind;

#[test]
fn a_container_sees_its_layers_and_writes_to_its_own() {
    let store = Store::new();
    let (base, top) = (layer(&[("a", "1"), ("b", "1")]), layer(&[(".wh.a", ""), ("c", "1")]));
    store.images.load(docker_archive(&["x"], &[&base, &top]).as_slice()).unwrap();
    let image = store.images.resolve("x").unwrap().id;
    let rootfs = store.images.create_rootfs("0123abcd", &image).unwrap();
    assert_eq!(rootfs.lowers.len(), 2);
    let root = rootfs.mount(false).unwrap();
    let exists =
        |path: &str| rustix::fs::statat(&root, path, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok();
    assert!(!exists("a") && exists("b") && exists("c"));
    crate::ensure_dir(std::os::fd::AsFd::as_fd(&root), Path::new("/etc/x")).unwrap();
    assert!(rootfs.upper.join("etc/x").is_dir());
    drop(root);
    let store = store.reopen();
    assert_eq!(store.images.rootfs("0123abcd").unwrap(), rootfs);
    store.images.remove_rootfs("0123abcd").unwrap();
    store.images.remove_rootfs("0123abcd").unwrap();
    assert_eq!(store.images.rootfs("0123abcd").unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn the_root_directory_looks_as_the_image_has_it() {
    let store = Store::new();
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_ustar();
    header.set_entry_type(::tar::EntryType::Directory);
    header.set_mode(0o1750);
    header.set_uid(77);
    header.set_size(0);
    builder.append_data(&mut header, "./", std::io::empty()).unwrap();
    let tar = builder.into_inner().unwrap();
    let image = store.images.import(tar.as_slice(), &ImportOptions::default()).unwrap();
    let rootfs = store.images.create_rootfs("c", &image).unwrap();
    let upper = fs::metadata(&rootfs.upper).unwrap();
    assert_eq!((upper.mode() & 0o7777, upper.uid()), (0o1750, 77));
}

#[test]
fn an_image_without_layers_has_an_empty_root() {
    let store = Store::new();
    store.images.load(docker_archive(&["scratch-like"], &[]).as_slice()).unwrap();
    let image = store.images.resolve("scratch-like").unwrap().id;
    let rootfs = store.images.create_rootfs("c", &image).unwrap();
    let root = rootfs.mount(false).unwrap();
    crate::ensure_file(std::os::fd::AsFd::as_fd(&root), Path::new("/f")).unwrap();
    assert!(rootfs.upper.join("f").exists());
    assert_eq!(store.images.rootfs("c").unwrap(), rootfs);
}

#[test]
fn layers_stay_while_a_container_needs_them() {
    let store = Store::new();
    let image = store.import("x", "1");
    let rootfs = store.images.create_rootfs("c", &image).unwrap();
    store.images.remove("x", true, &|_| Vec::new()).unwrap();
    assert!(rootfs.lowers[0].join("f").exists());
    assert_eq!(store.images.create_rootfs("d", &image).unwrap_err().kind(), Kind::NotFound);
    let store = store.reopen();
    assert!(rootfs.lowers[0].join("f").exists(), "also over a restart");
    store.images.remove_rootfs("c").unwrap();
    assert_eq!(store.leftovers(), [""; 0]);
}

#[test]
fn ids_are_no_paths() {
    let store = Store::new();
    let image = store.import("x", "1");
    for id in ["", "..", "a/b", "../../x", "a\0"] {
        assert!(store.images.create_rootfs(id, &image).is_err(), "{id:?}");
        assert!(store.images.remove_rootfs(id).is_err(), "{id:?}");
    }
    store.images.create_rootfs("c", &image).unwrap();
    assert!(store.images.create_rootfs("c", &image).is_err(), "there is one already");
    assert_eq!(store.images.rootfs_ids().unwrap(), ["c"]);
    assert!(store.images.rootfs("c").is_ok(), "which the second attempt must not harm");
}

#[test]
fn what_a_crash_left_is_swept_away() {
    let store = Store::new();
    let image = store.import("x", "1");
    let digest = "ab".repeat(32);
    fs::create_dir_all(store.path(&format!("layers/{digest}/diff"))).unwrap();
    fs::write(store.path(&format!("images/blobs/sha256/{digest}")), "x").unwrap();
    fs::write(store.path(&format!("images/blobs/sha256/{digest}.0.new")), "x").unwrap();
    fs::create_dir(store.path("images/tmp/7")).unwrap();
    fs::create_dir_all(store.path("rootfs/half/diff")).unwrap();
    let store = store.reopen();
    assert!(!store.leftovers().iter().any(|name| name.contains(&digest) || name.contains("tmp")));
    assert!(store.images.create_rootfs("c", &image).is_ok());
}

#[test]
fn a_broken_image_does_not_hinder_the_others() {
    let store = Store::new();
    let broken = store.import("broken", "1");
    store.import("fine", "2");
    fs::write(store.path(&format!("images/blobs/sha256/{}", broken.0.hex())), "{").unwrap();
    let store = store.reopen();
    assert!(store.images.resolve("broken").is_err());
    assert!(store.images.resolve("fine").is_ok());
}
