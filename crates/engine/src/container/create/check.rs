//! What a request to create may not say, in Docker's words: the portable part and the modes.

use crate::container::signal;
use crate::error::{Error, Result};
use crate::spec::{ContainerConfig, Healthcheck, HostConfig, RestartPolicy};

/// Shortest time of a health check, in nanoseconds (Docker's 1 ms).
const SHORTEST: i64 = 1_000_000;

/// Checks the portable part.
pub(super) fn config(config: &ContainerConfig) -> Result<()> {
    let dir = &config.working_dir;
    if !dir.is_empty() && !dir.starts_with('/') {
        return Err(Error::invalid(format!(
            "the working directory '{dir}' is invalid, it needs to be an absolute path"
        )));
    }
    if !config.stop_signal.is_empty() {
        signal::parse(&config.stop_signal)?;
    }
    for variable in config.env.iter().flatten() {
        if variable.is_empty() || variable.starts_with('=') {
            return Err(Error::invalid(format!("invalid environment variable: {variable}")));
        }
    }
    config.healthcheck.as_ref().map_or(Ok(()), healthcheck)
}

fn healthcheck(check: &Healthcheck) -> Result<()> {
    for (name, value) in [
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("StartInterval", check.start_interval),
    ] {
        if value != 0 && value < SHORTEST {
            let text = format!("{name} in Healthcheck cannot be less than one millisecond");
            return Err(Error::invalid(text));
        }
    }
    if check.retries < 0 {
        return Err(Error::invalid("Retries in Healthcheck cannot be negative"));
    }
    let Some(first) = check.test.as_ref().and_then(|test| test.first()) else { return Ok(()) };
    match first.as_str() {
        "NONE" | "CMD" | "CMD-SHELL" => Ok(()),
        _ => Err(Error::invalid(format!("unknown healthcheck type: {first}"))),
    }
}

/// Checks the modes that exclude one another.
pub(super) fn modes(config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    let conflict = |what: &str| Err(Error::invalid(format!("conflicting options: {what}")));
    let network = host.network_mode.as_str();
    let shared = network.starts_with("container:");
    if network == "container" || network == "container:" {
        return Err(Error::invalid(
            "invalid network mode: invalid container format container:<name|id>",
        ));
    }
    if shared && !config.hostname.is_empty() {
        return conflict("hostname and the network mode");
    }
    let exposes = config.exposed_ports.as_ref().is_some_and(|ports| !ports.is_empty());
    if shared && (!host.port_bindings.is_empty() || host.publish_all_ports) {
        return conflict("port publishing and the container type network mode");
    }
    if shared && exposes {
        return conflict("port exposing and the container type network mode");
    }
    if network == "host" && host.links.as_ref().is_some_and(|links| !links.is_empty()) {
        return conflict(
            "host type networking can't be used with links. This would result in undefined behavior",
        );
    }
    let mut sysctls = host.sysctls.keys();
    if network == "host"
        && let Some(name) = sysctls.find(|name| name.starts_with("net."))
    {
        return Err(Error::invalid(format!(
            "sysctl {name:?} not allowed in host network namespace"
        )));
    }
    if host.uts_mode == "host" && !config.hostname.is_empty() {
        return conflict("hostname and the UTS mode");
    }
    if host.auto_remove && !matches!(host.restart_policy.name.as_str(), "" | "no") {
        return Err(Error::invalid("can't create 'AutoRemove' container with restart policy"));
    }
    namespaces(host)
}

