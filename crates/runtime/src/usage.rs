//! What a container uses: what its cgroup counts, and what passes its links.
//!
//! In: the files of a cgroup, version 1 or 2, and `/proc/<pid>/net/dev`. Out: [`Usage`]. What a host
//! does not count is zero or none; a file that goes away in between (the container ends) is like
//! one that says nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::setup::CgroupMode;

/// What a container uses at a time. Counters count from its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time.
    pub cpu: CpuUsage,
    /// Memory.
    pub memory: MemoryUsage,
    /// Processes and threads.
    pub pids: u64,
    /// The most of them; `None` for no limit.
    pub pids_limit: Option<u64>,
    /// Reads and writes of block devices.
    pub blocks: Vec<BlockUsage>,
    /// Traffic by link, the loopback left out.
    pub links: BTreeMap<String, LinkUsage>,
}

/// Processor time, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuUsage {
    /// All of it.
    pub total: u64,
    /// In programs.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
    /// By processor (cgroup version 1).
    pub each: Vec<u64>,
    /// Periods of the quota.
    pub periods: u64,
    /// Those in which it was used up.
    pub throttled_periods: u64,
    /// How long its processes then waited.
    pub throttled: u64,
}

/// Memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// In use, with the page cache.
    pub usage: u64,
    /// The most that it was (version 1).
    pub most: Option<u64>,
    /// The limit; `None` for none.
    pub limit: Option<u64>,
    /// How often the limit was met (version 1).
    pub failures: Option<u64>,
    /// What it is used for, by the kernel's names (`memory.stat`).
    pub parts: BTreeMap<String, u64>,
}

/// Reads or writes of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockUsage {
    /// The device's numbers.
    pub device: (u64, u64),
    /// `read` or `write`.
    pub operation: &'static str,
    /// Bytes.
    pub bytes: u64,
    /// Requests.
    pub requests: u64,
}

/// Traffic of a link as whoever is inside counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in /proc/net/dev")]
pub struct LinkUsage {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub rx_errors: u64,
    pub rx_dropped: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub tx_errors: u64,
    pub tx_dropped: u64,
}

/// Reads what the cgroup of a container counts; `cgroup` gives its directory by controller.
pub(crate) fn read(mode: CgroupMode, cgroup: impl Fn(&str) -> PathBuf, pid: i32) -> Usage {
    let links = text(Path::new(&format!("/proc/{pid}/net/dev")));
    let counted = match mode {
        CgroupMode::V2 => version2(&cgroup("")),
        CgroupMode::V1 | CgroupMode::Hybrid => version1(cgroup),
    };
    Usage { links: traffic(&links), ..counted }
}

fn version2(dir: &Path) -> Usage {
    let file = |name: &str| text(&dir.join(name));
    let cpu = pairs(&file("cpu.stat"));
    let micros = |name: &str| cpu.get(name).copied().unwrap_or_default().saturating_mul(1000);
    let count = |name: &str| cpu.get(name).copied().unwrap_or_default();
    Usage {
        cpu: CpuUsage {
            total: micros("usage_usec"),
            user: micros("user_usec"),
            system: micros("system_usec"),
            each: Vec::new(),
            periods: count("nr_periods"),
            throttled_periods: count("nr_throttled"),
            throttled: micros("throttled_usec"),
        },
        memory: MemoryUsage {
            usage: number(&file("memory.current")).unwrap_or_default(),
            limit: number(&file("memory.max")),
            parts: pairs(&file("memory.stat")),
            ..MemoryUsage::default()
        },
        pids: number(&file("pids.current")).unwrap_or_default(),
        pids_limit: number(&file("pids.max")),
        blocks: io_stat(&file("io.stat")),
        links: BTreeMap::new(),
    }
}

