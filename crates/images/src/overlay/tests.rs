//! Overlays, mounted nowhere.

use std::fs;

use rustix::fs::{Mode, OFlags, openat};

use super::*;

fn rootfs(layers: usize) -> (tempfile::TempDir, Rootfs) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: String| directory.path().join(name);
    let lowers: Vec<PathBuf> = (0..layers).map(|n| path(format!("lower-{n:03}"))).collect();
    let rootfs = Rootfs { lowers, upper: path("upper".into()), work: path("work".into()) };
    for (n, lower) in rootfs.lowers.iter().enumerate() {
        fs::create_dir(lower).unwrap();
        fs::write(lower.join(format!("from-{n}")), "1").unwrap();
        fs::write(lower.join("top"), format!("{n}")).unwrap();
    }
    fs::create_dir(&rootfs.upper).unwrap();
    fs::create_dir(&rootfs.work).unwrap();
    (directory, rootfs)
}

fn read(root: &OwnedFd, path: &str) -> String {
    let file = openat(root, path, OFlags::RDONLY, Mode::empty()).unwrap();
    std::io::read_to_string(fs::File::from(file)).unwrap()
}

fn write(root: &OwnedFd, path: &str) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE;
    openat(root, path, flags, Mode::from_raw_mode(0o644)).map(drop)
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

#[test]
fn the_layers_are_seen_and_writes_go_to_the_upper_one() {
    let (_directory, rootfs) = rootfs(3);
    let before = mounts();
    let root = rootfs.mount(false).unwrap();
    assert_eq!(mounts(), before, "attached nowhere");
    assert_eq!(read(&root, "top"), "0", "the first is the topmost");
    assert_eq!(read(&root, "from-2"), "1");
    write(&root, "new").unwrap();
    drop(root);
    assert!(rootfs.upper.join("new").exists() && !rootfs.lowers[0].join("new").exists());
    let again = rootfs.mount(true).unwrap();
    assert_eq!(read(&again, "new"), "");
    assert_eq!(write(&again, "more"), Err(Errno::ROFS));
}

#[test]
fn many_layers_are_fine() {
    let (_directory, rootfs) = rootfs(200);
    let root = rootfs.mount(false).unwrap();
    assert_eq!((read(&root, "top").as_str(), read(&root, "from-199").as_str()), ("0", "1"));
}

/// What Linux before 6.5 needs, which works on later ones too.
#[test]
fn layers_can_be_given_by_number() {
    let (_directory, rootfs) = rootfs(40);
    let root = rootfs.mount_by_number(false).unwrap();
    assert_eq!((read(&root, "top").as_str(), read(&root, "from-39").as_str()), ("0", "1"));
    write(&root, "new").unwrap();
    assert!(rootfs.upper.join("new").exists());
    let here = std::env::current_dir().unwrap();
    assert!(!here.starts_with("/proc"), "only the thread's directory was changed");
}

#[test]
fn what_is_missing_is_named() {
    let (_directory, mut rootfs) = rootfs(1);
    rootfs.lowers[0].push("missing");
    let error = rootfs.mount(false).unwrap_err().to_string();
    assert!(error.starts_with("mount overlay of /"), "{error}");
}
