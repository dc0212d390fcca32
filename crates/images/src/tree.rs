//! Removing directories that a container wrote.
//!
//! In: a directory nobody uses any more. Out: nothing is there. A container can nest directories
//! far deeper than a stack, the table of open files or a path reaches, so nothing is descended
//! into: what is below a directory's own directories is moved up, level by level.

use std::fs;
use std::io;
use std::path::Path;

/// Removes a directory with all that is in it; no error if there is none. Two directories are
/// open at a time, however deep it is.
///
/// # Errors
/// Any of the file system, for what cannot be removed; the rest may be gone by then.
pub fn remove_tree(root: &Path) -> io::Result<()> {
    let mut moved = 0_u64;
    loop {
        let entries = match fs::read_dir(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let mut empty = true;
        for entry in entries {
            let entry = entry?;
            empty = false;
            if entry.file_type()?.is_dir() {
                flatten(root, &entry.path(), &mut moved)?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        if empty {
            return fs::remove_dir(root);
        }
    }
}

/// Removes a directory of the root; its own directories become the root's.
fn flatten(root: &Path, directory: &Path, moved: &mut u64) -> io::Result<()> {
    match fs::remove_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
        done => return done,
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            move_up(root, &entry.path(), moved)?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    match fs::remove_dir(directory) {
        // A file system may pass over names while others go: the next round finds them.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        done => done,
    }
}

fn move_up(root: &Path, directory: &Path, moved: &mut u64) -> io::Result<()> {
    loop {
        *moved += 1;
        match fs::rename(directory, root.join(format!(".{moved}"))) {
            // The container made something of that name, or an interrupted removal did.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty
                        | io::ErrorKind::AlreadyExists
                        | io::ErrorKind::NotADirectory
                ) => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{Mode, OFlags, mkdirat, openat};

    use super::*;

    #[test]
    fn however_deep_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = rustix::fs::open(&root, flags, Mode::empty()).unwrap();
        for _ in 0..20_000 {
            mkdirat(&at, "d", Mode::from(0o700)).unwrap();
            at = openat(&at, "d", flags, Mode::empty()).unwrap();
        }
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        remove_tree(&root).unwrap();
    }

    #[test]
    fn links_are_not_followed_and_names_may_be_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (root, kept) = (dir.path().join("root"), dir.path().join("kept"));
        for path in [&kept.join("x"), &root.join(".1/a"), &root.join("b/c/e"), &root.join("b/f")] {
            fs::create_dir_all(path).unwrap();
        }
        fs::write(root.join(".2"), "a file").unwrap();
        symlink(&kept, root.join("link")).unwrap();
        symlink(&kept, root.join("b/c/link")).unwrap();
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        assert!(kept.join("x").is_dir());
    }
}