fn namespaces(host: &HostConfig) -> Result<()> {
    let joins = |mode: &str| mode.strip_prefix("container:").is_some_and(|name| !name.is_empty());
    let ipc = host.ipc_mode.as_str();
    if !matches!(ipc, "" | "none" | "private" | "shareable" | "host") && !joins(ipc) {
        return Err(Error::invalid(format!("invalid IPC mode: {ipc}")));
    }
    let pid = host.pid_mode.as_str();
    if !matches!(pid, "" | "host") && !joins(pid) {
        return Err(Error::invalid(format!("invalid PID mode: {pid}")));
    }
    if !matches!(host.uts_mode.as_str(), "" | "host") {
        return Err(Error::invalid(format!("invalid UTS mode: {}", host.uts_mode)));
    }
    if !matches!(host.cgroupns_mode.as_str(), "" | "host" | "private") {
        return Err(Error::invalid(format!(
            "invalid cgroup namespace mode: {}",
            host.cgroupns_mode
        )));
    }
    if !matches!(host.userns_mode.as_str(), "" | "host") {
        return Err(Error::invalid(format!("invalid USER mode: {}", host.userns_mode)));
    }
    if !matches!(host.isolation.as_str(), "" | "default") {
        return Err(Error::invalid(format!("invalid isolation '{}' on linux", host.isolation)));
    }
    Ok(())
}

/// Checks the restart policy.
pub(super) fn restart_policy(policy: &RestartPolicy) -> Result<()> {
    let most = policy.maximum_retry_count;
    let negative = if most < 0 { " and cannot be negative" } else { "" };
    match policy.name.as_str() {
        "" | "no" | "always" | "unless-stopped" if most != 0 => Err(Error::invalid(format!(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'{negative}"
        ))),
        "" | "no" | "always" | "unless-stopped" => Ok(()),
        "on-failure" if most < 0 => {
            Err(Error::invalid("invalid restart policy: maximum retry count cannot be negative"))
        }
        "on-failure" => Ok(()),
        other => Err(Error::invalid(format!(
            "invalid restart policy: unknown policy '{other}'; use one of 'no', 'always', \
             'on-failure', or 'unless-stopped'"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut ContainerConfig, &mut HostConfig)) -> String {
        let (mut portable, mut host) = (ContainerConfig::default(), HostConfig::default());
        change(&mut portable, &mut host);
        config(&portable).and_then(|()| modes(&portable, &host)).unwrap_err().to_string()
    }

    #[test]
    fn the_portable_part_is_checked() {
        assert_eq!(
            refused(|c, _| c.working_dir = "rel".into()),
            "the working directory 'rel' is invalid, it needs to be an absolute path"
        );
        assert_eq!(refused(|c, _| c.stop_signal = "X".into()), "invalid signal: X");
        assert_eq!(
            refused(|c, _| c.env = Some(vec!["=a".into()])),
            "invalid environment variable: =a"
        );
        let check = Healthcheck { test: Some(vec!["WHAT".into()]), ..Healthcheck::default() };
        assert_eq!(refused(|c, _| c.healthcheck = Some(check)), "unknown healthcheck type: WHAT");
    }

    #[test]
    fn modes_exclude_one_another() {
        assert_eq!(
            refused(|c, h| {
                c.hostname = "x".into();
                h.network_mode = "container:a".into();
            }),
            "conflicting options: hostname and the network mode"
        );
        assert_eq!(
            refused(|_, h| {
                h.auto_remove = true;
                h.restart_policy.name = "always".into();
            }),
            "can't create 'AutoRemove' container with restart policy"
        );
        assert_eq!(
            refused(|_, h| {
                h.network_mode = "host".into();
                h.sysctls.insert("net.ipv4.ip_forward".into(), "0".into());
            }),
            "sysctl \"net.ipv4.ip_forward\" not allowed in host network namespace"
        );
        assert_eq!(refused(|_, h| h.pid_mode = "what".into()), "invalid PID mode: what");
    }

    #[test]
    fn restart_policies() {
        let policy =
            |name: &str, most| RestartPolicy { name: name.into(), maximum_retry_count: most };
        assert!(restart_policy(&policy("on-failure", 3)).is_ok());
        let text = restart_policy(&policy("sometimes", 0)).unwrap_err().to_string();
        assert!(text.starts_with("invalid restart policy: unknown policy 'sometimes'; use one of"));
        let text = restart_policy(&policy("always", 1)).unwrap_err().to_string();
        assert!(text.ends_with("can only be used with 'on-failure'"));
    }
}
