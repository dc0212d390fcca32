//! `GET /info`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use hawser_engine::Settings;
use hawser_engine::system::Info;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answer;
use crate::time;

pub async fn handle(State(engine): Shared) -> Response {
    let info = engine.info().await;
    answer::ok(&encode(&info, engine.settings()))
}

/// Parts are put together in Docker's order.
fn encode(info: &Info, settings: &Settings) -> Value {
    let mut all = objects(info);
    for part in [abilities(info, settings), host(info, settings), parts(info, settings)] {
        if let (Value::Object(all), Value::Object(part)) = (&mut all, part) {
            all.extend(part);
        }
    }
    all
}

fn objects(info: &Info) -> Value {
    json!({
        "ID": info.id,
        "Containers": info.containers.total,
        "ContainersRunning": info.containers.running,
        "ContainersPaused": info.containers.paused,
        "ContainersStopped": info.containers.stopped,
        "Images": info.images,
        "Driver": "overlay2",
        "DriverStatus": [
            ["Backing Filesystem", info.backing_filesystem],
            ["Supports d_type", "true"],
            ["Native Overlay Diff", "true"],
            ["userxattr", "false"],
        ],
        "Plugins": {
            "Volume": [],
            "Network": ["bridge", "host", "null"],
            "Authorization": null,
            "Log": ["json-file", "none"],
        },
    })
}

fn abilities(info: &Info, settings: &Settings) -> Value {
    json!({
        "MemoryLimit": true,
        "SwapLimit": true,
        "CpuCfsPeriod": true,
        "CpuCfsQuota": true,
        "CPUShares": true,
        "CPUSet": true,
        "PidsLimit": true,
        "IPv4Forwarding": true,
        "Debug": settings.debug,
        "NFd": info.open_files,
        "OomKillDisable": info.cgroup_version == "1",
        "NGoroutines": info.threads,
        "SystemTime": time::rfc3339(info.system_time),
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": info.cgroup_version,
        "NEventsListener": info.event_listeners,
    })
}

fn registries(settings: &Settings) -> Value {
    let (networks, hosts) = settings.registries.insecure();
    let mirrors = settings.registries.mirror_urls();
    let index = |name: &str, mirrors: &[String], secure: bool| json!({"Mirrors": mirrors, "Name": name, "Official": name == "docker.io", "Secure": secure});
    let mut indexes = Map::new();
    indexes.insert("docker.io".to_owned(), index("docker.io", &mirrors, true));
    for host in hosts {
        let config = index(&host, &[], false);
        indexes.insert(host, config);
    }
    let networks = ["::1/128".to_owned(), "127.0.0.0/8".to_owned()].into_iter().chain(networks);
    json!({
        "IndexConfigs": indexes,
        "InsecureRegistryCIDRs": networks.collect::<Vec<_>>(),
        "Mirrors": (!mirrors.is_empty()).then_some(mirrors),
    })
}

fn host(info: &Info, settings: &Settings) -> Value {
    let [http_proxy, https_proxy, no_proxy] = &info.proxies;
    json!({
        "KernelVersion": info.kernel_version,
        "OperatingSystem": info.operating_system,
        "OSVersion": info.os_version,
        "OSType": "linux",
        "Architecture": info.architecture,
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": registries(settings),
        "NCPU": info.cpus,
        "MemTotal": info.memory,
        "GenericResources": null,
        "DockerRootDir": settings.data_root.display().to_string(),
        "HttpProxy": http_proxy,
        "HttpsProxy": https_proxy,
        "NoProxy": no_proxy,
        "Name": info.name,
        "Labels": settings.labels,
        "ExperimentalBuild": false,
        "ServerVersion": info.server_version,
    })
}

fn parts(info: &Info, settings: &Settings) -> Value {
    let runtimes: BTreeMap<&String, Value> = settings
        .runtimes
        .iter()
        .map(|(name, runtime)| (name, json!({"path": runtime.path, "runtimeArgs": runtime.args})))
        .collect();
    let pools: Vec<Value> = settings
        .address_pools
        .iter()
        .map(|(base, size)| json!({"Base": base.to_string(), "Size": size}))
        .collect();
    json!({
        "Runtimes": runtimes,
        "DefaultRuntime": settings.default_runtime,
        "Swarm": {
            "NodeID": "",
            "NodeAddr": "",
            "LocalNodeState": "inactive",
            "ControlAvailable": false,
            "Error": "",
            "RemoteManagers": null,
        },
        // Containers always live on without the daemon.
        "LiveRestoreEnabled": true,
        "Isolation": "",
        "InitBinary": "",
        "ContainerdCommit": {"ID": ""},
        "RuncCommit": {"ID": ""},
        "InitCommit": {"ID": ""},
        "SecurityOptions": info.security_options,
        "DefaultAddressPools": (!pools.is_empty()).then_some(pools),
        "FirewallBackend": {"Driver": "nftables"},
        "CDISpecDirs": [],
        "Warnings": (!info.warnings.is_empty()).then_some(&info.warnings),
    })
}
