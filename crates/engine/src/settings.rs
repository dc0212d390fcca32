//! What the daemon was told on its command line and in `daemon.json`, as the engine needs it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

pub use hawser_model::Sources;
pub use hawser_registry::Policy as RegistryPolicy;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Settings of one engine, fixed for the life of the daemon.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Lasting state: store, images, containers (`/var/lib/hawser`).
    pub data_root: PathBuf,
    /// State of this boot: namespaces, sockets, runtime state (`/run/hawser`).
    pub exec_root: PathBuf,
    /// The default bridge.
    pub bridge: DefaultBridge,
    /// Pools that networks without a subnet are cut from: base and prefix length of each network.
    pub address_pools: Vec<(IpNet, u8)>,
    /// Where ports are published when nothing else is said (`--ip`); unspecified is everywhere.
    pub publish_address: Option<IpAddr>,
    /// Who may reach published ports, where neither network nor container says (`--publish-policy`).
    pub publish_policy: Sources,
    /// MTU of the default bridge; 0 for the kernel's 1500.
    pub mtu: u32,
    /// DNS servers of containers that name none.
    pub dns: Vec<String>,
    /// DNS search domains of containers that name none.
    pub dns_search: Vec<String>,
    /// resolv.conf options of containers that name none.
    pub dns_options: Vec<String>,
    /// `--dns-cache`: answers of other servers are kept for as long as they may be.
    pub dns_cache: bool,
    /// OCI runtimes by name.
    pub runtimes: BTreeMap<String, RuntimeSetting>,
    /// Name of the runtime of containers that name none.
    pub default_runtime: String,
    /// Labels of the daemon (`key=value`), shown by `info`.
    pub labels: Vec<String>,
    /// `--default-shm-size` in bytes.
    pub default_shm_size: i64,
    /// `--default-ipc-mode`: `private` or `shareable`.
    pub default_ipc_mode: String,
    /// `--init`: every container gets an init.
    pub init: bool,
    /// Whether debug logging is on, shown by `info`.
    pub debug: bool,
    /// `--host-gateway-ip`, what `host-gateway` in `--add-host` stands for.
    pub host_gateway: Option<IpAddr>,
    /// `--insecure-registry`, `--registry-mirror`: how registries may be spoken to.
    pub registries: RegistryPolicy,
    /// `--firewall-lock`: no other program changes our nftables tables (Linux 6.9).
    pub firewall_lock: bool,
}

/// An OCI runtime program.
#[derive(Clone, Debug)]
pub struct RuntimeSetting {
    /// Program name or path.
    pub path: String,
    /// Arguments before the verb.
    pub args: Vec<String>,
}

/// The network that containers join when they name none.
#[derive(Clone, Debug, Default)]
pub struct DefaultBridge {
    /// `--bridge none`: there is no default bridge.
    pub disabled: bool,
    /// Name of its link (`--bridge-name`, `hawser0`).
    pub name: String,
    /// `--bridge NAME`: an existing bridge is used and never created, changed or removed.
    pub existing: bool,
    /// Its address and prefix (`--bip`).
    pub bip: Option<Ipv4Net>,
    /// Part of the subnet that addresses are taken from (`--fixed-cidr`).
    pub fixed_cidr: Option<Ipv4Net>,
    /// Default gateway of its containers (`--default-gateway`).
    pub gateway: Option<IpAddr>,
    /// Whether its containers have IPv6 (`--ipv6`).
    pub ipv6: bool,
    /// Its IPv6 address and prefix (`--bip6`); of the engine's own block if not given.
    pub bip6: Option<Ipv6Net>,
    /// Part of the IPv6 subnet that addresses are taken from (`--fixed-cidr-v6`).
    pub fixed_cidr_v6: Option<Ipv6Net>,
    /// Default IPv6 gateway of its containers (`--default-gateway-v6`).
    pub gateway_v6: Option<IpAddr>,
    /// Whether its containers reach one another (`--icc`).
    pub icc: bool,
    /// Whether its containers' traffic takes the host's address (`--ip-masq`).
    pub masquerade: bool,
}

impl Settings {
    /// Directory of a container's own files: hosts, hostname, resolv.conf, log.
    pub fn container_dir(&self, id: &crate::record::ContainerId) -> PathBuf {
        self.data_root.join("containers").join(id.as_str())
    }
}
