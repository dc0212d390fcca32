//! The flags of `run` and `create`: data only. What they come to is in `spec`.

use clap::Args;
use serde_json::Value;

use crate::parse::endpoint::Attachment;
use crate::parse::{device, endpoint, env, flags, mount, quantity, ulimit};

/// Everything that describes a container.
#[derive(Args, Debug)]
pub struct ContainerOptions {
    /// The process and its surroundings.
    #[command(flatten)]
    pub process: ProcessOptions,
    /// Its networks.
    #[command(flatten)]
    pub network: NetworkOptions,
    /// Its files.
    #[command(flatten)]
    pub storage: StorageOptions,
    /// What it may use.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// How its health is watched.
    #[command(flatten)]
    pub health: HealthOptions,
    /// What it may do.
    #[command(flatten)]
    pub security: SecurityOptions,
    /// Image, command and arguments: everything from the image on is the container's.
    #[arg(value_name = "IMAGE [COMMAND] [ARG...]", required = true, trailing_var_arg = true)]
    pub image_and_command: Vec<String>,
}

/// Flags of `run` and `create` that do not describe the container itself.
#[derive(Args, Debug)]
pub struct CreateOptions {
    /// Print what would change on the host, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name of the container
    #[arg(long, default_value = "")]
    pub name: String,
    /// Platform to ask for, if the engine has several
    #[arg(long, default_value = "", env = "DOCKER_DEFAULT_PLATFORM")]
    pub platform: String,
    /// When to pull the image: "always", "missing" or "never"
    #[arg(long, default_value = "missing")]
    pub pull: String,
    /// Do not show the progress of the pull
    #[arg(short, long)]
    pub quiet: bool,
    /// Accepted for compatibility; signatures are not checked
    #[arg(long, action = clap::ArgAction::Set, default_value = "true", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = flags::boolean, hide = true)]
    pub disable_content_trust: bool,
}

/// The process and its surroundings.
#[derive(Args, Debug)]
pub struct ProcessOptions {
    /// Streams to attach to: STDIN, STDOUT, STDERR
    #[arg(short, long, value_parser = flags::stream)]
    pub attach: Vec<String>,
    /// Write the id of the container to this file, which must not exist
    #[arg(long, default_value = "")]
    pub cidfile: String,
    /// Domain name of the container
    #[arg(long, default_value = "")]
    pub domainname: String,
    /// Program to run in place of the image's entrypoint
    #[arg(long)]
    pub entrypoint: Option<String>,
    /// Set an environment variable (NAME alone takes yours)
    #[arg(short, long, value_parser = env::variable)]
    pub env: Vec<String>,
    /// Read environment variables from a file
    #[arg(long)]
    pub env_file: Vec<String>,
    /// Additional groups of the process
    #[arg(long)]
    pub group_add: Vec<String>,
    /// Host name of the container
    #[arg(short = 'h', long, default_value = "")]
    pub hostname: String,
    /// Run an init that forwards signals and reaps processes
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = flags::boolean)]
    pub init: Option<bool>,
    /// Keep the standard input open
    #[arg(short, long)]
    pub interactive: bool,
    /// Set a label (KEY=VALUE)
    #[arg(short, long, value_parser = env::label)]
    pub label: Vec<String>,
    /// Read labels from a file
    #[arg(long)]
    pub label_file: Vec<String>,
    /// Where the output goes
    #[arg(long, default_value = "")]
    pub log_driver: String,
    /// Option for the log driver (KEY=VALUE)
    #[arg(long)]
    pub log_opt: Vec<String>,
    /// When to restart the container: no, on-failure[:N], always, unless-stopped
    #[arg(long, default_value = "no")]
    pub restart: String,
    /// Remove the container when it exits
    #[arg(long)]
    pub rm: bool,
    /// OCI runtime to use
    #[arg(long, default_value = "")]
    pub runtime: String,
    /// Signal that stops the container
    #[arg(long, default_value = "")]
    pub stop_signal: String,
    /// Seconds to wait for the container to stop before killing it
    #[arg(long, value_parser = flags::integer)]
    pub stop_timeout: Option<i64>,
    /// Give the container a terminal
    #[arg(short, long)]
    pub tty: bool,
    /// User (and group) of the process: NAME|UID[:GROUP|GID]
    #[arg(short, long, default_value = "")]
    pub user: String,
    /// Working directory of the process
    #[arg(short, long, default_value = "")]
    pub workdir: String,
}

