//! A cgroup subtree for one test host, in each hierarchy of the machine.
//!
//! In: a name; out: directories `<hierarchy>/<name>`, which become the roots that the host's own
//! cgroup namespace shows. Dropping it removes the subtree, with all that an engine left in it.
//! It sets no limits.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::wait::eventually_within;

/// One mounted hierarchy: where it is and how it is mounted again inside the host.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchy {
    /// Mount point on the machine.
    pub(crate) path: PathBuf,
    /// `cgroup` or `cgroup2`.
    pub(crate) kind: String,
    /// Options of the super block: the v1 controllers, or `none,name=…`.
    pub(crate) options: String,
}

impl Hierarchy {
    /// The hierarchies mounted under `/sys/fs/cgroup`.
    pub(crate) fn all() -> Result<Vec<Hierarchy>> {
        let text = fs::read_to_string("/proc/self/mountinfo").context("read mountinfo")?;
        Ok(text.lines().filter_map(Hierarchy::parse).collect())
    }

    fn parse(line: &str) -> Option<Hierarchy> {
        let (left, right) = line.split_once(" - ")?;
        let path = left.split(' ').nth(4)?;
        let mut right = right.split(' ');
        let kind = right.next()?;
        if !kind.starts_with("cgroup") || !path.starts_with("/sys/fs/cgroup") {
            return None;
        }
        let options: Vec<&str> = right.nth(1)?.split(',').filter(|o| *o != "rw").collect();
        let mut options = options.join(",");
        if options.starts_with("name=") {
            options = format!("none,{options}");
        }
        Some(Hierarchy { path: path.into(), kind: kind.to_owned(), options })
    }

    /// Is this the v2 hierarchy?
    pub(crate) fn is_v2(&self) -> bool {
        self.kind == "cgroup2"
    }
}

/// The directories of one test host.
#[derive(Debug)]
pub(crate) struct Subtree {
    roots: Vec<PathBuf>,
}

impl Subtree {
    /// Makes `<hierarchy>/<name>` in each of `hierarchies`.
    pub(crate) fn create(name: &str, hierarchies: &[Hierarchy]) -> Result<Subtree> {
        let mut tree = Subtree { roots: Vec::new() };
        for hierarchy in hierarchies {
            let root = hierarchy.path.join(name);
            fs::create_dir(&root).with_context(|| format!("make cgroup {}", root.display()))?;
            tree.roots.push(root.clone());
            if hierarchy.is_v2() {
                delegate(&hierarchy.path);
                fs::create_dir(root.join("init")).context("make cgroup init")?;
            }
            copy_cpuset(&hierarchy.path, &root)?;
        }
        Ok(tree)
    }

    /// Files into which a process writes `0` to enter the subtree before the host's own cgroup
    /// namespace is made: its roots.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        self.roots.iter().map(|root| root.join("cgroup.procs")).collect()
    }

    /// The same for a process that enters later: in v2 a cgroup with children holds none.
    pub(crate) fn leaves(&self) -> Vec<PathBuf> {
        let leaf = |root: &PathBuf| match root.join("init") {
            init if init.exists() => init.join("cgroup.procs"),
            _ => root.join("cgroup.procs"),
        };
        self.roots.iter().map(leaf).collect()
    }
}

impl Drop for Subtree {
    fn drop(&mut self) {
        for root in &self.roots {
            // The last process of a cgroup leaves it a moment after it was reaped.
            let gone = || remove_tree(root).is_ok().then_some(());
            if std::thread::panicking() {
                let _ = gone();
            } else {
                let what = format!("remove cgroup {}", root.display());
                eventually_within(Duration::from_secs(5), &what, gone);
            }
        }
    }
}

/// Lets children of the v2 root use its controllers (a no-op where systemd did so already).
fn delegate(root: &Path) {
    let controllers = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    let control = root.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&control).unwrap_or_default();
    let wanted = ["cpu", "cpuset", "io", "memory", "pids"];
    for name in controllers.split_whitespace().filter(|name| wanted.contains(name)) {
        if !enabled.split_whitespace().any(|have| have == name) {
            // A controller that cannot be enabled shows when a container asks for it.
            let _ = fs::write(&control, format!("+{name}"));
        }
    }
}

/// A new v1 cpuset is empty, and nothing can run in it until it has CPUs and memory nodes.
fn copy_cpuset(parent: &Path, root: &Path) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let (from, to) = (parent.join(file), root.join(file));
        if from.exists() && to.exists() {
            let value = fs::read_to_string(&from)?;
            fs::write(&to, value.trim()).with_context(|| format!("write {}", to.display()))?;
        }
    }
    Ok(())
}

/// Removes what a killed test left; whatever is still in use stays.
pub(crate) fn remove_stale(dir: &Path) {
    let _ = remove_tree(dir);
}

fn remove_tree(dir: &Path) -> std::io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}
