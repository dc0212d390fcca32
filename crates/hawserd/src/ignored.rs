//! Options of dockerd that mean nothing here: accepted, so that scripts and files written for it
//! work, and answered with one line that says why.
//!
//! In: arguments and keys of the file. Out: the same without them, and the lines. Options that
//! would make a promise of safety (`--userns-remap`, `--selinux-enabled`, …) are not among them:
//! those are refused.

use clap::{Arg, ArgAction, ArgMatches, Command};

/// An option without a meaning.
pub struct Ignored {
    /// The flag without its hyphens.
    flag: &'static str,
    /// The key in the file.
    pub key: &'static str,
    /// Whether the flag is yes or no; else it has a value.
    yes_no: bool,
    /// Why it means nothing.
    pub why: &'static str,
}

const CONTAINERD: &str = "there is no containerd: hawserd runs conmon and the OCI runtime itself";
const STORAGE: &str = "images are always kept as overlayfs layers";
const PROXY: &str = "ports are published by the kernel, without proxy processes";
const NFTABLES: &str = "rules are always kept in a table of their own with nftables";
const FORWARD: &str = "forwarding is switched on for the links that need it";
const DIRECT: &str = "whether containers are reached directly is a property of each network";
const TRANSFERS: &str = "three downloads and five uploads go on at a time, each tried five times";
const LOG: &str = "output of containers is always kept in a file below the data root";
const ALWAYS: &str = "containers always live on without the daemon";

const fn yes_no(key: &'static str, why: &'static str) -> Ignored {
    Ignored { flag: key, key, yes_no: true, why }
}

const fn value(key: &'static str, why: &'static str) -> Ignored {
    Ignored { flag: key, key, yes_no: false, why }
}

/// An option whose key in the file is the plural of its flag.
const fn list(flag: &'static str, key: &'static str, why: &'static str) -> Ignored {
    Ignored { flag, key, yes_no: false, why }
}

/// All of them.
pub const IGNORED: &[Ignored] = &[
    value("containerd", CONTAINERD),
    value("containerd-namespace", CONTAINERD),
    value("containerd-plugins-namespace", CONTAINERD),
    yes_no("cri-containerd", CONTAINERD),
    value("storage-driver", STORAGE),
    list("storage-opt", "storage-opts", STORAGE),
    yes_no("userland-proxy", PROXY),
    value("userland-proxy-path", PROXY),
    value("firewall-backend", NFTABLES),
    yes_no("iptables", NFTABLES),
    yes_no("ip6tables", NFTABLES),
    yes_no("ip-forward", FORWARD),
    yes_no("ip-forward-no-drop", FORWARD),
    yes_no("allow-direct-routing", DIRECT),
    value("bridge-accept-fwmark", DIRECT),
    list("default-network-opt", "default-network-opts", "give options to `network create`"),
    yes_no("live-restore", ALWAYS),
    value("shutdown-timeout", ALWAYS),
    yes_no("experimental", "there are no experimental features"),
    list("feature", "features", "there are no optional features"),
    list("exec-opt", "exec-opts", "cgroups are always managed directly (cgroupfs)"),
    value("log-driver", LOG),
    list("log-opt", "log-opts", LOG),
    yes_no("raw-logs", "write the daemon's log to a file to have it without colours"),
    value("max-concurrent-downloads", TRANSFERS),
    value("max-concurrent-uploads", TRANSFERS),
    value("max-download-attempts", TRANSFERS),
];

/// The command with flags for all of them.
pub fn add_flags(command: Command) -> Command {
    IGNORED.iter().fold(command, |command, option| {
        let arg = Arg::new(option.key)
            .long(option.flag)
            .action(ArgAction::Append)
            .help(format!("No effect: {}", option.why))
            .help_heading("Accepted for compatibility with dockerd");
        command.arg(match option.yes_no {
            true => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
            false => arg.num_args(1),
        })
    })
}

/// Those that the command line has.
pub fn on_command_line(matches: &ArgMatches) -> Vec<&'static Ignored> {
    IGNORED.iter().filter(|option| matches.contains_id(option.key)).collect()
}

/// The one with that key in the file.
pub fn by_key(key: &str) -> Option<&'static Ignored> {
    IGNORED.iter().find(|option| option.key == key)
}

/// One line for each, of the flags and of the file.
pub fn log(found: &[&'static Ignored]) {
    for option in found {
        tracing::info!("option {} has no effect: {}", option.key, option.why);
    }
}
