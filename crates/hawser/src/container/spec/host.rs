//! How the host treats the container: the API's `HostConfig`.

use serde_json::{Map, Value, json};

use super::Ports;
use crate::container::options::{ContainerOptions, LimitOptions, SecurityOptions, StorageOptions};
use crate::parse::volume::{Volume, tmpfs, volume};
use crate::parse::{Invalid, device, process};

/// The `HostConfig` that the flags ask for.
pub(super) fn host(options: &ContainerOptions, ports: &Ports) -> Result<Value, Invalid> {
    let (network, process_options) = (&options.network, &options.process);
    let mut host = json!({
        "ContainerIDFile": process_options.cidfile,
        "LogConfig": {
            "Type": process_options.log_driver,
            "Config": log_options(process_options.log_driver.as_str(), &process_options.log_opt)?,
        },
        "NetworkMode": network.network.first().map_or("default", |first| first.target.as_str()),
        "PortBindings": ports.bindings,
        "RestartPolicy": process::restart_policy(&process_options.restart)?,
        "AutoRemove": process_options.rm,
        "GroupAdd": process_options.group_add,
        "Dns": network.dns,
        "DnsOptions": network.dns_option,
        "DnsSearch": network.dns_search,
        "ExtraHosts": network.add_host,
        "Links": network.link,
        "PublishAllPorts": network.publish_all,
        "Runtime": process_options.runtime,
        "Init": process_options.init,
        "ConsoleSize": [0, 0],
    });
    add(&mut host, security(&options.security)?);
    add(&mut host, limits(&options.limits)?);
    add(&mut host, storage(&options.storage));
    Ok(host)
}

fn add(to: &mut Value, part: Value) {
    if let (Value::Object(to), Value::Object(part)) = (to, part) {
        to.extend(part);
    }
}

fn log_options(driver: &str, options: &[String]) -> Result<Value, Invalid> {
    if driver == "none" && !options.is_empty() {
        return Err(Invalid::new("invalid logging opts for driver none"));
    }
    Ok(process::pairs(options))
}

fn security(options: &SecurityOptions) -> Result<Value, Invalid> {
    let parsed = process::security(&options.security_opt)?;
    let devices =
        options.device.iter().map(|text| device::device(text)).collect::<Result<Vec<_>, _>>()?;
    let mut security = json!({
        "CapAdd": options.cap_add,
        "CapDrop": options.cap_drop,
        "CgroupnsMode": process::cgroup_mode(&options.cgroupns)?,
        "IpcMode": options.ipc,
        "PidMode": process::pid_mode(&options.pid)?,
        "Privileged": options.privileged,
        "SecurityOpt": parsed.options,
        "UTSMode": process::uts_mode(&options.uts)?,
        "UsernsMode": process::user_mode(&options.userns)?,
        "Isolation": options.isolation,
        "Sysctls": process::pairs(&options.sysctl),
        "Devices": devices,
        "DeviceCgroupRules": options.device_cgroup_rule,
        "DeviceRequests": options.gpus,
    });
    if parsed.all_paths {
        security["MaskedPaths"] = json!([]);
        security["ReadonlyPaths"] = json!([]);
    }
    Ok(security)
}

fn limits(options: &LimitOptions) -> Result<Value, Invalid> {
    let swappiness = options.memory_swappiness;
    if !(-1..=100).contains(&swappiness) {
        return Err(Invalid(format!(
            "invalid value: {swappiness}. Valid memory swappiness range is 0-100"
        )));
    }
    let mut limits = json!({
        "CpuShares": options.cpu_shares,
        "Memory": options.memory,
        "NanoCpus": options.cpus,
        "CgroupParent": options.cgroup_parent,
        "BlkioWeight": options.blkio_weight,
        "BlkioWeightDevice": options.blkio_weight_device,
        "BlkioDeviceReadBps": options.device_read_bps,
        "BlkioDeviceWriteBps": options.device_write_bps,
        "BlkioDeviceReadIOps": options.device_read_iops,
        "BlkioDeviceWriteIOps": options.device_write_iops,
        "CpuPeriod": options.cpu_period,
        "CpuQuota": options.cpu_quota,
        "CpuRealtimePeriod": options.cpu_rt_period,
        "CpuRealtimeRuntime": options.cpu_rt_runtime,
        "CpusetCpus": options.cpuset_cpus,
        "CpusetMems": options.cpuset_mems,
        "MemoryReservation": options.memory_reservation,
        "MemorySwap": options.memory_swap,
        "MemorySwappiness": swappiness,
        "OomKillDisable": options.oom_kill_disable,
        "OomScoreAdj": options.oom_score_adj,
        "PidsLimit": options.pids_limit,
        "Ulimits": options.ulimit,
    });
    if options.kernel_memory != 0 {
        limits["KernelMemory"] = options.kernel_memory.into();
    }
    Ok(limits)
}

fn storage(options: &StorageOptions) -> Value {
    let here = std::env::current_dir().unwrap_or_default();
    let binds = options.volume.iter().filter_map(|text| match volume(text, &here) {
        Volume::Bind(bind) => Some(bind),
        Volume::Anonymous(_) => None,
    });
    let tmpfs: Map<String, Value> =
        options.tmpfs.iter().map(|text| tmpfs(text)).map(|(path, o)| (path, o.into())).collect();
    let mut storage = json!({
        "Binds": binds.collect::<Vec<_>>(),
        "VolumeDriver": options.volume_driver,
        "VolumesFrom": options.volumes_from,
        "ReadonlyRootfs": options.read_only,
        "ShmSize": options.shm_size.unwrap_or(0),
    });
    for (key, value) in
        [("Tmpfs", Value::Object(tmpfs)), ("StorageOpt", process::pairs(&options.storage_opt))]
    {
        if value.as_object().is_some_and(|object| !object.is_empty()) {
            storage[key] = value;
        }
    }
    if !options.mount.is_empty() {
        storage["Mounts"] = json!(options.mount);
    }
    storage
}
