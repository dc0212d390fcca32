//! Published ports: from what the user asked for to host ports.
//!
//! In: `HostConfig.PortBindings`, exposed ports, the default host address. Out: publications with a
//! host port each, chosen here where the user left it open.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use hawser_kernel::Kernel;
use hawser_model::{Model, Publication, Transport};

use crate::engine::system;
use crate::error::{Error, Result};
use crate::record::Container;

/// One binding asked for: a container port, and where on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub transport: Transport,
    pub container_port: u16,
    /// Host addresses that get the same port.
    pub hosts: Vec<IpAddr>,
    /// `None` is an ephemeral one.
    pub range: Option<RangeInclusive<u16>>,
}

/// Reads the bindings of a container.
///
/// # Errors
/// Invalid: a port, protocol, range or address that is none.
pub(super) fn wanted(record: &Container, default_host: Option<IpAddr>) -> Result<Vec<Wanted>> {
    let mut all = Vec::new();
    let mut ports: BTreeSet<&str> = BTreeSet::new();
    if record.host_config.publish_all_ports {
        ports.extend(record.config.exposed_ports.iter().flat_map(|m| m.keys().map(String::as_str)));
    }
    for (port, bindings) in &record.host_config.port_bindings {
        let (container_port, transport) = parse_port(port)?;
        let bindings = bindings.as_deref().unwrap_or_default();
        if !bindings.is_empty() {
            ports.remove(port.as_str());
        }
        for binding in bindings {
            let hosts = hosts(&binding.host_ip, default_host)?;
            let range = parse_range(&binding.host_port)?;
            all.push(Wanted { transport, container_port, hosts, range });
        }
    }
    for port in ports {
        let (container_port, transport) = parse_port(port)?;
        all.push(Wanted {
            transport,
            container_port,
            hosts: hosts("", default_host)?,
            range: None,
        });
    }
    Ok(all)
}

/// Gives each binding a host port that nobody has: not the model, not the kernel.
///
/// # Errors
/// All ports of a range are taken.
pub(super) fn choose(
    model: &Model,
    kernel: &Kernel,
    wanted: &[Wanted],
) -> Result<Vec<Publication>> {
    let mut chosen: Vec<Publication> = Vec::new();
    for w in wanted {
        let port = match &w.range {
            Some(range) if range.start() == range.end() => *range.start(),
            range => free(model, kernel, w, range.clone(), &chosen)?,
        };
        chosen.extend(w.hosts.iter().map(|host| Publication {
            transport: w.transport,
            container_port: w.container_port,
            host: *host,
            host_port: port,
        }));
    }
    Ok(chosen)
}

fn free(
    model: &Model,
    kernel: &Kernel,
    wanted: &Wanted,
    range: Option<RangeInclusive<u16>>,
    chosen: &[Publication],
) -> Result<u16> {
    let taken = |port: u16| {
        let mine = |p: &Publication| p.transport == wanted.transport && p.host_port == port;
        let held = |host: &IpAddr| model.port_holder(*host, wanted.transport, port).is_some();
        chosen.iter().any(mine) || wanted.hosts.iter().any(held)
    };
    let Some(range) = range else {
        // The kernel gives another one each time; ours are held by sockets, so they are not given.
        return kernel
            .free_port(&wanted.hosts, wanted.transport, None)
            .map_err(|e| system("find a free host port", e));
    };
    let mut last = None;
    for port in range.clone().filter(|port| !taken(*port)) {
        match kernel.free_port(&wanted.hosts, wanted.transport, Some(port..=port)) {
            Ok(port) => return Ok(port),
            Err(e) => last = Some(e),
        }
    }
    let text = format!("all ports of {}-{} are allocated", range.start(), range.end());
    Err(match last {
        Some(e) => system(&text, e),
        None => Error::new(crate::Kind::System, text),
    })
}

/// `80/tcp`, `80` → port and protocol.
pub(super) fn parse_port(text: &str) -> Result<(u16, Transport)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let transport = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        "sctp" => Transport::Sctp,
        other => {
            return Err(Error::invalid(format!(
                "invalid port specification: {text:?}: unknown protocol {other:?}"
            )));
        }
    };
    match port.parse() {
        Ok(port) if port > 0 => Ok((port, transport)),
        _ => Err(Error::invalid(format!("invalid port specification: {text:?}"))),
    }
}

fn parse_range(text: &str) -> Result<Option<RangeInclusive<u16>>> {
    if text.is_empty() || text == "0" {
        return Ok(None);
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let range = low.parse().ok().zip(high.parse().ok());
    match range {
        Some((low, high)) if 0 < low && low <= high => Ok(Some(low..=high)),
        _ => Err(Error::invalid(format!("invalid port specification: {text:?}"))),
    }
}

/// Where a binding is published: what it says, else the default, else every address of both
/// families.
fn hosts(text: &str, default_host: Option<IpAddr>) -> Result<Vec<IpAddr>> {
    if text.is_empty() {
        return Ok(match default_host {
            Some(host) if !host.is_unspecified() => vec![host],
            Some(IpAddr::V6(_)) => vec![Ipv6Addr::UNSPECIFIED.into()],
            _ => everywhere(),
        });
    }
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let host = inner.parse().map_err(|_| Error::invalid(format!("invalid IP address: {text}")))?;
    Ok(vec![host])
}

fn everywhere() -> Vec<IpAddr> {
    let mut hosts = vec![Ipv4Addr::UNSPECIFIED.into()];
    // Without IPv6 in the kernel there is no socket to hold such a port with.
    if std::path::Path::new("/proc/net/if_inet6").exists() {
        hosts.push(Ipv6Addr::UNSPECIFIED.into());
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read() {
        assert_eq!(parse_port("80").unwrap(), (80, Transport::Tcp));
        assert_eq!(parse_port("53/UDP").unwrap(), (53, Transport::Udp));
        for bad in ["", "0", "65536/tcp", "80/icmp", "a/tcp", "80-81/tcp"] {
            assert_eq!(parse_port(bad).unwrap_err().kind(), crate::Kind::Invalid, "{bad}");
        }
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(parse_range("").unwrap(), None);
        assert_eq!(parse_range("0").unwrap(), None);
        assert_eq!(parse_range("8088").unwrap(), Some(8088..=8088));
        assert_eq!(parse_range("8000-8010").unwrap(), Some(8000..=8010));
        for bad in ["x", "9-8", "0-4", "1-70000"] {
            assert!(parse_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_address_counts_where_none_is_given() {
        let local: IpAddr = [127, 0, 0, 1].into();
        assert_eq!(hosts("", Some(local)).unwrap(), [local]);
        assert_eq!(hosts("[::1]", Some(local)).unwrap(), [IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        assert!(hosts("", None).unwrap().contains(&Ipv4Addr::UNSPECIFIED.into()));
        assert!(hosts("nowhere", None).is_err());
    }
}
