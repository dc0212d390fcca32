//! What a test host has at a moment: to show that an operation left nothing behind.
//!
//! In: a host; out: lines, one for each link, address, route and permanent neighbour of the host and
//! of every sandbox, nft statement, mount, namespace pin, process, cgroup of a container, and record
//! or directory named by an id. Two inventories are compared as text. Counters and other things that
//! change by themselves are not in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::engine::EngineKind;
use crate::init::children;
use crate::testhost::TestHost;
use crate::wait::eventually;

/// The things a test host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    lines: BTreeSet<String>,
}

impl Inventory {
    /// What `host` has now.
    #[track_caller]
    pub fn of(host: &TestHost) -> Inventory {
        let mut lines = BTreeSet::new();
        lines.extend(network(host));
        lines.extend(firewall(host));
        lines.extend(mounts(host));
        lines.extend(files(host));
        lines.extend(processes(host.pid()));
        lines.extend(records(host));
        Inventory { lines }
    }

    /// Lines of `self` that are not in `other`, then those the other way.
    pub fn difference(&self, other: &Inventory) -> String {
        let gone = self.lines.difference(&other.lines).map(|line| format!("- {line}\n"));
        let new = other.lines.difference(&self.lines).map(|line| format!("+ {line}\n"));
        gone.chain(new).collect()
    }

    /// Waits until `host` has exactly this again: taking down may be asynchronous.
    ///
    /// # Panics
    /// After ten seconds, with the difference.
    #[track_caller]
    pub fn assert_restored(&self, host: &TestHost) {
        let mut last = String::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while std::time::Instant::now() < deadline {
            last = self.difference(&Inventory::of(host));
            if last.is_empty() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the host is not as it was:\n{last}");
    }
}

impl TestHost {
    /// What this host has now.
    #[track_caller]
    pub fn inventory(&self) -> Inventory {
        // The daemon may still take down what the step before removed: settle first.
        let mut last = Inventory::of(self);
        eventually("the host settles", || {
            let now = Inventory::of(self);
            let same = now == last;
            last = now;
            same.then(|| last.clone())
        })
    }
}

/// Links, addresses, routes and permanent neighbours, of the host and of the pinned namespaces.
fn network(host: &TestHost) -> Vec<String> {
    let pins = "/run/hawser/netns";
    let show = "ip -o link; ip -o addr; ip route show table all; ip -6 route show table all; \
                ip neigh show nud permanent; ip -6 neigh show nud permanent";
    let script = format!(
        "{show}; cd {pins} 2> /dev/null || exit 0; for pin in *; do \
         [ -e $pin ] && echo \"in $pin\" && nsenter --net=$pin sh -c '{show}'; done; true"
    );
    let text = host.sh(&script).ok().stdout;
    let mut place = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("in ") {
            Some(pin) => place = format!("{pin}: "),
            None => lines.extend(known(line).map(|line| format!("{place}{line}"))),
        }
    }
    lines
}

/// A line without what changes by itself; none for what the kernel adds by itself some time later.
fn known(line: &str) -> Option<String> {
    if ["fe80:", "ff00::/8", "anycast "].iter().any(|own| line.contains(own)) {
        return None;
    }
    let is_link = line.split(": ").next().is_some_and(|index| index.parse::<u32>().is_ok());
    if is_link && line.contains(" mtu ") {
        // Of a link the name and the MTU: flags and queues come and go.
        let name = line.split(": ").nth(1)?.split('@').next()?;
        let mtu = line.split(" mtu ").nth(1)?.split(' ').next()?;
        return Some(format!("link {name} mtu {mtu}"));
    }
    // An address begins with the index of its link.
    let line = if is_link { line.split_once(": ")?.1 } else { line };
    let line = line.split('\\').next()?.split(" valid_lft ").next()?;
    Some(
        line.replace(" linkdown", "")
            .replace(" tentative", "")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    )
}

fn firewall(host: &TestHost) -> Vec<String> {
    let text = host.run(["nft", "--stateless", "list", "ruleset"]).ok().stdout;
    let mut place = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("table ") || line.trim_start().starts_with("chain ") {
            place = line.trim().to_owned();
        }
        lines.push(format!("nft {place} {}", line.trim()));
    }
    lines
}

fn mounts(host: &TestHost) -> Vec<String> {
    let path = format!("/proc/{}/mountinfo", host.pid());
    let text = fs::read_to_string(path).unwrap_or_default();
    let point = |line: &str| line.split(' ').nth(4).map(str::to_owned);
    // For dockerd's pins see below.
    let counts = |point: &String| {
        host.engine() == EngineKind::Hawser || !point.starts_with("/run/docker/netns/")
    };
    text.lines().filter_map(point).filter(counts).map(|point| format!("mount {point}")).collect()
}

/// Namespace pins, and whatever the engine or the cgroups name after a container or network.
fn files(host: &TestHost) -> Vec<String> {
    let mut lines = Vec::new();
    for root in ["/run", host.engine().data_root()] {
        find(&host.path(root), 4, &mut |path| {
            let text = path.display().to_string();
            let named_by_id = path.file_name().is_some_and(|name| has_id(&name.to_string_lossy()));
            // dockerd removes its pins some time later, when it gets round to it.
            let pin = text.contains("/netns/") && host.engine() == EngineKind::Hawser;
            if named_by_id || pin {
                lines.push(format!("file {}", text.split_once("/root").map_or("", |(_, p)| p)));
            }
        });
    }
    for file in host.cgroup_files() {
        let root = file.parent().unwrap_or(Path::new("/"));
        find(root, 3, &mut |path| {
            if path.is_dir() && has_id(&path.to_string_lossy()) {
                lines.push(format!("cgroup {}", path.display()));
            }
        });
    }
    lines
}

/// Does a name carry an identifier of 64 hexadecimal digits?
fn has_id(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_hexdigit()).any(|word| word.len() == 64)
}

fn find(dir: &Path, depth: u32, found: &mut impl FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        found(&entry.path());
        if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find(&entry.path(), depth - 1, found);
        }
    }
}

/// The programs of runtimes that run in the host, with how many of each.
fn processes(init: u32) -> Vec<String> {
    let Ok(space) = fs::read_link(format!("/proc/{init}/ns/pid")) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if fs::read_link(entry.path().join("ns/pid")).is_ok_and(|own| own == space) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            names.push(name.trim().to_owned());
        }
    }
    let ours = ["conmon", "crun", "runc", "containerd-shim", "docker-proxy", "docker-init"];
    let count = |name: &&str| names.iter().filter(|n| n.starts_with(*name)).count();
    let mut lines: Vec<String> =
        ours.iter().map(|name| format!("processes {name}: {}", count(name))).collect();
    // What a runtime left without a parent hangs below process number one.
    let adopted = children(init).len();
    lines.push(format!("adopted processes: {adopted}"));
    lines
}

fn records(host: &TestHost) -> Vec<String> {
    let http = host.http();
    let mut lines = Vec::new();
    for path in ["/containers/json?all=1", "/networks"] {
        let list = http.get(path).json();
        let ids = list.as_array().into_iter().flatten();
        lines.extend(ids.map(|item| format!("record {path} {}", item["Id"])));
    }
    lines
}
