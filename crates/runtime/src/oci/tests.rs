//! Tests of the configuration as a whole: bundles in, JSON out.

use super::*;
use crate::bundle::Process;

fn bundle() -> Bundle {
    let process = Process { args: vec!["true".into()], ..Process::default() };
    let rootfs = std::fs::File::open("/").unwrap().into();
    Bundle::new("0123456789abcdef", rootfs, process)
}

fn json(bundle: &Bundle, mode: CgroupMode) -> serde_json::Value {
    let cgroups = Cgroups { mode, swap_limit: true, device_filter: true };
    serde_json::to_value(spec(bundle, &Identity::default(), cgroups).unwrap()).unwrap()
}

fn namespaces_of(spec: &serde_json::Value) -> Vec<&str> {
    let list = spec["linux"]["namespaces"].as_array().unwrap();
    list.iter().map(|namespace| namespace["type"].as_str().unwrap()).collect()
}

#[test]
fn docker_s_defaults_hold() {
    let spec = json(&bundle(), CgroupMode::V1);
    assert_eq!(spec["hostname"], "0123456789ab");
    assert_eq!(spec["root"], serde_json::json!({"path": "rootfs", "readonly": false}));
    assert_eq!(namespaces_of(&spec), ["mount", "pid", "ipc", "uts"]);
    assert_eq!(spec["linux"]["cgroupsPath"], "/hawser/0123456789abcdef");
    assert_eq!(spec["process"]["capabilities"]["effective"].as_array().unwrap().len(), 14);
    assert_eq!(spec["process"]["noNewPrivileges"], false);
    assert_eq!(spec["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
    assert_eq!(spec["linux"]["maskedPaths"].as_array().unwrap().len(), 12);
    let targets: Vec<_> = spec["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mount| mount["destination"].clone())
        .collect();
    let wanted = ["/proc", "/dev", "/sys", "/dev/pts", "/dev/mqueue", "/dev/shm", "/sys/fs/cgroup"];
    assert_eq!(targets, wanted);
}

#[test]
fn what_memory_is_shared_follows_the_ipc_mode() {
    let kind_of = |bundle: &Bundle, target: &str| {
        let spec = json(bundle, CgroupMode::V1);
        let mount = spec["mounts"].as_array().unwrap().iter().find(|m| m["destination"] == target);
        mount.map(|mount| mount["type"].as_str().unwrap().to_owned())
    };
    let mut host = bundle();
    host.namespaces.ipc = Namespace::Host;
    assert_eq!(kind_of(&host, "/dev/shm").as_deref(), Some("bind"));
    // Not bound from the host, which need not have it mounted.
    assert_eq!(kind_of(&host, "/dev/mqueue").as_deref(), Some("mqueue"));
    let none = Bundle { without_shm: true, ..bundle() };
    assert_eq!(kind_of(&none, "/dev/shm"), None);
    assert_eq!(kind_of(&none, "/dev/mqueue").as_deref(), Some("mqueue"));
}

#[test]
fn the_network_namespace_is_never_the_runtimes_business() {
    for mode in [CgroupMode::V1, CgroupMode::V2, CgroupMode::Hybrid] {
        assert!(!namespaces_of(&json(&bundle(), mode)).contains(&"network"));
    }
    let mut bundle = bundle();
    bundle.sysctls.insert("net.ipv4.ip_forward".into(), "1".into());
    let cgroups = Cgroups { mode: CgroupMode::V1, swap_limit: true, device_filter: true };
    assert!(spec(&bundle, &Identity::default(), cgroups).is_err());
}

#[test]
fn cgroup_namespaces_are_private_on_version_two() {
    assert!(namespaces_of(&json(&bundle(), CgroupMode::V2)).contains(&"cgroup"));
    let privileged = Bundle { privileged: true, ..bundle() };
    assert!(!namespaces_of(&json(&privileged, CgroupMode::V2)).contains(&"cgroup"));
}

#[test]
fn privileged_hides_and_filters_nothing() {
    let spec = json(&Bundle { privileged: true, ..bundle() }, CgroupMode::V1);
    assert_eq!(spec["linux"].get("seccomp"), None);
    assert_eq!(spec["linux"]["maskedPaths"], serde_json::json!([]));
    assert_eq!(spec["linux"]["resources"]["devices"][0]["allow"], true);
}

#[test]
fn a_user_who_is_not_root_starts_without_capabilities() {
    let cgroups = Cgroups { mode: CgroupMode::V1, swap_limit: true, device_filter: true };
    let identity = Identity { uid: 33, ..Identity::default() };
    let spec = serde_json::to_value(spec(&bundle(), &identity, cgroups).unwrap()).unwrap();
    let sets = &spec["process"]["capabilities"];
    assert_eq!(sets.get("effective"), None);
    assert_eq!(sets["bounding"].as_array().unwrap().len(), 14);
}

#[test]
fn a_mount_of_the_users_takes_the_place_of_a_default_one() {
    let tmpfs =
        Mount::Tmpfs { target: "/dev/shm".into(), options: vec!["size=1m".into(), "exec".into()] };
    let bind = Mount::Bind {
        source: "/tmp".into(),
        target: "/a".into(),
        read_only: true,
        recursive: true,
        propagation: Propagation::RSlave,
    };
    let spec = json(&Bundle { mounts: vec![tmpfs, bind], ..bundle() }, CgroupMode::V1);
    let mounts = spec["mounts"].as_array().unwrap();
    let shm: Vec<_> = mounts.iter().filter(|mount| mount["destination"] == "/dev/shm").collect();
    assert_eq!(shm.len(), 1);
    assert_eq!(shm[0]["options"], serde_json::json!(["nosuid", "nodev", "size=1m", "exec"]));
    assert_eq!(spec["linux"]["rootfsPropagation"], "rslave");
    let bind = mounts.iter().find(|mount| mount["destination"] == "/a").unwrap();
    assert_eq!(bind["options"], serde_json::json!(["rbind", "ro", "rslave"]));
}
