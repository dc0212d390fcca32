//! Users and groups of a container, from its own files.
//!
//! In: a root file system as a file descriptor, and `user[:group]`. Out: numbers. The files are the image's,
//! so they are hostile: they are opened beneath the root whatever links they are, and only their first MiB is read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};

/// Who a process is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// All its groups, `gid` among them.
    pub additional_gids: Vec<u32>,
}

/// A user or group cannot be found. The texts are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// No such name in `/etc/passwd`.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoUser(String),
    /// No such name in `/etc/group`.
    #[error("unable to find group {0}: no matching entries in group file")]
    NoGroup(String),
    /// A number that is none.
    #[error("uids and gids must be in range 0-2147483647")]
    Range,
}

/// Most that is read of a file.
const LIMIT: u64 = 1 << 20;
const MAX_ID: u32 = i32::MAX as u32;

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

/// Looks `user[:group]` and further `groups` up, as Docker does: a name must be in the files, a number need not.
///
/// # Errors
/// See [`UserError`]. Files that are absent or unreadable count as empty.
pub fn lookup(
    rootfs: BorrowedFd<'_>,
    user: &str,
    groups: &[String],
) -> Result<Identity, UserError> {
    let passwd = read(rootfs, "etc/passwd").unwrap_or_default();
    let group = read(rootfs, "etc/group").unwrap_or_default();
    resolve(&passwd, &group, user, groups)
}

fn read(rootfs: BorrowedFd<'_>, path: &str) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = rustix::fs::openat2(rootfs, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?;
    let file = File::from(fd);
    // A fifo or a device would block or never end.
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn resolve(
    passwd: &str,
    group: &str,
    spec: &str,
    groups: &[String],
) -> Result<Identity, UserError> {
    let (user_arg, group_arg) = spec.split_once(':').unwrap_or((spec, ""));
    let user_arg = if user_arg.is_empty() { "0" } else { user_arg };
    let number = number(user_arg)?;
    let found = users(passwd).find(|user| user.name == user_arg || Some(user.uid) == number);
    let uid = match (&found, number) {
        (Some(user), _) => user.uid,
        (None, Some(uid)) => uid,
        (None, None) => return Err(UserError::NoUser(user_arg.to_owned())),
    };
    let mut identity =
        Identity { uid, gid: found.as_ref().map_or(0, |user| user.gid), ..Identity::default() };
    if !group_arg.is_empty() {
        identity.gid = gid_of(group, group_arg)?;
    } else if let Some(user) = &found {
        identity.additional_gids = memberships(group, user.name);
    }
    for name in groups {
        let gid = gid_of(group, name)?;
        if !identity.additional_gids.contains(&gid) {
            identity.additional_gids.push(gid);
        }
    }
    // Without it a process could drop its own group, and with it what the group is denied.
    if !identity.additional_gids.contains(&identity.gid) {
        identity.additional_gids.insert(0, identity.gid);
    }
    Ok(identity)
}

/// The number that the text is; none when it is a name.
fn number(text: &str) -> Result<Option<u32>, UserError> {
    match text.parse::<i64>() {
        Ok(number) => {
            u32::try_from(number).ok().filter(|id| *id <= MAX_ID).map(Some).ok_or(UserError::Range)
        }
        Err(_) => Ok(None),
    }
}

fn gid_of(file: &str, name: &str) -> Result<u32, UserError> {
    let number = number(name)?;
    groups(file)
        .find(|group| group.name == name || Some(group.gid) == number)
        .map(|group| group.gid)
        .or(number)
        .ok_or_else(|| UserError::NoGroup(name.to_owned()))
}

fn memberships(file: &str, user: &str) -> Vec<u32> {
    // The kernel takes 65536 groups at most; an image that lists more is not served.
    groups(file)
        .filter(|group| group.members.split(',').any(|member| member.trim() == user))
        .map(|group| group.gid)
        .take(1024)
        .collect()
}

fn users(file: &str) -> impl Iterator<Item = User<'_>> {
    file.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = fields.nth(1)?.parse().ok().filter(|id| *id <= MAX_ID)?;
        let gid = fields.next()?.parse().ok().filter(|id| *id <= MAX_ID)?;
        Some(User { name, uid, gid })
    })
}

fn groups(file: &str) -> impl Iterator<Item = Group<'_>> {
    file.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = fields.nth(1)?.parse().ok().filter(|id| *id <= MAX_ID)?;
        Some(Group { name, gid, members: fields.next().unwrap_or_default() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:/bin/sh\nbroken\nbad:x:nan:1::\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,web\nweb:x:34:\n";

    fn resolve_in(spec: &str, more: &[&str]) -> Result<Identity, UserError> {
        let more: Vec<String> = more.iter().map(ToString::to_string).collect();
        resolve(PASSWD, GROUP, spec, &more)
    }

    fn identity(uid: u32, gid: u32, additional_gids: &[u32]) -> Identity {
        Identity { uid, gid, additional_gids: additional_gids.to_vec() }
    }

    #[test]
    fn names_and_numbers_are_found_as_docker_finds_them() {
        assert_eq!(resolve_in("", &[]), Ok(identity(0, 0, &[0, 10])));
        assert_eq!(resolve_in("web", &[]), Ok(identity(33, 34, &[34, 10])));
        assert_eq!(resolve_in("33", &[]), Ok(identity(33, 34, &[34, 10])));
        assert_eq!(resolve_in("web:wheel", &[]), Ok(identity(33, 10, &[10])));
        assert_eq!(resolve_in("4711", &[]), Ok(identity(4711, 0, &[0])));
        assert_eq!(
            resolve_in("4711:4712", &["wheel", "7"]),
            Ok(identity(4711, 4712, &[4712, 10, 7]))
        );
    }

    #[test]
    fn what_is_not_there_is_said_in_dockers_words() {
        assert_eq!(
            resolve_in("nobody", &[]).unwrap_err().to_string(),
            "unable to find user nobody: no matching entries in passwd file"
        );
        assert_eq!(
            resolve_in("root:none", &[]).unwrap_err().to_string(),
            "unable to find group none: no matching entries in group file"
        );
        assert_eq!(resolve_in("-1", &[]), Err(UserError::Range));
        assert_eq!(resolve_in("2147483648", &[]), Err(UserError::Range));
    }

    #[test]
    fn a_passwd_that_is_a_link_out_or_a_fifo_counts_as_empty() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("../../../../etc/passwd", dir.path().join("etc/passwd"))
            .unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join("etc/group"),
            rustix::fs::FileType::Fifo,
            Mode::from(0o600),
            0,
        )
        .unwrap();
        let root = File::open(dir.path()).unwrap();
        use std::os::fd::AsFd;
        assert_eq!(lookup(root.as_fd(), "daemon", &[]), Err(UserError::NoUser("daemon".into())));
        assert_eq!(lookup(root.as_fd(), "1:1", &[]), Ok(identity(1, 1, &[1])));
    }
}
