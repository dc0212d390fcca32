//! The path of an entry, taken apart.
//!
//! In: bytes from an archive. Out: the components below the layer's root; an error if the text
//! alone already leads out of it. Links are not looked at here (`beneath` does).

use std::io;

use rustix::io::Errno;

/// A place below the root: components that are neither empty, `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The components joined with `/`; empty for the root itself.
    path: Vec<u8>,
}

impl Place {
    /// `/etc/x`, `./etc/x` and `a/../etc/x` are all `etc/x`.
    ///
    /// Errors: `EXDEV` if it climbs above the root.
    pub(super) fn parse(text: &[u8]) -> io::Result<Self> {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in text.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop().ok_or(Errno::XDEV)?;
                }
                _ => parts.push(part),
            }
        }
        Ok(Self { path: parts.join(&b'/') })
    }

    /// The last component; `None` for the root.
    pub(super) fn name(&self) -> Option<&[u8]> {
        self.path.rsplit(|byte| *byte == b'/').next().filter(|name| !name.is_empty())
    }

    /// What is before the last component; empty for what is directly below the root.
    pub(super) fn parent(&self) -> &[u8] {
        let end = self.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        self.path.get(..end).unwrap_or_default()
    }

    /// All of it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (text, clean) in [
            ("etc/x", "etc/x"),
            ("/etc//x/", "etc/x"),
            ("./etc/./x", "etc/x"),
            ("a/../etc/b/../x", "etc/x"),
            ("./", ""),
            ("..a", "..a"),
        ] {
            assert_eq!(Place::parse(text.as_bytes()).unwrap().as_bytes(), clean.as_bytes());
        }
        for out in ["..", "../x", "a/../../x", "/../x", "./.."] {
            assert!(Place::parse(out.as_bytes()).is_err(), "{out}");
        }
    }

    #[test]
    fn a_place_has_a_parent_and_a_name() {
        let place = Place::parse(b"a/b/c").unwrap();
        assert_eq!((place.parent(), place.name()), (&b"a/b"[..], Some(&b"c"[..])));
        let place = Place::parse(b"c").unwrap();
        assert_eq!((place.parent(), place.name()), (&b""[..], Some(&b"c"[..])));
        assert_eq!(Place::parse(b"/").unwrap().name(), None);
    }
}
