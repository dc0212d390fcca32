//! Limits of a container.
//!
//! In: [`Resources`] and what the host's cgroups can do. Out: the OCI resources; what is not limited is left out.
//! No I/O.

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources};

use crate::bundle::Resources;
use crate::setup::{CgroupMode, Cgroups};

/// The limits.
pub(super) fn resources(wanted: &Resources, cgroups: Cgroups) -> LinuxResources {
    let mut resources = LinuxResources::default();
    resources.set_memory(memory(wanted, cgroups));
    resources.set_cpu(cpu(wanted));
    if wanted.pids > 0 {
        let mut pids = LinuxPids::default();
        pids.set_limit(wanted.pids);
        resources.set_pids(Some(pids));
    }
    if wanted.blkio_weight > 0 {
        let mut block = LinuxBlockIo::default();
        block.set_weight(Some(wanted.blkio_weight));
        resources.set_block_io(Some(block));
    }
    resources
}

fn memory(wanted: &Resources, cgroups: Cgroups) -> Option<LinuxMemory> {
    let mut memory = LinuxMemory::default();
    let limit = i64::try_from(wanted.memory).unwrap_or(i64::MAX);
    if limit > 0 {
        memory.set_limit(Some(limit));
    }
    memory.set_swap(swap(wanted.memory_swap, limit).filter(|_| cgroups.swap_limit));
    if wanted.memory_reservation > 0 {
        memory.set_reservation(i64::try_from(wanted.memory_reservation).ok());
    }
    // Version 2 has neither.
    if cgroups.mode != CgroupMode::V2 {
        memory.set_swappiness(wanted.memory_swappiness);
        memory.set_disable_oom_killer(wanted.oom_kill_disable.then_some(true));
    }
    (memory != LinuxMemory::default()).then_some(memory)
}

/// Docker's default is as much swap as memory.
fn swap(wanted: i64, limit: i64) -> Option<i64> {
    match (wanted, limit) {
        (_, 0) => None,
        (0, limit) => Some(limit.saturating_mul(2)),
        (swap, _) => Some(swap),
    }
}

fn cpu(wanted: &Resources) -> Option<LinuxCpu> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(Some(wanted.cpu_shares).filter(|shares| *shares > 0));
    cpu.set_quota(Some(wanted.cpu_quota).filter(|quota| *quota != 0));
    cpu.set_period(Some(wanted.cpu_period).filter(|period| *period > 0));
    cpu.set_cpus(text(&wanted.cpuset_cpus)).set_mems(text(&wanted.cpuset_mems));
    (cpu != LinuxCpu::default()).then_some(cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_is_twice_the_memory_unless_said_otherwise() {
        assert_eq!(swap(0, 64), Some(128));
        assert_eq!(swap(-1, 64), Some(-1));
        assert_eq!(swap(64, 64), Some(64));
        assert_eq!(swap(64, 0), None);
    }

    #[test]
    fn no_limits_are_no_words() {
        let cgroups = Cgroups { mode: CgroupMode::V1, swap_limit: true, device_filter: true };
        assert_eq!(resources(&Resources::default(), cgroups), LinuxResources::default());
    }
}
