//! Network namespaces pinned by files in a directory that is a tmpfs mount of its own.
//!
//! In: names. Out: pinned namespaces, descriptors, a netlink socket inside. What is in a namespace
//! is not this module's business.
//!
//! The directory is its own mount because creating files on a disk's file system may cost half a
//! millisecond, and private so that no other mount namespace keeps a pin alive.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hawser_hoststate::NamespaceName;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use crate::error::{Error, ErrorKind};
use crate::netlink::Socket;
use crate::sys;
use crate::worker::{Worker, current_namespace};

/// Type of the file system that namespace files live on (linux/magic.h).
const NSFS_MAGIC: i64 = 0x6e73_6673;

/// The directory of pins.
pub(crate) struct Directory {
    path: PathBuf,
}

/// A namespace while it is worked on. Drop it soon: the descriptors keep the namespace alive.
pub(crate) struct Inside {
    pub(crate) fd: OwnedFd,
    pub(crate) socket: Socket,
}

impl Directory {
    /// Makes the directory and mounts a private tmpfs there, unless that is done.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let fail = |error| Error::new("mount", path.display().to_string(), error);
        fs::create_dir_all(&path).map_err(fail)?;
        if !is_mount_point(&path).map_err(fail)? {
            mount_tmpfs(&path).map_err(fail)?;
        }
        Ok(Self { path })
    }

    /// Where a namespace is pinned.
    pub(crate) fn pin(&self, name: &NamespaceName) -> PathBuf {
        self.path.join(name.as_str())
    }

    /// Makes a namespace and pins it; one that is there is left as it is.
    pub(crate) fn create(&self, worker: &Worker, name: &NamespaceName) -> Result<Inside, Error> {
        match self.enter(worker, name) {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            found => return found,
        }
        let pin = self.pin(name);
        worker
            .run(move || create_here(&pin))?
            .map_err(|error| Error::new("create", describe(name), error))
    }

    /// A descriptor of a namespace.
    pub(crate) fn open_pin(&self, name: &NamespaceName) -> Result<OwnedFd, Error> {
        let fail = |error| Error::new("open", describe(name), error);
        let file = File::open(self.pin(name)).map_err(fail)?;
        if is_namespace(&file).map_err(fail)? {
            return Ok(file.into());
        }
        Err(fail(io::Error::from_raw_os_error(libc::ENOENT)))
    }

    /// A descriptor of a namespace and a netlink socket inside.
    pub(crate) fn enter(&self, worker: &Worker, name: &NamespaceName) -> Result<Inside, Error> {
        let fd = self.open_pin(name)?;
        let fail = |error| Error::new("open socket in", describe(name), error);
        let visitor = fd.try_clone().map_err(fail)?;
        let socket = worker.run_in(visitor, Socket::route)?.map_err(fail)?;
        Ok(Inside { fd, socket })
    }

    /// Pins a namespace that lives on without its pin; false when it has one. The caller's own is
    /// refused (EINVAL): what is pinned here is taken away some day, with all that is in it.
    pub(crate) fn pin_again(&self, name: &NamespaceName, ns: &File) -> Result<bool, Error> {
        match self.open_pin(name) {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            found => return found.map(|_| false),
        }
        let pin = self.pin(name);
        let attach = || {
            if !is_namespace(ns)? || is_same(ns, &File::from(current_namespace()?))? {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            OpenOptions::new().write(true).create(true).truncate(true).open(&pin)?;
            let path = format!("/proc/thread-self/fd/{}", ns.as_raw_fd());
            Ok(rustix::mount::mount_bind(path, &pin)?)
        };
        attach().map(|()| true).map_err(|error| Error::new("pin", describe(name), error))
    }

    /// Takes the pin away. The namespace goes when its last process and socket do.
    pub(crate) fn remove(&self, name: &NamespaceName) -> Result<(), Error> {
        let pin = self.pin(name);
        let fail = |error| Error::new("remove", describe(name), error);
        let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
        match rustix::mount::unmount(&pin, flags) {
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(fail(error.into())),
        }
        match fs::remove_file(&pin) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(error)),
            _ => Ok(()),
        }
    }

    /// Unmounts and removes the directory, with whatever is pinned there.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let fail = |error| Error::new("remove", self.path.display().to_string(), error);
        match rustix::mount::unmount(&self.path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(fail(error.into())),
        }
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(error)),
            _ => Ok(()),
        }
    }

    /// The namespaces that are pinned; other files are passed over.
    pub(crate) fn list(&self) -> Result<Vec<NamespaceName>, Error> {
        let fail = |error| Error::new("list", self.path.display().to_string(), error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(name) = name
                && File::open(entry.path()).is_ok_and(|file| is_namespace(&file).unwrap_or(false))
            {
                names.push(name);
            }
        }
        Ok(names)
    }
}

fn describe(name: &NamespaceName) -> String {
    format!("network namespace {name}")
}

fn is_namespace(file: &File) -> io::Result<bool> {
    Ok(rustix::fs::fstatfs(file)?.f_type == NSFS_MAGIC)
}

fn is_same(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

fn is_mount_point(path: &Path) -> io::Result<bool> {
    let parent = path.parent().unwrap_or(path);
    Ok(fs::metadata(path)?.dev() != fs::metadata(parent)?.dev())
}

fn mount_tmpfs(path: &Path) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("hawser-netns", path, "tmpfs", flags, c"mode=0755,size=1m")?;
    Ok(rustix::mount::mount_change(path, MountPropagationFlags::PRIVATE)?)
}

/// Runs on the worker: leaves the calling thread in the new namespace.
fn create_here(pin: &Path) -> io::Result<Inside> {
    // A file without a mount is what a crash between the two leaves; it serves again.
    OpenOptions::new().write(true).create(true).truncate(true).open(pin)?;
    sys::unshare_network()?;
    rustix::mount::mount_bind("/proc/thread-self/ns/net", pin)?;
    Ok(Inside { fd: current_namespace()?, socket: Socket::route()? })
}
