//! The host part of a request to create: what it may not say, and Docker's defaults for what it
//! leaves open.

use std::net::IpAddr;

use hawser_runtime::{MASKED_PATHS, READONLY_PATHS};

use super::{check, limits};
use crate::Engine;
use crate::container::security;
use crate::error::{Error, Result};
use crate::spec::{ContainerConfig, HostConfig, PortMap};

const SHM_SIZE: i64 = 64 * 1024 * 1024;

impl Engine {
    /// Checks the host part and fills in the defaults.
    pub(super) fn host_config(
        &self,
        config: &ContainerConfig,
        mut host: HostConfig,
    ) -> Result<HostConfig> {
        check::modes(config, &host)?;
        check::restart_policy(&host.restart_policy)?;
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        limits::check(&mut host, cpus)?;
        security::options(&host)?;
        security::capabilities("CapAdd", &mut host.cap_add)?;
        security::capabilities("CapDrop", &mut host.cap_drop)?;
        ports(&host.port_bindings)?;
        devices(&host)?;
        others(&host)?;
        self.fill(&mut host)?;
        Ok(host)
    }

    fn fill(&self, host: &mut HostConfig) -> Result<()> {
        let settings = &self.settings;
        if host.runtime.is_empty() {
            host.runtime.clone_from(&settings.default_runtime);
        }
        if !settings.runtimes.contains_key(&host.runtime) {
            let text = format!("unknown or invalid runtime name: {}", host.runtime);
            return Err(Error::invalid(text));
        }
        if host.restart_policy.name.is_empty() {
            "no".clone_into(&mut host.restart_policy.name);
        }
        if host.shm_size == 0 && host.ipc_mode != "host" {
            host.shm_size = Some(settings.default_shm_size).filter(|s| *s > 0).unwrap_or(SHM_SIZE);
        }
        if host.ipc_mode.is_empty() {
            host.ipc_mode.clone_from(&settings.default_ipc_mode);
        }
        if host.ipc_mode.is_empty() {
            "private".clone_into(&mut host.ipc_mode);
        }
        if host.cgroupns_mode.is_empty() {
            let v2 = self.runtime.cgroup_mode() == hawser_runtime::CgroupMode::V2;
            let private = v2 && !host.privileged;
            host.cgroupns_mode = if private { "private" } else { "host" }.to_owned();
        }
        if host.log_config.kind.is_empty() {
            "json-file".clone_into(&mut host.log_config.kind);
        }
        if !matches!(host.log_config.kind.as_str(), "json-file" | "local" | "none") {
            return Err(Error::invalid(format!(
                "logger: no log driver named '{}' is registered",
                host.log_config.kind
            )));
        }
        fill_paths(host);
        Ok(())
    }
}

/// Paths that are hidden or read-only by default, unless the container is privileged.
fn fill_paths(host: &mut HostConfig) {
    let owned = |paths: &[&str]| Some(paths.iter().map(|path| (*path).to_owned()).collect());
    if !host.privileged {
        host.masked_paths = host.masked_paths.take().or_else(|| owned(MASKED_PATHS));
        host.readonly_paths = host.readonly_paths.take().or_else(|| owned(READONLY_PATHS));
    }
}

/// Checks the published ports.
fn ports(bindings: &PortMap) -> Result<()> {
    let bad = |port: &str| Error::invalid(format!("invalid port specification: {port:?}"));
    for (port, bindings) in bindings {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        if !number.parse::<u16>().is_ok_and(|n| n > 0) {
            return Err(bad(number));
        }
        if !matches!(protocol, "tcp" | "udp" | "sctp") {
            return Err(Error::invalid(format!("invalid proto: {protocol}")));
        }
        for binding in bindings.iter().flatten() {
            let (first, last) =
                binding.host_port.split_once('-').unwrap_or((&binding.host_port, ""));
            let good = |text: &str| text.is_empty() || text.parse::<u16>().is_ok();
            if !good(first) || !good(last) {
                return Err(bad(&binding.host_port));
            }
            let address = &binding.host_ip;
            if !address.is_empty() && address.parse::<IpAddr>().is_err() {
                return Err(Error::invalid(format!("invalid IP address: {address}")));
            }
        }
    }
    Ok(())
}

fn devices(host: &HostConfig) -> Result<()> {
    for device in host.devices.iter().flatten() {
        let letters = &device.cgroup_permissions;
        if !letters.chars().all(|letter| "rwm".contains(letter)) {
            return Err(Error::invalid(format!("invalid device mode: {letters}")));
        }
    }
    let first = |request: &crate::spec::DeviceRequest| {
        let sets = request.capabilities.iter().flatten();
        let sets: Vec<String> = sets.map(|set| format!("[{}]", set.join(" "))).collect();
        Error::invalid(format!(
            "could not select device driver {:?} with capabilities: [{}]",
            request.driver,
            sets.join(" ")
        ))
    };
    host.device_requests.iter().flatten().next().map_or(Ok(()), |request| Err(first(request)))
}

fn others(host: &HostConfig) -> Result<()> {
    if host.annotations.contains_key("") {
        return Err(Error::invalid(
            "invalid Annotations: the empty string is not permitted as an annotation key",
        ));
    }
    for entry in host.extra_hosts.iter().flatten() {
        let Some((_, address)) = entry.split_once(':').filter(|(name, _)| !name.is_empty()) else {
            return Err(Error::invalid(format!("bad format for add-host: {entry:?}")));
        };
        let bare = address.trim_start_matches('[').trim_end_matches(']');
        if address != "host-gateway" && bare.parse::<IpAddr>().is_err() {
            return Err(Error::invalid(format!("invalid IP address in add-host: {address:?}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::PortBinding;

    fn refused(port: &str, host_ip: &str, host_port: &str) -> String {
        let binding = PortBinding { host_ip: host_ip.into(), host_port: host_port.into() };
        ports(&PortMap::from([(port.to_owned(), Some(vec![binding]))])).unwrap_err().to_string()
    }

    #[test]
    fn ports_are_numbers() {
        assert_eq!(refused("x/tcp", "", ""), "invalid port specification: \"x\"");
        assert_eq!(refused("80/tcp", "", "99999"), "invalid port specification: \"99999\"");
        assert_eq!(refused("80/icmp", "", ""), "invalid proto: icmp");
        assert_eq!(refused("80/tcp", "1.2.3", ""), "invalid IP address: 1.2.3");
        let range = PortBinding { host_ip: String::new(), host_port: "8000-8010".into() };
        ports(&PortMap::from([("80/tcp".to_owned(), Some(vec![range]))])).unwrap();
        ports(&PortMap::from([("80/tcp".to_owned(), None)])).unwrap();
    }

    #[test]
    fn privileged_hides_nothing() {
        let mut host = HostConfig { privileged: true, ..HostConfig::default() };
        fill_paths(&mut host);
        assert_eq!(host.masked_paths, None);
        host.privileged = false;
        fill_paths(&mut host);
        assert!(host.masked_paths.unwrap().contains(&"/proc/kcore".to_owned()));
    }

    #[test]
    fn hosts_are_names_and_addresses() {
        let with = |entry: &str| {
            others(&HostConfig { extra_hosts: Some(vec![entry.into()]), ..HostConfig::default() })
        };
        assert!(with("a:1.2.3.4").is_ok());
        assert!(with("a:[::1]").is_ok());
        assert!(with("a:host-gateway").is_ok());
        assert_eq!(with("a").unwrap_err().to_string(), "bad format for add-host: \"a\"");
        assert!(with("a:b").unwrap_err().to_string().starts_with("invalid IP address in add-host"));
    }
}
