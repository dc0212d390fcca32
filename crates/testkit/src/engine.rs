//! Which engine a test host runs, where its programs are and where it keeps things.
//!
//! In: `HAWSER_TEST_ENGINE` (`hawser`, the default, or `docker`), `HAWSERD` and `HAWSER` (paths of
//! the programs; default: beside the test in the target directory). Out: paths and flags.

use std::path::PathBuf;

/// The engine under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// hawserd, as built from this workspace.
    Hawser,
    /// Debian's dockerd: the tests themselves are tested against it.
    Docker,
}

impl EngineKind {
    /// The engine that `HAWSER_TEST_ENGINE` names.
    ///
    /// # Panics
    /// When it names none.
    pub fn from_environment() -> EngineKind {
        match std::env::var("HAWSER_TEST_ENGINE").as_deref() {
            Err(_) | Ok("hawser") => EngineKind::Hawser,
            Ok("docker") => EngineKind::Docker,
            Ok(other) => panic!("HAWSER_TEST_ENGINE is hawser or docker, not {other:?}"),
        }
    }

    /// The daemon's program.
    pub fn program(self) -> PathBuf {
        match self {
            EngineKind::Hawser => built("hawserd"),
            EngineKind::Docker => PathBuf::from("dockerd"),
        }
    }

    /// The default socket, as seen in the test host.
    pub fn socket(self) -> &'static str {
        match self {
            EngineKind::Hawser => "/run/hawser/hawser.sock",
            EngineKind::Docker => "/run/docker.sock",
        }
    }

    /// The default data root, as seen in the test host.
    pub fn data_root(self) -> &'static str {
        match self {
            EngineKind::Hawser => "/var/lib/hawser",
            EngineKind::Docker => "/var/lib/docker",
        }
    }

    /// The default bridge's link.
    pub fn bridge(self) -> &'static str {
        match self {
            EngineKind::Hawser => "hawser0",
            EngineKind::Docker => "docker0",
        }
    }

    /// Flags without which the engine is not itself.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            EngineKind::Hawser => &[],
            // What hawser always does, and a log that can be read.
            EngineKind::Docker => &["--live-restore", "--log-level=warn"],
        }
    }
}

/// A program of this workspace.
///
/// # Panics
/// When it is not there: tests never build it, since they run side by side.
pub fn built(name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(name.to_uppercase()) {
        return PathBuf::from(path);
    }
    let here = std::env::current_exe().unwrap_or_default();
    let found = here.ancestors().skip(1).take(3).map(|dir| dir.join(name)).find(|p| p.is_file());
    match found {
        Some(path) => path,
        None => panic!(
            "no program {name} beside {}: build it (`cargo build -p hawserd -p hawser`) or set {}",
            here.display(),
            name.to_uppercase()
        ),
    }
}
