//! Mounting a root file system, attached nowhere.
//!
//! In: the directories. Out: a descriptor of an overlay mount that is in no mount namespace: the
//! host's mount table never sees it, and it is gone with the last who holds it.
//!
//! Linux 6.5 takes one layer after the other (`lowerdir+`). Before, all must be in one string of
//! at most 255 bytes: there the layers are given as numbers of open descriptors, looked up by a
//! thread whose working directory is `/proc/thread-self/fd`.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen,
};
use rustix::thread::UnshareFlags;

use crate::error::{Error, Result};
use crate::rootfs::Rootfs;

/// `index=off`: the same directories may be mounted again at once, while an old mount is still
/// being given up. The other two: nothing in a layer redirects anywhere.
const OPTIONS: [(&str, &str); 3] =
    [("index", "off"), ("redirect_dir", "nofollow"), ("metacopy", "off")];

/// The kernel wants all layers in one string: found out once, since each try leaves a line in its log.
static ONE_STRING: AtomicBool = AtomicBool::new(false);

impl Rootfs {
    /// Mounts the overlay, attached nowhere: it lives as long as the descriptor, or as the place
    /// that the caller attaches it to (`move_mount`). `readonly` makes the mount so.
    pub fn mount(&self, readonly: bool) -> Result<OwnedFd> {
        let mounted = if ONE_STRING.load(Ordering::Relaxed) {
            self.mount_by_number(readonly)
        } else {
            match self.mount_one_by_one(readonly) {
                Err(Errno::INVAL) => self.mount_by_number(readonly).inspect(|_| {
                    ONE_STRING.store(true, Ordering::Relaxed);
                }),
                other => other,
            }
        };
        mounted.map_err(|error| Error::io("mount overlay of", &self.upper)(error.into()))
    }

    fn mount_one_by_one(&self, readonly: bool) -> Result<OwnedFd, Errno> {
        let context = open()?;
        for lower in &self.lowers {
            fsconfig_set_string(&context, "lowerdir+", lower.as_path())?;
        }
        fsconfig_set_string(&context, "upperdir", self.upper.as_path())?;
        fsconfig_set_string(&context, "workdir", self.work.as_path())?;
        mount(&context, readonly)
    }

    fn mount_by_number(&self, readonly: bool) -> Result<OwnedFd, Errno> {
        let open_one = |path: &PathBuf| {
            openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        };
        let lowers: Vec<OwnedFd> =
            self.lowers.iter().map(open_one).collect::<Result<_, Errno>>()?;
        let (upper, work) = (open_one(&self.upper)?, open_one(&self.work)?);
        let numbers: Vec<String> = lowers.iter().map(number).collect();
        let parameters = [
            ("lowerdir", numbers.join(":")),
            ("upperdir", number(&upper)),
            ("workdir", number(&work)),
        ];
        // The working directory is changed for one thread alone, which then ends.
        let work = || in_descriptor_directory(|| mount_with(&parameters, readonly));
        std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or(Err(Errno::IO))
    }
}

fn number(descriptor: &OwnedFd) -> String {
    descriptor.as_raw_fd().to_string()
}

fn open() -> Result<OwnedFd, Errno> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in OPTIONS {
        fsconfig_set_string(&context, key, value)?;
    }
    Ok(context)
}

fn mount_with(parameters: &[(&str, String)], readonly: bool) -> Result<OwnedFd, Errno> {
    let context = open()?;
    for (key, value) in parameters {
        fsconfig_set_string(&context, *key, value.as_str())?;
    }
    mount(&context, readonly)
}

fn mount(context: &OwnedFd, readonly: bool) -> Result<OwnedFd, Errno> {
    fsconfig_create(context)?;
    let attributes =
        if readonly { MountAttrFlags::MOUNT_ATTR_RDONLY } else { MountAttrFlags::empty() };
    fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn in_descriptor_directory<T>(work: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    #[expect(
        deprecated,
        reason = "unshare_unsafe is about CLONE_FILES; a working directory of its own is safe"
    )]
    rustix::thread::unshare(UnshareFlags::FS)?;
    rustix::process::chdir("/proc/thread-self/fd")?;
    work()
}

#[cfg(test)]
mod tests;
