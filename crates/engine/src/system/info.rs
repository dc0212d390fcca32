//! `info`.

use std::path::Path;

use chrono::{DateTime, Utc};
use hawser_runtime::CgroupMode;

use super::version::kernel_version;
use crate::Engine;
use crate::container::host_name;
use crate::record::Status;

/// How many containers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerCounts {
    /// In all.
    pub total: usize,
    /// Running (not paused).
    pub running: usize,
    /// Paused.
    pub paused: usize,
    /// All others.
    pub stopped: usize,
}

/// What `info` tells; settings are in [`Engine::settings`].
#[derive(Clone, Debug)]
pub struct Info {
    /// Random id of this engine, kept in its data root.
    pub id: String,
    /// Containers.
    pub containers: ContainerCounts,
    /// Images.
    pub images: usize,
    /// File system under the data root (`extfs`, `xfs`, …).
    pub backing_filesystem: String,
    /// `1` or `2`; a hybrid host counts as `1`.
    pub cgroup_version: &'static str,
    /// Kernel's version.
    pub kernel_version: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// `12`.
    pub os_version: String,
    /// `x86_64`.
    pub architecture: &'static str,
    /// CPUs.
    pub cpus: usize,
    /// Memory in bytes.
    pub memory: u64,
    /// Name of the host.
    pub name: String,
    /// Now.
    pub system_time: DateTime<Utc>,
    /// Listeners to events.
    pub event_listeners: usize,
    /// Open files of the daemon.
    pub open_files: usize,
    /// Threads of the daemon.
    pub threads: usize,
    /// Version of the engine.
    pub server_version: &'static str,
    /// Security options in effect (`name=seccomp,profile=builtin`, `name=cgroupns`).
    pub security_options: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` of the daemon.
    pub proxies: [String; 3],
}

impl Engine {
    /// The engine and its host.
    pub async fn info(&self) -> Info {
        let os = OsRelease::read();
        let cgroups = self.runtime.cgroup_mode();
        Info {
            id: self.engine_id(),
            containers: self.count(),
            images: self.images.list().len(),
            backing_filesystem: file_system(&self.settings.data_root),
            cgroup_version: if cgroups == CgroupMode::V2 { "2" } else { "1" },
            kernel_version: kernel_version(),
            operating_system: os.pretty_name,
            os_version: os.version_id,
            architecture: std::env::consts::ARCH,
            cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory: memory(),
            name: host_name(),
            system_time: Utc::now(),
            event_listeners: self.events.listeners(),
            open_files: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            server_version: env!("CARGO_PKG_VERSION"),
            security_options: security_options(cgroups),
            warnings: self.warnings().await,
            proxies: ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].map(proxy),
        }
    }

    async fn warnings(&self) -> Vec<String> {
        let found = self.networks.obstacles().await.unwrap_or_else(|error| vec![error.to_string()]);
        found.into_iter().map(|sentence| format!("WARNING: {sentence}")).collect()
    }

    pub(super) fn count(&self) -> ContainerCounts {
        let mut counts = ContainerCounts::default();
        for entry in self.containers.all() {
            counts.total += 1;
            match entry.record().state.status {
                Status::Running | Status::Restarting => counts.running += 1,
                Status::Paused => counts.paused += 1,
                _ => counts.stopped += 1,
            }
        }
        counts
    }

    /// Made at the first question, kept in the data root.
    pub(crate) fn engine_id(&self) -> String {
        let path = self.settings.data_root.join("engine-id");
        if let Ok(id) = std::fs::read_to_string(&path) {
            return id.trim().to_owned();
        }
        let b: [u8; 16] = rand::random();
        let hex: String = b.iter().map(|b| format!("{b:02x}")).collect();
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let id = parts.join("-");
        if let Err(e) = std::fs::write(&path, &id) {
            tracing::warn!(path = %path.display(), error = %e, "cannot keep the engine's id");
        }
        id
    }
}

struct OsRelease {
    pretty_name: String,
    version_id: String,
}

impl OsRelease {
    fn read() -> Self {
        let text = ["/etc/os-release", "/usr/lib/os-release"]
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let found = lines.find(|(name, _)| *name == key).map(|(_, value)| value);
            found.map(|value| value.trim_matches(['"', '\'']).to_owned())
        };
        Self {
            pretty_name: value("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
            version_id: value("VERSION_ID").unwrap_or_default(),
        }
    }
}

fn memory() -> u64 {
    let info = rustix::system::sysinfo();
    #[expect(clippy::useless_conversion, reason = "the field's width depends on the architecture")]
    let total = u64::try_from(info.totalram).unwrap_or(u64::MAX);
    total.saturating_mul(u64::from(info.mem_unit))
}

fn entries(dir: &str) -> usize {
    std::fs::read_dir(dir).map_or(0, Iterator::count)
}

fn proxy(name: &str) -> String {
    let value = std::env::var(name).or_else(|_| std::env::var(name.to_lowercase()));
    value.unwrap_or_default()
}

fn security_options(cgroups: CgroupMode) -> Vec<String> {
    let mut options = vec!["name=seccomp,profile=builtin".to_owned()];
    if cgroups == CgroupMode::V2 {
        options.push("name=cgroupns".to_owned());
    }
    options
}

/// Name of the file system below a path, as Docker calls it.
fn file_system(path: &Path) -> String {
    let kind = rustix::fs::statfs(path).map_or(0, |stat| stat.f_type & 0xffff_ffff);
    let name = match kind {
        0xef53 => "extfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x0102_1994 => "tmpfs",
        0x2fc1_2fc1 => "zfs",
        0x794c_7630 => "overlayfs",
        _ => "<unknown>",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read() {
        let text =
            "NAME=\"X\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n";
        let os = OsRelease::parse(text);
        assert_eq!(os.pretty_name, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(os.version_id, "12");
        assert_eq!(OsRelease::parse("").pretty_name, "Linux");
    }
}
