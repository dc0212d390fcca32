//! `HostConfig`: what of a container depends on the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::nullable;

/// `port/protocol` → host bindings; `null` bindings are kept.
pub type PortMap = BTreeMap<String, Option<Vec<PortBinding>>>;

/// Where a container port is published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortBinding {
    /// Host address; empty means the default.
    #[serde(default, deserialize_with = "nullable")]
    pub host_ip: String,
    /// Host port or range; empty or `0` means an ephemeral one.
    #[serde(default, deserialize_with = "nullable")]
    pub host_port: String,
}

/// When a container is started again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RestartPolicy {
    /// `no` or empty, `always`, `unless-stopped`, `on-failure`.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// For `on-failure`: how often; 0 without bound.
    #[serde(default, deserialize_with = "nullable")]
    pub maximum_retry_count: i64,
}

/// Log driver and its options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogConfig {
    /// Driver.
    #[serde(rename = "Type", default, deserialize_with = "nullable")]
    pub kind: String,
    /// Options.
    #[serde(default, deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

/// A device of the host given to the container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeviceMapping {
    /// Path on the host.
    #[serde(default, deserialize_with = "nullable")]
    pub path_on_host: String,
    /// Path inside.
    #[serde(default, deserialize_with = "nullable")]
    pub path_in_container: String,
    /// `r`, `w`, `m`.
    #[serde(default, deserialize_with = "nullable")]
    pub cgroup_permissions: String,
}

/// A request to a device driver (`--gpus`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeviceRequest {
    /// Driver.
    #[serde(default, deserialize_with = "nullable")]
    pub driver: String,
    /// How many; -1 all.
    #[serde(default, deserialize_with = "nullable")]
    pub count: i64,
    /// Device ids.
    #[serde(rename = "DeviceIDs", default)]
    pub device_ids: Option<Vec<String>>,
    /// Capabilities, alternatives of sets.
    #[serde(default)]
    pub capabilities: Option<Vec<Vec<String>>>,
    /// Options.
    #[serde(default, deserialize_with = "nullable")]
    pub options: BTreeMap<String, String>,
}

/// A resource limit of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ulimit {
    /// Name as `nofile`.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// Hard limit; -1 unlimited.
    #[serde(default, deserialize_with = "nullable")]
    pub hard: i64,
    /// Soft limit.
    #[serde(default, deserialize_with = "nullable")]
    pub soft: i64,
}

/// Relative weight of a block device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WeightDevice {
    /// Path.
    #[serde(default, deserialize_with = "nullable")]
    pub path: String,
    /// Weight 10 to 1000.
    #[serde(default, deserialize_with = "nullable")]
    pub weight: u16,
}

/// Rate limit of a block device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ThrottleDevice {
    /// Path.
    #[serde(default, deserialize_with = "nullable")]
    pub path: String,
    /// Bytes or operations a second.
    #[serde(default, deserialize_with = "nullable")]
    pub rate: u64,
}

/// Options of a bind mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BindOptions {
    /// `rprivate`, `rslave`, `rshared`, …
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// Without what is mounted below.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub non_recursive: bool,
    /// Make the source directory if it is missing.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub create_mountpoint: bool,
}

/// Options of a volume mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeOptions {
    /// Do not copy the image's files into an empty volume.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub no_copy: bool,
    /// Labels of the volume if it is made.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Who makes the volume if it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_config: Option<VolumeDriver>,
}

/// A driver of volumes and what it is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeDriver {
    /// Its name.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// Its options.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// Options of a tmpfs mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TmpfsOptions {
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    /// Mode of its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// A mount asked for with `--mount`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountSpec {
    /// `bind`, `volume`, `tmpfs`, `npipe`, `cluster`, `image`.
    #[serde(rename = "Type", default, deserialize_with = "nullable")]
    pub kind: String,
    /// Path on the host or name of the volume.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Path inside.
    #[serde(default, deserialize_with = "nullable")]
    pub target: String,
    /// Read-only.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// `default`, `consistent`, `cached`, `delegated`: accepted, without meaning on Linux.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub consistency: String,
    /// Bind options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<BindOptions>,
    /// Volume options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<VolumeOptions>,
    /// tmpfs options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<TmpfsOptions>,
}

