//! What the daemon can be told: one list for the command line and for `daemon.json`.
//!
//! In: arguments or JSON. Out: [`Options`], each `None` or empty if it was not given. The name of
//! a key in the file is the name of the field with hyphens; a flag has the same name, or the
//! singular. Defaults and checks are in `settings.rs` and `listen`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use serde::{Deserialize, Serialize};

use crate::values::{self, Pool, Runtime};

/// Reads yes and no: `--icc`, `--icc=false`.
fn yes_no() -> BoolishValueParser {
    BoolishValueParser::new()
}

/// Options with a meaning; those without one are in `ignored.rs`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Options {
    /// Where to listen: unix://PATH, tcp://ADDRESS:PORT or fd:// (repeatable)
    #[arg(short = 'H', long = "host", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,

    /// Lasting state [default: /var/lib/hawser]
    #[arg(long, value_name = "DIRECTORY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_root: Option<PathBuf>,

    /// State of this boot [default: /run/hawser]
    #[arg(long, value_name = "DIRECTORY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec_root: Option<PathBuf>,

    /// File that holds the daemon's process id [default: hawserd.pid in the exec root]
    #[arg(short, long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pidfile: Option<PathBuf>,

    /// Group that may use the unix socket [default: hawser if there is one, else root]
    #[arg(short = 'G', long, value_name = "GROUP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// Debug logging, same as --log-level=debug
    #[arg(short = 'D', long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<bool>,

    /// debug, info, warn, error or fatal [default: info]
    #[arg(short, long, value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,

    /// Name of the default bridge's link [default: hawser0]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge_name: Option<String>,

    /// Use this existing bridge as the default one; `none` for no default bridge
    #[arg(short, long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,

    /// Address and subnet of the default bridge, as 172.17.0.1/16
    #[arg(long, value_name = "CIDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bip: Option<String>,

    /// Part of the default bridge's subnet that addresses are taken from
    #[arg(long, value_name = "CIDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_cidr: Option<String>,

    /// Default gateway of containers on the default bridge [default: the bridge's address]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_gateway: Option<IpAddr>,

    /// Containers on the default bridge have IPv6 [default: false]
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,

    /// IPv6 address and subnet of the default bridge, as fd17::1/64 [default: of the engine's block]
    #[arg(long, value_name = "CIDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bip6: Option<String>,

    /// Part of the default bridge's IPv6 subnet that addresses are taken from
    #[arg(long, value_name = "CIDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_cidr_v6: Option<String>,

    /// Default IPv6 gateway of containers on the default bridge [default: the bridge's address]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_gateway_v6: Option<IpAddr>,

    /// Pool that networks get their subnets from, as base=10.10.0.0/16,size=24 (repeatable)
    #[arg(long = "default-address-pool", value_name = "POOL")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_address_pools: Vec<Pool>,

    /// Address that ports are published on [default: any]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,

    /// Who may reach published ports: any, local, or a list with commas of addresses, CIDR and
    /// iface:NAME; networks and containers can say otherwise [default: any]
    #[arg(long, value_name = "SOURCES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_policy: Option<String>,

    /// Containers on the default bridge reach one another [default: true]
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icc: Option<bool>,

    /// Containers on the default bridge reach the outside with the host's address [default: true]
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_masq: Option<bool>,

    /// MTU of the default bridge [default: 1500]
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,

    /// DNS server of containers (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,

    /// DNS search domain of containers (repeatable)
    #[arg(long, value_name = "DOMAIN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,

    /// Option for the resolv.conf of containers (repeatable)
    #[arg(long = "dns-opt", value_name = "OPTION")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_opts: Vec<String>,

    /// Keep answers of other name servers for as long as they allow, on or off [default: on]
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_cache: Option<bool>,

    /// OCI runtime, as name=path (repeatable)
    #[arg(long = "add-runtime", value_name = "NAME=PATH", value_parser = values::runtime)]
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "values::runtimes")]
    pub runtimes: Vec<(String, Runtime)>,

    /// Name of the runtime of containers that name none [default: crun]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_runtime: Option<String>,

    /// Label of this engine, as key=value (repeatable)
    #[arg(long = "label", value_name = "LABEL")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,

    /// Size of /dev/shm of containers that say nothing [default: 64MiB]
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_shm_size: Option<String>,

    /// IPC mode of containers that say nothing: private or shareable [default: private]
    #[arg(long, value_name = "MODE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_ipc_mode: Option<String>,

    /// Run an init in every container
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,

    /// What `host-gateway` in --add-host stands for [default: the default bridge's address]
    #[arg(long = "host-gateway-ip", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "values::one_or_more")]
    pub host_gateway_ips: Vec<String>,

    /// Registry (HOST[:PORT], or a network) that may be spoken to with unverified TLS and with plain
    /// HTTP (repeatable); those on the loopback always may
    #[arg(long = "insecure-registry", value_name = "REGISTRY")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insecure_registries: Vec<String>,

    /// URL of a mirror of docker.io that is asked first (repeatable)
    #[arg(long = "registry-mirror", value_name = "URL")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registry_mirrors: Vec<String>,

    /// Keep other programs from changing hawser's nftables tables (Linux 6.9) [default: true]
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_lock: Option<bool>,

    /// Where to serve metrics for Prometheus, at /metrics, as 127.0.0.1:9323 [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_addr: Option<String>,

    /// TLS on TCP; clients are not asked who they are
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,

    /// TLS on TCP, and only for clients with a certificate of the authority
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlsverify: Option<bool>,

    /// Certificate of the authority that signs clients [default: /etc/hawser/ca.pem]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlscacert: Option<PathBuf>,

    /// The daemon's certificate [default: /etc/hawser/cert.pem]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlscert: Option<PathBuf>,

    /// The daemon's key [default: /etc/hawser/key.pem]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlskey: Option<PathBuf>,

    /// Listen on TCP without TLS beyond the loopback: whoever reaches the port is root here
    #[arg(long, value_parser = yes_no(), num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_tcp_without_tls: Option<bool>,
}
