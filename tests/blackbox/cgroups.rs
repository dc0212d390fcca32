//! The cgroup layouts of machines: hybrid, version 1 alone, version 2 alone.

use hawser_testkit::{CgroupMode, EngineKind, Options, TestHost};

fn host(cgroups: CgroupMode) -> TestHost {
    let host = TestHost::with(Options { cgroups, ..Options::default() });
    host.start_daemon(&[]);
    host.load_busybox();
    host
}

/// Does this machine have hierarchies of version 1, of version 2?
fn machine_has() -> (bool, bool) {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    (mounts.contains(" - cgroup "), mounts.contains(" - cgroup2 "))
}

#[test]
fn as_the_machine_has_them() {
    let host = host(CgroupMode::Machine);
    let docker = host.docker();
    assert_eq!(docker.ok("run --rm -m 32m busybox echo yes"), "yes");
    assert!(!docker.ok("info -f '{{.CgroupVersion}}'").is_empty());
}

#[test]
fn version_1_alone() {
    if !machine_has().0 {
        return; // a machine of today: nothing to show
    }
    let host = host(CgroupMode::V1);
    let docker = host.docker();
    assert_eq!(
        docker.ok("run --rm -m 32m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes"),
        "33554432"
    );
    assert_eq!(docker.ok("info -f '{{.CgroupVersion}}'"), "1");
}

#[test]
fn version_2_alone() {
    if !machine_has().1 {
        return; // a machine of yesterday
    }
    let host = TestHost::with(Options { cgroups: CgroupMode::V2, ..Options::default() });
    if host.engine() == EngineKind::Docker {
        return; // dockerd 20.10 refuses a hierarchy without controllers
    }
    host.start_daemon(&[]);
    host.load_busybox();
    let docker = host.docker();
    assert_eq!(docker.ok("run --rm busybox echo yes"), "yes");
    assert_eq!(docker.ok("info -f '{{.CgroupVersion}}'"), "2");
}
