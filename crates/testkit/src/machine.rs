//! The machine's own state as text: printed before and after the suite, it must be the same.
//!
//! In: nothing; out: sections of sorted lines about links, addresses, routes, firewall, mounts,
//! namespaces, cgroups, forwarding switches and the places where engines keep things. What changes
//! by itself (counters, life times) is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Switches that an engine may set and a test must not.
const SWITCHES: [&str; 6] = [
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/conf/default/route_localnet",
    "net/ipv6/conf/all/forwarding",
    "net/ipv6/conf/default/forwarding",
    "net/bridge/bridge-nf-call-iptables",
];

/// Where engines, runtimes and tests keep things.
const PLACES: [&str; 8] = [
    "/run/netns",
    "/run/hawser",
    "/run/crun",
    "/run/runc",
    "/run/docker",
    "/var/lib/hawser",
    "/var/lib/docker",
    "/var/tmp/hawser-test",
];

/// The state as text.
///
/// # Errors
/// When `ip` or `nft` cannot be run, or `/proc` not be read.
pub fn machine_state() -> Result<String> {
    let mut text = String::new();
    let mut section = |name: &str, lines: Vec<String>| {
        text.push_str(&format!("== {name}\n"));
        for line in lines.into_iter().collect::<BTreeSet<_>>() {
            text.push_str(&format!("{line}\n"));
        }
    };
    section("links", command("ip", &["-o", "link"])?);
    section("addresses", addresses()?);
    section("routes", routes()?);
    section("nft", numbered(command("nft", &["--stateless", "list", "ruleset"])?));
    section("iptables (legacy)", read_lines("/proc/net/ip_tables_names"));
    section("mounts", mounts()?);
    section("network namespaces", namespaces("net")?);
    section("mount namespaces", namespaces("mnt")?);
    section("cgroups", cgroups());
    section("switches", SWITCHES.iter().map(|name| switch(name)).collect());
    section("places", places());
    Ok(text)
}

fn command(program: &str, arguments: &[&str]) -> Result<Vec<String>> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("run {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Addresses without their remaining life times, which run down.
fn addresses() -> Result<Vec<String>> {
    let lines = command("ip", &["-o", "addr"])?;
    Ok(lines.iter().map(|line| line.split('\\').next().unwrap_or(line).to_owned()).collect())
}

/// Routes without `expires …`, which runs down.
fn routes() -> Result<Vec<String>> {
    let mut lines = command("ip", &["-4", "route", "show", "table", "all"])?;
    lines.extend(command("ip", &["-6", "route", "show", "table", "all"])?);
    Ok(lines.iter().map(|line| line.split(" expires").next().unwrap_or(line).to_owned()).collect())
}

/// The order of rules is part of a rule set.
fn numbered(lines: Vec<String>) -> Vec<String> {
    lines.iter().enumerate().map(|(index, line)| format!("{index:05} {line}")).collect()
}

fn read_lines(path: &str) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Mount points with type and source; the ids of mounts are not stable.
fn mounts() -> Result<Vec<String>> {
    let text = fs::read_to_string("/proc/self/mountinfo").context("read mountinfo")?;
    let shown = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        Some(format!("{} {}", left.split(' ').nth(4)?, right))
    };
    Ok(numbered_duplicates(text.lines().filter_map(shown).collect()))
}

/// A mount on top of an equal one is one more mount.
fn numbered_duplicates(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    let copies = |index: usize| lines[..index].iter().filter(|l| **l == lines[index]).count();
    (0..lines.len()).map(|index| format!("{} #{}", lines[index], copies(index))).collect()
}

/// Namespaces that processes are in.
fn namespaces(kind: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("read /proc")?.flatten() {
        let link = fs::read_link(entry.path().join("ns").join(kind));
        found.extend(link.map(|target| target.display().to_string()));
    }
    Ok(found)
}

/// Control groups whose names are an engine's or a test's.
fn cgroups() -> Vec<String> {
    let mut found = Vec::new();
    collect_cgroups(Path::new("/sys/fs/cgroup"), 4, &mut found);
    found
}

fn collect_cgroups(dir: &Path, depth: u32, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && ["hawser", "docker", "conmon", "crun"].iter().any(|word| name.contains(word)) {
            found.push(entry.path().display().to_string());
        }
        if is_dir && depth > 1 {
            collect_cgroups(&entry.path(), depth - 1, found);
        }
    }
}

fn switch(name: &str) -> String {
    let value = fs::read_to_string(Path::new("/proc/sys").join(name)).unwrap_or_default();
    format!("{name} = {}", value.trim())
}

fn places() -> Vec<String> {
    let mut found = Vec::new();
    for place in PLACES {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            found.push(entry.path().display().to_string());
        }
    }
    found
}