fn version1(cgroup: impl Fn(&str) -> PathBuf) -> Usage {
    let file = |controller: &str, name: &str| text(&cgroup(controller).join(name));
    let of = |controller: &str, name: &str| number(&file(controller, name));
    let quota = pairs(&file("cpu", "cpu.stat"));
    let count = |name: &str| quota.get(name).copied().unwrap_or_default();
    let each = file("cpuacct", "cpuacct.usage_percpu");
    // The kernel's word for no limit is the largest multiple of a page.
    let limit = of("memory", "memory.limit_in_bytes").filter(|limit| *limit < 1 << 62);
    Usage {
        cpu: CpuUsage {
            total: of("cpuacct", "cpuacct.usage").unwrap_or_default(),
            user: of("cpuacct", "cpuacct.usage_user").unwrap_or_default(),
            system: of("cpuacct", "cpuacct.usage_sys").unwrap_or_default(),
            each: each.split_whitespace().filter_map(|word| word.parse().ok()).collect(),
            periods: count("nr_periods"),
            throttled_periods: count("nr_throttled"),
            throttled: count("throttled_time"),
        },
        memory: MemoryUsage {
            usage: of("memory", "memory.usage_in_bytes").unwrap_or_default(),
            most: of("memory", "memory.max_usage_in_bytes"),
            limit,
            failures: of("memory", "memory.failcnt"),
            parts: pairs(&file("memory", "memory.stat")),
        },
        pids: of("pids", "pids.current").unwrap_or_default(),
        pids_limit: of("pids", "pids.max"),
        blocks: throttle(
            &file("blkio", "blkio.throttle.io_service_bytes_recursive"),
            &file("blkio", "blkio.throttle.io_serviced_recursive"),
        ),
        links: BTreeMap::new(),
    }
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// A file of one number; `max` is none.
fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// A file of lines `name number`.
fn pairs(text: &str) -> BTreeMap<String, u64> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// Version 2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`.
fn io_stat(text: &str) -> Vec<BlockUsage> {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(device) = words.next().and_then(device) else { continue };
        let values: BTreeMap<&str, u64> = words
            .filter_map(|word| word.split_once('='))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let value = |name| values.get(name).copied().unwrap_or_default();
        for (operation, bytes, requests) in
            [("read", value("rbytes"), value("rios")), ("write", value("wbytes"), value("wios"))]
        {
            all.push(BlockUsage { device, operation, bytes, requests });
        }
    }
    all
}

/// Version 1: lines `8:0 Read 1` in two files.
fn throttle(bytes: &str, requests: &str) -> Vec<BlockUsage> {
    let mut all: BTreeMap<((u64, u64), &'static str), BlockUsage> = BTreeMap::new();
    for (text, is_bytes) in [(bytes, true), (requests, false)] {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let device = words.next().and_then(device);
            let operation = match words.next() {
                Some("Read") => "read",
                Some("Write") => "write",
                _ => continue,
            };
            let (Some(device), Some(value)) = (device, words.next().and_then(|w| w.parse().ok()))
            else {
                continue;
            };
            let entry = all.entry((device, operation)).or_default();
            (entry.device, entry.operation) = (device, operation);
            *(if is_bytes { &mut entry.bytes } else { &mut entry.requests }) = value;
        }
    }
    all.into_values().collect()
}

fn device(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `/proc/net/dev`: two lines of headings, then `name: rx… tx…`, eight numbers each.
fn traffic(text: &str) -> BTreeMap<String, LinkUsage> {
    let link = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let numbers: Vec<u64> = numbers.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let at = |place: usize| numbers.get(place).copied();
        let usage = LinkUsage {
            rx_bytes: at(0)?,
            rx_packets: at(1)?,
            rx_errors: at(2)?,
            rx_dropped: at(3)?,
            tx_bytes: at(8)?,
            tx_packets: at(9)?,
            tx_errors: at(10)?,
            tx_dropped: at(11)?,
        };
        Some((name.trim().to_owned(), usage)).filter(|(name, _)| name != "lo")
    };
    text.lines().skip(2).filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_counted_but_the_loopback() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  \
                    eth0:  100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n";
        let all = traffic(text);
        assert_eq!(all.len(), 1);
        let eth0 = all["eth0"];
        assert_eq!(
            (eth0.rx_bytes, eth0.rx_packets, eth0.rx_errors, eth0.rx_dropped),
            (100, 2, 3, 4)
        );
        assert_eq!(
            (eth0.tx_bytes, eth0.tx_packets, eth0.tx_errors, eth0.tx_dropped),
            (500, 6, 7, 8)
        );
        assert!(traffic("").is_empty());
    }

    #[test]
    fn blocks_of_both_versions() {
        let new = io_stat("8:16 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");
        let old =
            throttle("8:16 Read 10\n8:16 Write 20\nTotal 30\n", "8:16 Read 1\n8:16 Write 2\n");
        assert_eq!(new, old);
        assert_eq!((new[1].device, new[1].operation, new[1].bytes), ((8, 16), "write", 20));
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!((number("max\n"), number("12\n"), number("")), (None, Some(12), None));
        assert_eq!(pairs("anon 1\nfile 2\nodd\n").len(), 2);
    }
}
