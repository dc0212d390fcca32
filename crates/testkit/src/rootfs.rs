//! The root file system of the `busybox` image, made from the machine's own busybox.
//!
//! In: `/bin/busybox` (package busybox-static); out: a tar archive with all applets as symbolic
//! links, `/etc/passwd`, `/etc/group` and the usual directories. Nothing is downloaded.

use std::io::Write;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use tar::{Builder, EntryType, Header};

const DIRECTORIES: [(&str, u32); 12] = [
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/sbin", 0o755),
    ("var", 0o755),
    ("var/www", 0o755),
];

const FILES: [(&str, u32, &str); 5] = [
    (
        "etc/passwd",
        0o644,
        "root:x:0:0:root:/root:/bin/sh\n\
         daemon:x:1:1:daemon:/usr/sbin:/bin/false\n\
         operator:x:37:37:Operator:/var:/bin/false\n\
         nobody:x:65534:65534:nobody:/home:/bin/false\n",
    ),
    (
        "etc/group",
        0o644,
        "root:x:0:\ndaemon:x:1:\nwheel:x:10:root\noperator:x:37:\nnobody:x:65534:\n",
    ),
    ("etc/shadow", 0o640, "root::10933:0:99999:7:::\n"),
    ("etc/nsswitch.conf", 0o644, "hosts: files dns\n"),
    ("var/www/index.html", 0o644, "hello from busybox\n"),
];

/// The archive, made once for a process.
///
/// # Panics
/// When `/bin/busybox` is missing or not static.
pub fn busybox_tar() -> &'static [u8] {
    static TAR: OnceLock<Vec<u8>> = OnceLock::new();
    TAR.get_or_init(|| match build() {
        Ok(bytes) => bytes,
        Err(error) => panic!("busybox image: {error:#}"),
    })
}

fn build() -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, mode) in DIRECTORIES {
        append(&mut tar, EntryType::Directory, path, mode, b"")?;
    }
    let busybox = std::fs::read("/bin/busybox").context("read /bin/busybox (busybox-static)")?;
    append(&mut tar, EntryType::Regular, "bin/busybox", 0o755, &busybox)?;
    for applet in applets()?.lines().filter(|name| *name != "busybox") {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        tar.append_link(&mut header, format!("bin/{applet}"), "busybox")?;
    }
    for (path, mode, text) in FILES {
        append(&mut tar, EntryType::Regular, path, mode, text.as_bytes())?;
    }
    let mut bytes = tar.into_inner()?;
    bytes.flush()?;
    Ok(bytes)
}

fn applets() -> Result<String> {
    let output = Command::new("/bin/busybox").arg("--list").output().context("run busybox")?;
    ensure!(output.status.success(), "`busybox --list` failed");
    Ok(String::from_utf8(output.stdout)?)
}

fn append(
    tar: &mut Builder<Vec<u8>>,
    kind: EntryType,
    path: &str,
    mode: u32,
    data: &[u8],
) -> Result<()> {
    let mut header = header(kind, mode, data.len() as u64);
    tar.append_data(&mut header, path, data)?;
    Ok(())
}

/// A header of a file of root's, of a fixed date, so that the image's id depends on busybox alone.
pub(crate) fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header
}
