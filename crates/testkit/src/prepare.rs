//! What is done in a test host's fresh namespaces before anything runs there.
//!
//! In: the options, the cgroup hierarchies to show, the host's directory; out: the script of process
//! number one. It mounts what is private to the host and ends up as a process that reaps orphans.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::cgroup::Hierarchy;
use crate::init::quote;
use crate::testhost::{CgroupMode, Options};

/// The script of the host's process number one.
pub(crate) fn script(options: &Options, hierarchies: &[Hierarchy], base: &Path) -> String {
    let base = base.display();
    let mut lines = vec![
        "mount -t proc proc /proc".to_owned(),
        "umount --lazy --recursive /sys".to_owned(),
        "mount -t sysfs sysfs /sys".to_owned(),
    ];
    let pure_v2 = matches!(hierarchies, [only] if only.is_v2());
    if !pure_v2 {
        lines.push("mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup".to_owned());
    }
    lines.extend(links_between_hierarchies());
    for (index, hierarchy) in hierarchies.iter().enumerate() {
        let path =
            if pure_v2 { "/sys/fs/cgroup".into() } else { hierarchy.path.display().to_string() };
        let Hierarchy { kind, options, .. } = hierarchy;
        let options = if hierarchy.is_v2() { "rw" } else { options };
        lines.push(format!("mkdir -p {path}; mount -t {kind} -o {options} cgroup{index} {path}"));
        if hierarchy.is_v2() {
            lines.push(format!("[ ! -d {path}/init ] || echo 0 > {path}/init/cgroup.procs"));
        }
    }
    lines.push("mount -t tmpfs -o mode=755 tmpfs /run; mkdir /run/lock /run/netns".to_owned());
    lines.push("mount -t tmpfs -o mode=755 tmpfs /var/lib; mkdir /var/lib/home".to_owned());
    for dir in ["hawser", "docker", "containerd"] {
        lines.push(format!(
            "mkdir {base}/data/{dir} /var/lib/{dir}; mount --bind {base}/data/{dir} /var/lib/{dir}"
        ));
    }
    lines.push(format!(
        "mount -t overlay -o lowerdir=/etc,upperdir={base}/etc-upper,workdir={base}/etc-work \
         overlay /etc"
    ));
    lines.push(format!("echo {} > /proc/sys/kernel/hostname", quote(&options.name)));
    lines.push("ip link set lo up".to_owned());
    // Whoever is left without a parent becomes our child: ignoring the signal reaps it.
    lines.push("echo ready; exec env --ignore-signal=CHLD cat > /dev/null".to_owned());
    lines.join("\n")
}

/// The symbolic links `cpu -> cpu,cpuacct` that most machines with v1 hierarchies have.
fn links_between_hierarchies() -> Vec<String> {
    let link = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        Some(format!("ln -s {} {}", target.display(), entry.path().display()))
    };
    let entries = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    entries.filter_map(link).collect()
}

pub(crate) fn shown_hierarchies(options: &Options) -> Result<Vec<Hierarchy>> {
    let wanted = |h: &Hierarchy| match options.cgroups {
        CgroupMode::Machine => true,
        CgroupMode::V1 => !h.is_v2(),
        CgroupMode::V2 => h.is_v2(),
    };
    let shown: Vec<Hierarchy> = Hierarchy::all()?.into_iter().filter(wanted).collect();
    ensure!(!shown.is_empty(), "this machine has no cgroups of {:?}", options.cgroups);
    Ok(shown)
}

/// Shell that moves the shell itself into cgroups.
pub(crate) fn enter(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("echo 0 > {} || exit 1; ", file.display())).collect()
}
