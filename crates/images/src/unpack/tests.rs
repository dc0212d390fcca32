//! Layers on a real file system, the hostile ones with something beside it to harm.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::fgetxattr;

use super::*;

/// A tar made entry by entry, hostile ones included (`::tar::Header::set_path` refuses those).
struct Tar(::tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(::tar::Builder::new(Vec::new()))
    }

    fn entry(mut self, kind: ::tar::EntryType, path: &str, link: &str, data: &str) -> Self {
        let mut header = ::tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_size(data.len() as u64);
        header.set_mode(if kind == ::tar::EntryType::Directory { 0o750 } else { 0o4751 });
        header.set_uid(1234);
        header.set_gid(5678);
        header.set_mtime(1_600_000_000);
        header.set_device_major(1).unwrap();
        header.set_device_minor(7).unwrap();
        header.set_cksum();
        self.0.append(&header, data.as_bytes()).unwrap();
        self
    }

    fn file(self, path: &str, data: &str) -> Self {
        self.entry(::tar::EntryType::Regular, path, "", data)
    }

    fn dir(self, path: &str) -> Self {
        self.entry(::tar::EntryType::Directory, path, "", "")
    }

    fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(::tar::EntryType::Symlink, path, target, "")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(::tar::EntryType::Link, path, target, "")
    }

    fn xattr(mut self, name: &str, value: &[u8]) -> Self {
        let key = format!("SCHILY.xattr.{name}");
        self.0.append_pax_extensions([(key.as_str(), value)]).unwrap();
        self
    }

    /// Unpacks into `root`, beside which nothing may change.
    fn unpack(self, root: &Path) -> io::Result<u64> {
        unpack(&mut Archive::new(self.0.into_inner().unwrap().as_slice()), root)
    }
}

struct Sandbox {
    directory: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("root")).unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        let file = directory.path().join("outside/file");
        fs::write(&file, "theirs").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        Self { directory }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn outside(&self) -> PathBuf {
        self.directory.path().join("outside")
    }

    fn assert_outside_untouched(&self) {
        let names: Vec<_> = fs::read_dir(self.outside()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        let file = fs::metadata(self.outside().join("file")).unwrap();
        assert_eq!((file.nlink(), file.mode() & 0o7777), (1, 0o644));
        assert_eq!(fs::read_to_string(self.outside().join("file")).unwrap(), "theirs");
        assert_eq!(fs::read_dir(self.directory.path()).unwrap().count(), 2);
    }
}

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let file = fs::File::open(path).unwrap();
    let mut value = vec![0; 100];
    let length = fgetxattr(&file, name, value.as_mut_slice()).ok()?;
    value.truncate(length);
    Some(value)
}

fn is_whiteout_at(path: &Path) -> bool {
    let found = fs::symlink_metadata(path).unwrap();
    found.file_type().is_char_device() && found.rdev() == 0
}

