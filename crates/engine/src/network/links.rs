//! Links of the default bridge: one container named to another by its hosts file and environment.
//!
//! In: the records of the linking container and its targets, addresses of the targets. Out: lines
//! of a hosts file and environment variables. On user-defined networks links are private names of
//! the name service instead.

use std::net::IpAddr;

use super::etc::HostsLine;
use crate::record::Container;

/// `name[:alias]`, as the user writes it; the alias is the name if there is none.
pub(super) fn parse(link: &str) -> (&str, &str) {
    let (target, alias) = link.split_once(':').unwrap_or((link, link));
    let base = |text: &'_ str| text.rfind('/').map_or(0, |at| at + 1);
    (target.trim_start_matches('/'), &alias[base(alias)..])
}

/// The line of the hosts file that names a target.
pub(super) fn hosts_line(alias: &str, target: &Container, address: IpAddr) -> HostsLine {
    let hostname = &target.config.hostname;
    let mut names = vec![alias];
    for name in [hostname.as_str(), target.name.as_str()] {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    HostsLine { address, names: names.join(" ") }
}

/// The variables that describe a target: `ALIAS_NAME`, `ALIAS_PORT…` for each exposed port, and
/// `ALIAS_ENV_…` for what the target's own environment says.
pub(super) fn env(alias: &str, me: &Container, target: &Container, address: IpAddr) -> Vec<String> {
    let upper: String = alias.to_uppercase().replace('-', "_");
    let mut vars = Vec::new();
    let mut ports = exposed(target);
    ports.sort_unstable();
    if let Some((port, protocol)) = ports.first() {
        vars.push(format!("{upper}_PORT={protocol}://{address}:{port}"));
    }
    for (port, protocol) in &ports {
        let prefix = format!("{upper}_PORT_{port}_{}", protocol.to_uppercase());
        vars.push(format!("{prefix}={protocol}://{address}:{port}"));
        vars.push(format!("{prefix}_ADDR={address}"));
        vars.push(format!("{prefix}_PORT={port}"));
        vars.push(format!("{prefix}_PROTO={protocol}"));
    }
    vars.push(format!("{upper}_NAME=/{}/{alias}", me.name));
    let own = target.config.env.iter().flatten();
    // HOME and PATH are the image's business and would only confuse.
    let told = own.filter(|v| !v.starts_with("HOME=") && !v.starts_with("PATH="));
    vars.extend(told.filter(|v| v.contains('=')).map(|v| format!("{upper}_ENV_{v}")));
    vars
}

fn exposed(target: &Container) -> Vec<(u16, &str)> {
    let keys = target.config.exposed_ports.iter().flat_map(|ports| ports.keys());
    keys.filter_map(|key| {
        let (port, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        Some((port.parse().ok()?, protocol))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_the_name_if_none_is_given() {
        assert_eq!(parse("db"), ("db", "db"));
        assert_eq!(parse("/db:/web/data"), ("db", "data"));
    }
}