/// The part of a container that depends on the host (API: `HostConfig`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HostConfig {
    /// `source:target[:options]`.
    #[serde(default)]
    pub binds: Option<Vec<String>>,
    /// File that got the id (a client matter).
    #[serde(rename = "ContainerIDFile", default, deserialize_with = "nullable")]
    pub container_id_file: String,
    /// Log driver.
    #[serde(default, deserialize_with = "nullable")]
    pub log_config: LogConfig,
    /// `default`, `bridge`, `host`, `none`, `container:X` or a network.
    #[serde(default, deserialize_with = "nullable")]
    pub network_mode: String,
    /// Published ports.
    #[serde(default, deserialize_with = "nullable")]
    pub port_bindings: PortMap,
    /// Restart policy.
    #[serde(default, deserialize_with = "nullable")]
    pub restart_policy: RestartPolicy,
    /// Remove the container when it has exited.
    #[serde(default, deserialize_with = "nullable")]
    pub auto_remove: bool,
    /// Volume driver of named volumes.
    #[serde(default, deserialize_with = "nullable")]
    pub volume_driver: String,
    /// Containers whose volumes are mounted too.
    #[serde(default)]
    pub volumes_from: Option<Vec<String>>,
    /// Height and width of the terminal.
    #[serde(default, deserialize_with = "nullable")]
    pub console_size: [u32; 2],
    /// OCI annotations.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Capabilities more.
    #[serde(default)]
    pub cap_add: Option<Vec<String>>,
    /// Capabilities less.
    #[serde(default)]
    pub cap_drop: Option<Vec<String>>,
    /// `host` or `private`.
    #[serde(default, deserialize_with = "nullable")]
    pub cgroupns_mode: String,
    /// DNS servers.
    #[serde(default, deserialize_with = "nullable")]
    pub dns: Vec<String>,
    /// resolv.conf options.
    #[serde(default, deserialize_with = "nullable")]
    pub dns_options: Vec<String>,
    /// Search domains.
    #[serde(default, deserialize_with = "nullable")]
    pub dns_search: Vec<String>,
    /// `name:address`.
    #[serde(default)]
    pub extra_hosts: Option<Vec<String>>,
    /// Supplementary groups.
    #[serde(default)]
    pub group_add: Option<Vec<String>>,
    /// `none`, `private`, `shareable`, `container:X`, `host`.
    #[serde(default, deserialize_with = "nullable")]
    pub ipc_mode: String,
    /// Cgroup to use (legacy).
    #[serde(default, deserialize_with = "nullable")]
    pub cgroup: String,
    /// `name[:alias]`.
    #[serde(default)]
    pub links: Option<Vec<String>>,
    /// OOM score adjustment.
    #[serde(default, deserialize_with = "nullable")]
    pub oom_score_adj: i64,
    /// `host` or `container:X`.
    #[serde(default, deserialize_with = "nullable")]
    pub pid_mode: String,
    /// All capabilities, devices and paths.
    #[serde(default, deserialize_with = "nullable")]
    pub privileged: bool,
    /// Publish every exposed port.
    #[serde(default, deserialize_with = "nullable")]
    pub publish_all_ports: bool,
    /// Root file system read-only.
    #[serde(default, deserialize_with = "nullable")]
    pub readonly_rootfs: bool,
    /// `seccomp=…`, `no-new-privileges`, `apparmor=…`, `label=…`.
    #[serde(default)]
    pub security_opt: Option<Vec<String>>,
    /// Storage driver options.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub storage_opt: BTreeMap<String, String>,
    /// Path → options.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub tmpfs: BTreeMap<String, String>,
    /// `host` or empty.
    #[serde(rename = "UTSMode", default, deserialize_with = "nullable")]
    pub uts_mode: String,
    /// `host` or empty.
    #[serde(default, deserialize_with = "nullable")]
    pub userns_mode: String,
    /// Bytes of /dev/shm; 0 is 64 MiB.
    #[serde(default, deserialize_with = "nullable")]
    pub shm_size: i64,
    /// Kernel settings.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    /// OCI runtime; empty is the default.
    #[serde(default, deserialize_with = "nullable")]
    pub runtime: String,
    /// Windows only.
    #[serde(default, deserialize_with = "nullable")]
    pub isolation: String,
    /// Relative CPU weight.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_shares: i64,
    /// Memory limit in bytes.
    #[serde(default, deserialize_with = "nullable")]
    pub memory: i64,
    /// CPUs in units of 1e-9.
    #[serde(default, deserialize_with = "nullable")]
    pub nano_cpus: i64,
    /// Parent cgroup.
    #[serde(default, deserialize_with = "nullable")]
    pub cgroup_parent: String,
    /// Block I/O weight.
    #[serde(default, deserialize_with = "nullable")]
    pub blkio_weight: u16,
    /// Weights of devices.
    #[serde(default)]
    pub blkio_weight_device: Option<Vec<WeightDevice>>,
    /// Read rates.
    #[serde(default)]
    pub blkio_device_read_bps: Option<Vec<ThrottleDevice>>,
    /// Write rates.
    #[serde(default)]
    pub blkio_device_write_bps: Option<Vec<ThrottleDevice>>,
    /// Read operations.
    #[serde(rename = "BlkioDeviceReadIOps", default)]
    pub blkio_device_read_iops: Option<Vec<ThrottleDevice>>,
    /// Write operations.
    #[serde(rename = "BlkioDeviceWriteIOps", default)]
    pub blkio_device_write_iops: Option<Vec<ThrottleDevice>>,
    /// CFS period in µs.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_period: i64,
    /// CFS quota in µs.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_quota: i64,
    /// Realtime period in µs.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_realtime_period: i64,
    /// Realtime runtime in µs.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_realtime_runtime: i64,
    /// CPUs, as `0-2,4`.
    #[serde(default, deserialize_with = "nullable")]
    pub cpuset_cpus: String,
    /// Memory nodes.
    #[serde(default, deserialize_with = "nullable")]
    pub cpuset_mems: String,
    /// Devices.
    #[serde(default)]
    pub devices: Option<Vec<DeviceMapping>>,
    /// Device cgroup rules.
    #[serde(default)]
    pub device_cgroup_rules: Option<Vec<String>>,
    /// Device driver requests.
    #[serde(default)]
    pub device_requests: Option<Vec<DeviceRequest>>,
    /// Soft memory limit.
    #[serde(default, deserialize_with = "nullable")]
    pub memory_reservation: i64,
    /// Memory plus swap; -1 unlimited.
    #[serde(default, deserialize_with = "nullable")]
    pub memory_swap: i64,
    /// 0 to 100.
    #[serde(default)]
    pub memory_swappiness: Option<i64>,
    /// Do not kill when out of memory.
    #[serde(default)]
    pub oom_kill_disable: Option<bool>,
    /// Processes; 0 or -1 unlimited.
    #[serde(default)]
    pub pids_limit: Option<i64>,
    /// Resource limits.
    #[serde(default)]
    pub ulimits: Option<Vec<Ulimit>>,
    /// Windows only.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_count: i64,
    /// Windows only.
    #[serde(default, deserialize_with = "nullable")]
    pub cpu_percent: i64,
    /// Windows only.
    #[serde(rename = "IOMaximumIOps", default, deserialize_with = "nullable")]
    pub io_maximum_iops: u64,
    /// Windows only.
    #[serde(rename = "IOMaximumBandwidth", default, deserialize_with = "nullable")]
    pub io_maximum_bandwidth: u64,
    /// Mounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Vec<MountSpec>>,
    /// Paths hidden from the container.
    #[serde(default)]
    pub masked_paths: Option<Vec<String>>,
    /// Paths read-only in the container.
    #[serde(default)]
    pub readonly_paths: Option<Vec<String>>,
    /// Run an init as process 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
}