/// The networks of a container.
#[derive(Args, Debug)]
pub struct NetworkOptions {
    /// Add a line to /etc/hosts (HOST:IP)
    #[arg(long, value_parser = flags::extra_host)]
    pub add_host: Vec<String>,
    /// DNS server of the container
    #[arg(long, value_parser = flags::address)]
    pub dns: Vec<String>,
    /// Option for the resolver
    #[arg(long, alias = "dns-opt")]
    pub dns_option: Vec<String>,
    /// Domain to search names in
    #[arg(long, value_parser = flags::domain)]
    pub dns_search: Vec<String>,
    /// Expose a port or a range of ports
    #[arg(long)]
    pub expose: Vec<String>,
    /// IPv4 address (user-defined networks)
    #[arg(long, default_value = "")]
    pub ip: String,
    /// IPv6 address (user-defined networks)
    #[arg(long, default_value = "")]
    pub ip6: String,
    /// Let this container reach another by name (CONTAINER[:ALIAS])
    #[arg(long, value_parser = flags::link)]
    pub link: Vec<String>,
    /// Link-local address
    #[arg(long)]
    pub link_local_ip: Vec<String>,
    /// MAC address
    #[arg(long, default_value = "")]
    pub mac_address: String,
    /// Network to connect to: bridge, host, none, container:NAME, or the name of a network; several
    /// times for several; name=NAME says more with ip=, ip6=, mac-address=, alias=, link-local-ip=,
    /// driver-opt= and gw-priority= after commas
    #[arg(long, visible_alias = "net", value_parser = endpoint::attachment)]
    pub network: Vec<Attachment>,
    /// Another name of the container on its network
    #[arg(long, alias = "net-alias")]
    pub network_alias: Vec<String>,
    /// Publish a port: [[IP:]HOST_PORT:]PORT[/PROTOCOL]
    #[arg(short, long)]
    pub publish: Vec<String>,
    /// Who may reach published ports: [PORT[/PROTOCOL]=]any|local|ADDRESS,CIDR,iface:NAME
    #[arg(long, value_name = "SOURCES")]
    pub publish_from: Vec<String>,
    /// Publish every exposed port to a free port of the host
    #[arg(short = 'P', long)]
    pub publish_all: bool,
}

/// The files of a container.
#[derive(Args, Debug)]
pub struct StorageOptions {
    /// Mount a file system: type=bind|volume|tmpfs,source=…,target=…
    #[arg(long, value_parser = mount::mount)]
    pub mount: Vec<Value>,
    /// Make the root file system read-only
    #[arg(long)]
    pub read_only: bool,
    /// Size of /dev/shm
    #[arg(long, value_parser = quantity::bytes)]
    pub shm_size: Option<i64>,
    /// Option for the storage driver (KEY=VALUE)
    #[arg(long)]
    pub storage_opt: Vec<String>,
    /// Mount a tmpfs (PATH[:OPTIONS])
    #[arg(long)]
    pub tmpfs: Vec<String>,
    /// Mount a directory or a volume ([SOURCE:]TARGET[:OPTIONS])
    #[arg(short, long)]
    pub volume: Vec<String>,
    /// Driver of new volumes
    #[arg(long, default_value = "")]
    pub volume_driver: String,
    /// Mount the volumes of another container
    #[arg(long)]
    pub volumes_from: Vec<String>,
}

