//! Limits that make no sense, in Docker's words, and what follows from those that do.

use crate::error::{Error, Result};
use crate::spec::{HostConfig, Ulimit};

const LEAST_MEMORY: i64 = 6 * 1024 * 1024;
const ULIMITS: &[&str] = &[
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Checks the resources and fills in what follows from them.
pub(super) fn check(host: &mut HostConfig, cpus: usize) -> Result<()> {
    memory(host)?;
    cpu(host, cpus)?;
    if host.blkio_weight > 0 && !(10..=1000).contains(&host.blkio_weight) {
        return Err(Error::invalid("Range of blkio weight is from 10 to 1000"));
    }
    if !(-1000..=1000).contains(&host.oom_score_adj) {
        return Err(Error::invalid(format!(
            "Invalid value {}, range for oom score adj is [-1000, 1000]",
            host.oom_score_adj
        )));
    }
    if host.shm_size < 0 {
        return Err(Error::invalid("SHM size can not be less than 0"));
    }
    // What clients send for "none" is shown as such.
    host.memory_swappiness = host.memory_swappiness.filter(|value| *value != -1);
    host.pids_limit = host.pids_limit.filter(|limit| *limit > 0);
    host.ulimits.iter().flatten().try_for_each(ulimit)
}

fn memory(host: &mut HostConfig) -> Result<()> {
    let fault = if host.memory != 0 && host.memory < LEAST_MEMORY {
        "Minimum memory limit allowed is 6MB"
    } else if host.memory > 0 && host.memory_swap > 0 && host.memory_swap < host.memory {
        "Minimum memoryswap limit should be larger than memory limit, see usage"
    } else if host.memory == 0 && host.memory_swap > 0 {
        "You should always set the Memory limit when using Memoryswap limit, see usage"
    } else if host.memory_reservation != 0 && host.memory_reservation < LEAST_MEMORY {
        "Minimum memory reservation allowed is 6MB"
    } else if host.memory > 0 && host.memory < host.memory_reservation {
        "Minimum memory limit can not be less than memory reservation limit, see usage"
    } else {
        ""
    };
    if !fault.is_empty() {
        return Err(Error::invalid(fault));
    }
    if let Some(value) = host.memory_swappiness.filter(|v| !(-1..=100).contains(v)) {
        return Err(Error::invalid(format!(
            "Invalid value: {value}, valid memory swappiness range is 0-100"
        )));
    }
    if host.memory > 0 && host.memory_swap == 0 {
        host.memory_swap = host.memory.saturating_mul(2);
    }
    Ok(())
}

fn cpu(host: &HostConfig, cpus: usize) -> Result<()> {
    let all = i64::try_from(cpus).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
    if host.nano_cpus < 0 || host.nano_cpus > all {
        return Err(Error::invalid(format!(
            "range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
        )));
    }
    let fault = if host.nano_cpus > 0 && host.cpu_period != 0 {
        "Conflicting options: Nano CPUs and CPU Period cannot both be set"
    } else if host.nano_cpus > 0 && host.cpu_quota != 0 {
        "Conflicting options: Nano CPUs and CPU Quota cannot both be set"
    } else if host.cpu_shares < 0 {
        "CPU shares can not be negative"
    } else if host.cpu_period != 0 && !(1000..=1_000_000).contains(&host.cpu_period) {
        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
    } else if host.cpu_quota > 0 && host.cpu_quota < 1000 {
        "CPU cfs quota can not be less than 1ms (i.e. 1000)"
    } else {
        ""
    };
    if !fault.is_empty() {
        return Err(Error::invalid(fault));
    }
    cpuset(&host.cpuset_cpus, "cpus", cpus)?;
    cpuset(&host.cpuset_mems, "mems", usize::MAX)
}

/// Checks a list of ranges as `0-2,4` against the number there is.
fn cpuset(text: &str, what: &str, count: usize) -> Result<()> {
    let words = text.split(',').filter(|_| !text.is_empty());
    let parsed: Option<Vec<(usize, usize)>> = words
        .map(|word| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let range = (first.parse().ok()?, last.parse().ok()?);
            (range.0 <= range.1).then_some(range)
        })
        .collect();
    let Some(ranges) = parsed else {
        return Err(Error::invalid(format!("Invalid value {text} for cpuset {what}")));
    };
    if ranges.iter().any(|(_, last)| *last >= count) {
        let last = count.saturating_sub(1);
        return Err(Error::invalid(format!(
            "Requested CPUs are not available - requested {text}, available: 0-{last}"
        )));
    }
    Ok(())
}

fn ulimit(limit: &Ulimit) -> Result<()> {
    if !ULIMITS.contains(&limit.name.as_str()) {
        return Err(Error::invalid(format!("invalid ulimit type: {}", limit.name)));
    }
    if limit.hard != -1 && (limit.soft > limit.hard || limit.soft == -1) {
        return Err(Error::invalid(format!(
            "ulimit soft limit must be less than or equal to hard limit: {} > {}",
            limit.soft, limit.hard
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut HostConfig)) -> String {
        let mut host = HostConfig::default();
        change(&mut host);
        check(&mut host, 2).unwrap_err().to_string()
    }

    #[test]
    fn memory_has_a_least() {
        assert_eq!(refused(|h| h.memory = 1024), "Minimum memory limit allowed is 6MB");
        assert!(refused(|h| h.memory_swap = 1 << 30).starts_with("You should always set"));
        let mut host = HostConfig { memory: 1 << 30, ..HostConfig::default() };
        check(&mut host, 2).unwrap();
        assert_eq!(host.memory_swap, 2 << 30);
    }

    #[test]
    fn there_are_only_so_many_cpus() {
        assert_eq!(
            refused(|h| h.nano_cpus = 3_000_000_000),
            "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"
        );
        assert_eq!(
            refused(|h| h.cpuset_cpus = "0-2".into()),
            "Requested CPUs are not available - requested 0-2, available: 0-1"
        );
        assert_eq!(refused(|h| h.cpuset_cpus = "x".into()), "Invalid value x for cpuset cpus");
    }

    #[test]
    fn ulimits_are_known_and_ordered() {
        let limit = |name: &str, soft, hard| Ulimit { name: name.into(), soft, hard };
        assert_eq!(refused(|h| h.ulimits = Some(vec![limit("x", 1, 1)])), "invalid ulimit type: x");
        assert!(refused(|h| h.ulimits = Some(vec![limit("nofile", 2, 1)])).contains("2 > 1"));
        let mut host =
            HostConfig { ulimits: Some(vec![limit("core", -1, -1)]), ..Default::default() };
        check(&mut host, 2).unwrap();
    }
}