#[test]
fn files_keep_what_they_are() {
    let sandbox = Sandbox::new();
    let size = Tar::new()
        .dir("./")
        .dir("bin")
        .xattr("user.note", b"a\0b")
        .xattr("security.capability", b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
        .file("bin/tool", "12345")
        .link("bin/again", "/bin/tool")
        .symlink("sh", "bin/tool")
        .link("sh2", "sh")
        .entry(::tar::EntryType::Char, "full", "", "")
        .entry(::tar::EntryType::Fifo, "pipe", "", "")
        .file("missing/parents/f", "1")
        .unpack(&sandbox.root())
        .unwrap();
    assert_eq!(size, 6);
    let root = sandbox.root();
    let tool = fs::metadata(root.join("bin/tool")).unwrap();
    assert_eq!((tool.mode() & 0o7777, tool.uid(), tool.gid()), (0o4751, 1234, 5678));
    assert_eq!((tool.mtime(), tool.nlink()), (1_600_000_000, 2));
    assert_eq!(fs::metadata(root.join("bin/again")).unwrap().ino(), tool.ino());
    assert_eq!(xattr(&root.join("bin/tool"), "user.note").unwrap(), b"a\0b");
    assert_eq!(xattr(&root.join("bin/tool"), "security.capability").unwrap().len(), 20);
    let bin = fs::metadata(root.join("bin")).unwrap();
    assert_eq!((bin.mode() & 0o7777, bin.mtime()), (0o750, 1_600_000_000), "set after its files");
    assert_eq!(fs::metadata(&root).unwrap().mtime(), 1_600_000_000);
    let symlink = fs::symlink_metadata(root.join("sh2")).unwrap();
    assert!(symlink.is_symlink(), "a hard link to a symlink is a symlink");
    assert_eq!((symlink.uid(), symlink.mtime()), (1234, 1_600_000_000));
    let full = fs::metadata(root.join("full")).unwrap();
    assert_eq!((full.rdev(), full.mode() & 0o7777), (makedev(1, 7), 0o4751));
    assert!(fs::metadata(root.join("pipe")).unwrap().file_type().is_fifo());
    assert_eq!(fs::metadata(root.join("missing")).unwrap().mode() & 0o777, 0o755);
}

fn makedev(major: u32, minor: u32) -> u64 {
    rustix::fs::makedev(major, minor)
}

#[test]
fn whiteouts_are_overlayfs_ones() {
    let sandbox = Sandbox::new();
    Tar::new()
        .file("a/.wh.gone", "")
        .file("b/kept", "1")
        .file("b/.wh..wh..opq", "")
        .file(".wh..wh.plnk", "")
        .file(".wh.again", "")
        .dir("again")
        .dir("replaced")
        .file(".wh.replaced", "")
        .file("stays", "1")
        .file(".wh.stays", "")
        .unpack(&sandbox.root())
        .unwrap();
    let root = sandbox.root();
    let opaque = |path: &str| xattr(&root.join(path), "trusted.overlay.opaque");
    assert!(is_whiteout_at(&root.join("a/gone")));
    assert_eq!(opaque("b").unwrap(), b"y");
    assert!(root.join("b/kept").exists());
    assert_eq!(opaque("again").unwrap(), b"y", "a new directory must not show the old one's files");
    assert_eq!(opaque("replaced").unwrap(), b"y");
    assert_eq!(opaque("a"), None);
    assert_eq!(fs::read_to_string(root.join("stays")).unwrap(), "1");
    assert!(!root.join(".wh..wh.plnk").exists());
}

#[test]
fn later_entries_replace_earlier_ones() {
    let sandbox = Sandbox::new();
    Tar::new()
        .file("x", "1")
        .file("x", "22")
        .dir("d")
        .file("d/inner", "1")
        .file("d", "now a file")
        .symlink("s", "x")
        .file("s", "through?")
        .file("f", "1")
        .dir("f")
        .file("f/inner", "1")
        .dir("t1")
        .dir("t2")
        .symlink("t", "t1")
        .file("t/1", "")
        .symlink("t", "t2")
        .file("t/2", "")
        .unpack(&sandbox.root())
        .unwrap();
    let read = |path: &str| fs::read_to_string(sandbox.root().join(path)).unwrap();
    assert_eq!((read("x").as_str(), read("d").as_str()), ("22", "now a file"));
    assert_eq!(read("s"), "through?", "the link was replaced, not followed");
    assert_eq!(read("f/inner"), "1");
    assert!(sandbox.root().join("t1/1").exists() && sandbox.root().join("t2/2").exists());
}

#[test]
fn links_inside_the_root_are_followed() {
    let sandbox = Sandbox::new();
    Tar::new()
        .dir("usr/lib")
        .symlink("lib", "usr/lib")
        .file("lib/a", "1")
        .symlink("usr/up", "../usr/lib")
        .file("usr/up/b", "2")
        .unpack(&sandbox.root())
        .unwrap();
    assert!(sandbox.root().join("usr/lib/a").exists() && sandbox.root().join("usr/lib/b").exists());
}

#[test]
fn nothing_is_written_outside() {
    let sandbox = Sandbox::new();
    let outside = sandbox.outside();
    let outside = outside.to_str().unwrap();
    let inner = |path: &str| format!("{path}/file");
    let attempts = [
        ("climbing name", Tar::new().file("../outside/file", "mine")),
        ("climbing later", Tar::new().file("a/../../outside/file", "mine")),
        ("absolute link", Tar::new().symlink("l", outside).file("l/file", "mine")),
        ("absolute link, new directory", Tar::new().symlink("l", outside).dir("l/d")),
        ("climbing link", Tar::new().symlink("l", "../outside").file("l/file", "mine")),
        ("link to a link", Tar::new().symlink("m", "..").symlink("l", "m/outside").dir("l/d")),
        ("deep link", Tar::new().dir("d").symlink("d/l", "../../outside").file("d/l/new", "")),
        ("hard link", Tar::new().link("l", &inner("../outside"))),
        ("hard link through a link", Tar::new().symlink("m", outside).link("l", "m/file")),
        ("hard link at a link", Tar::new().file("f", "").symlink("m", outside).link("m/l", "f")),
        ("whiteout", Tar::new().symlink("l", outside).file("l/.wh.file", "")),
        ("whiteout of the parent", Tar::new().file(".wh...", "")),
        ("whiteout of itself", Tar::new().dir("d").file("d/.wh..", "")),
        ("opaque", Tar::new().symlink("l", outside).file("l/.wh..wh..opq", "")),
        ("device", Tar::new().symlink("l", outside).entry(::tar::EntryType::Char, "l/d", "", "")),
        ("symlink", Tar::new().symlink("l", outside).symlink("l/s", "x")),
        ("magic link", Tar::new().symlink("l", "/proc/self/cwd").dir("l/d")),
        ("root as a link", Tar::new().symlink("./", outside)),
        ("root as a hard link", Tar::new().link("x", "/")),
    ];
    for (what, tar) in attempts {
        let root = sandbox.root();
        assert!(tar.unpack(&root).is_err(), "{what}");
        sandbox.assert_outside_untouched();
        fs::remove_dir_all(&root).unwrap();
        fs::create_dir(&root).unwrap();
    }
}

#[test]
fn the_error_says_which_entry_would_be_outside() {
    let sandbox = Sandbox::new();
    let error = Tar::new().symlink("l", "/etc").file("l/x", "1").unpack(&sandbox.root());
    let message = error.unwrap_err().to_string();
    assert_eq!(message, "entry \"l/x\" would be written outside the layer's root");
}

#[test]
fn a_link_as_the_last_part_is_replaced_not_written_through() {
    let sandbox = Sandbox::new();
    let file = sandbox.outside().join("file");
    let tar = Tar::new().symlink("l", file.to_str().unwrap()).file("l", "mine");
    tar.unpack(&sandbox.root()).unwrap();
    sandbox.assert_outside_untouched();
    assert_eq!(fs::read_to_string(sandbox.root().join("l")).unwrap(), "mine");
}

#[test]
fn xattrs_of_overlayfs_are_not_taken_from_an_image() {
    let sandbox = Sandbox::new();
    Tar::new()
        .xattr("trusted.overlay.redirect", b"/etc")
        .xattr("user.overlay.opaque", b"y")
        .xattr("security.selinux", b"x")
        .dir("d")
        .unpack(&sandbox.root())
        .unwrap();
    for name in ["trusted.overlay.redirect", "user.overlay.opaque", "security.selinux"] {
        assert_eq!(xattr(&sandbox.root().join("d"), name), None, "{name}");
    }
}