/// What a container may use.
#[derive(Args, Debug)]
pub struct LimitOptions {
    /// Weight of its block I/O, 10 to 1000
    #[arg(long, default_value = "0", value_parser = flags::small)]
    pub blkio_weight: u16,
    /// Weight of its block I/O on one device (PATH:WEIGHT)
    #[arg(long, value_parser = device::weight)]
    pub blkio_weight_device: Vec<Value>,
    /// Parent cgroup
    #[arg(long, default_value = "")]
    pub cgroup_parent: String,
    /// Period of the CPU quota, in microseconds
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub cpu_period: i64,
    /// CPU time per period, in microseconds
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub cpu_quota: i64,
    /// Period of the real-time quota, in microseconds
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub cpu_rt_period: i64,
    /// Real-time CPU time per period, in microseconds
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub cpu_rt_runtime: i64,
    /// Weight of its CPU time
    #[arg(short, long, default_value = "0", value_parser = flags::integer)]
    pub cpu_shares: i64,
    /// Number of CPUs
    #[arg(long, default_value = "0", value_parser = quantity::cpus)]
    pub cpus: i64,
    /// CPUs it may run on (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub cpuset_cpus: String,
    /// Memory nodes it may use (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub cpuset_mems: String,
    /// Limit of reading from a device (PATH:BYTES per second)
    #[arg(long, value_parser = device::rate_in_bytes)]
    pub device_read_bps: Vec<Value>,
    /// Limit of reading from a device (PATH:OPERATIONS per second)
    #[arg(long, value_parser = device::rate_in_operations)]
    pub device_read_iops: Vec<Value>,
    /// Limit of writing to a device (PATH:BYTES per second)
    #[arg(long, value_parser = device::rate_in_bytes)]
    pub device_write_bps: Vec<Value>,
    /// Limit of writing to a device (PATH:OPERATIONS per second)
    #[arg(long, value_parser = device::rate_in_operations)]
    pub device_write_iops: Vec<Value>,
    /// Limit of the kernel's memory (obsolete)
    #[arg(long, default_value = "0", value_parser = quantity::bytes, hide = true)]
    pub kernel_memory: i64,
    /// Limit of memory
    #[arg(short, long, default_value = "0", value_parser = quantity::bytes)]
    pub memory: i64,
    /// Soft limit of memory
    #[arg(long, default_value = "0", value_parser = quantity::bytes)]
    pub memory_reservation: i64,
    /// Limit of memory and swap together; -1 for no limit
    #[arg(long, default_value = "0", value_parser = quantity::bytes_or_unlimited)]
    pub memory_swap: i64,
    /// How readily memory is swapped, 0 to 100
    #[arg(long, default_value = "-1", value_parser = flags::integer)]
    pub memory_swappiness: i64,
    /// Do not kill its processes when memory runs out
    #[arg(long)]
    pub oom_kill_disable: bool,
    /// How readily it is killed when memory runs out, -1000 to 1000
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub oom_score_adj: i64,
    /// Number of processes; -1 for no limit
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub pids_limit: i64,
    /// Limit of a process (NAME=SOFT[:HARD])
    #[arg(long, value_parser = ulimit::ulimit)]
    pub ulimit: Vec<Value>,
}

/// How the health of a container is watched.
#[derive(Args, Debug)]
pub struct HealthOptions {
    /// Command that checks the health
    #[arg(long, default_value = "")]
    pub health_cmd: String,
    /// Time between two checks
    #[arg(long, default_value = "0s", value_parser = quantity::duration)]
    pub health_interval: i64,
    /// Failures in a row that make it unhealthy
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    pub health_retries: i64,
    /// Time between two checks during the start period
    #[arg(long, default_value = "0s", value_parser = quantity::duration)]
    pub health_start_interval: i64,
    /// Time to start before failures count
    #[arg(long, default_value = "0s", value_parser = quantity::duration)]
    pub health_start_period: i64,
    /// Time that one check may take
    #[arg(long, default_value = "0s", value_parser = quantity::duration)]
    pub health_timeout: i64,
    /// Do not check the health, whatever the image says
    #[arg(long)]
    pub no_healthcheck: bool,
}

/// What a container may do.
#[derive(Args, Debug)]
pub struct SecurityOptions {
    /// Add a capability
    #[arg(long)]
    pub cap_add: Vec<String>,
    /// Drop a capability
    #[arg(long)]
    pub cap_drop: Vec<String>,
    /// Cgroup namespace: host or private
    #[arg(long, default_value = "")]
    pub cgroupns: String,
    /// Give it a device of the host (HOST[:CONTAINER][:PERMISSIONS])
    #[arg(long)]
    pub device: Vec<String>,
    /// Add a rule to the devices it may use
    #[arg(long, value_parser = device::cgroup_rule)]
    pub device_cgroup_rule: Vec<String>,
    /// GPUs to give it ("all" for all)
    #[arg(long, value_parser = device::gpus)]
    pub gpus: Vec<Value>,
    /// IPC namespace: none, private, shareable, host, container:NAME
    #[arg(long, default_value = "")]
    pub ipc: String,
    /// Isolation technology (Windows)
    #[arg(long, default_value = "", hide = true)]
    pub isolation: String,
    /// PID namespace: host, container:NAME
    #[arg(long, default_value = "")]
    pub pid: String,
    /// Let it do what root of the host can do
    #[arg(long)]
    pub privileged: bool,
    /// Security option
    #[arg(long)]
    pub security_opt: Vec<String>,
    /// Set a kernel parameter (NAME=VALUE)
    #[arg(long, value_parser = flags::sysctl)]
    pub sysctl: Vec<String>,
    /// User namespace: host
    #[arg(long, default_value = "")]
    pub userns: String,
    /// UTS namespace: host
    #[arg(long, default_value = "")]
    pub uts: String,
}
