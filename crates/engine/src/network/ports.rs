//! Published ports: from what the user asked for to host ports.
//!
//! In: `HostConfig.PortBindings`, exposed ports, the default host address. Out: publications with a
//! host port each, chosen here where the user left it open; what is refused, with who has the port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use hawser_kernel::Kernel;
use hawser_model::{Endpoint, Model, Publication, SandboxId, Touched, Transport};

use super::law;
use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::record::Container;

/// A container port asked for, and where on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub transport: Transport,
    pub container_port: u16,
    /// Host addresses, which get the same port; `None` is the default.
    pub hosts: BTreeSet<Option<IpAddr>>,
    /// `None` is an ephemeral one.
    pub range: Option<RangeInclusive<u16>>,
}

/// Bindings that differ in the host address alone are one: protocol, container port, host ports.
type Group = (Transport, u16, Option<(u16, u16)>);

/// Reads the bindings of a container: certain host ports first, then ranges, the narrowest before
/// the others, then those left open, so that what has a choice leaves the rest theirs.
///
/// # Errors
/// Invalid: a port, protocol, range or address that is none.
pub(super) fn wanted(record: &Container) -> Result<Vec<Wanted>> {
    let mut groups: BTreeMap<Group, BTreeSet<Option<IpAddr>>> = BTreeMap::new();
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
            let range = parse_range(&binding.host_port)?.map(RangeInclusive::into_inner);
            let hosts = groups.entry((transport, container_port, range)).or_default();
            hosts.insert(host(&binding.host_ip)?);
        }
    }
    for port in ports {
        let (container_port, transport) = parse_port(port)?;
        groups.entry((transport, container_port, None)).or_default().insert(None);
    }
    let mut all: Vec<_> = groups.into_iter().map(|(group, hosts)| one(group, hosts)).collect();
    all.sort_by_key(|w| w.range.as_ref().map_or(usize::MAX, ExactSizeIterator::len));
    Ok(all)
}

/// The ports that a container exposes, by itself or by publishing them.
///
/// # Errors
/// Invalid: one that is none.
pub(super) fn exposed(record: &Container) -> Result<Vec<(Transport, u16)>> {
    let exposed = record.config.exposed_ports.iter().flat_map(|ports| ports.keys());
    let ports = exposed.chain(record.host_config.port_bindings.keys());
    let ports = ports.map(|port| parse_port(port).map(|(port, transport)| (transport, port)));
    Ok(ports.collect::<Result<BTreeSet<_>>>()?.into_iter().collect())
}

fn one((transport, container_port, range): Group, hosts: BTreeSet<Option<IpAddr>>) -> Wanted {
    Wanted { transport, container_port, hosts, range: range.map(|(low, high)| low..=high) }
}

/// Publishes what is wanted of a sandbox that has its endpoints: the network that leads to the
/// outside says where ports go that are published without an address, else the daemon does.
///
/// # Errors
/// System, in Docker's words: a port is taken, or all of a range.
pub(super) fn publish(
    model: &mut Model,
    kernel: &Kernel,
    id: SandboxId,
    wanted: &[Wanted],
    default_host: Option<IpAddr>,
) -> Result<Touched> {
    let network = leading(model, id).and_then(|endpoint| model.network(endpoint.network));
    let host = network.and_then(|network| network.bridge.host_binding).or(default_host);
    let publications = choose(model, kernel, wanted, host)?;
    model.publish(id, publications).map_err(|error| in_use(model, Some(id), error))
}

/// The endpoint that takes published ports: that of IPv4, if there is one.
fn leading(model: &Model, id: SandboxId) -> Option<&Arc<Endpoint>> {
    model.gateway_endpoint(id, false).or_else(|| model.gateway_endpoint(id, true))
}

/// A host port that somebody has: who; `own` is the sandbox that wants it.
pub(super) fn in_use(model: &Model, own: Option<SandboxId>, error: hawser_model::Error) -> Error {
    let hawser_model::Error::PortInUse { holder, .. } = error else { return law(error) };
    let holder = match model.sandbox(holder) {
        Some(sandbox) if Some(sandbox.id) != own => format!("container {} has it", sandbox.name),
        _ => "it is published twice".to_owned(),
    };
    let error = law(error);
    Error::new(error.kind(), format!("{error} ({holder})"))
}

/// A failure to publish, in Docker's words; `starts` is whether the container was to start, or only
/// to get another network.
pub(super) fn not_published(model: &Model, id: SandboxId, starts: bool, error: Error) -> Error {
    let (Some(endpoint), Some(sandbox)) = (leading(model, id), model.sandbox(id)) else {
        return error;
    };
    let (name, endpoint) = (&sandbox.name, endpoint.id);
    let start = if starts { "failed to set up container networking: " } else { "" };
    let text = format!(
        "{start}driver failed programming external connectivity on endpoint {name} ({endpoint}): \
         {error}"
    );
    Error::new(error.kind(), text)
}

/// Gives each binding a host port that nobody has: not the model, not the kernel.
fn choose(
    model: &Model,
    kernel: &Kernel,
    wanted: &[Wanted],
    default_host: Option<IpAddr>,
) -> Result<Vec<Publication>> {
    let mut chosen: Vec<Publication> = Vec::with_capacity(2 * wanted.len());
    let mut ports = BTreeSet::new();
    let everywhere = everywhere();
    for w in wanted {
        let hosts = hosts(&w.hosts, default_host, &everywhere);
        let taken = |port| ports.contains(&(w.transport, port));
        let port = match &w.range {
            Some(range) if range.start() == range.end() => *range.start(),
            Some(range) => free_of(model, kernel, w.transport, &hosts, range, taken)?,
            // The kernel gives another one each time; ours are held by sockets, so they are not
            // given.
            None => {
                let free = || kernel.free_port(&hosts, w.transport, None);
                ephemeral(|| free().map_err(|e| system("find a free host port", e)), taken)?
            }
        };
        ports.insert((w.transport, port));
        chosen.extend(hosts.into_iter().map(|host| Publication {
            transport: w.transport,
            container_port: w.container_port,
            host,
            host_port: port,
        }));
    }
    Ok(chosen)
}

/// A free port that is not among those chosen already, which nobody holds yet.
fn ephemeral(
    mut next_free: impl FnMut() -> Result<u16>,
    chosen: impl Fn(u16) -> bool,
) -> Result<u16> {
    // They come in a circle: more tries than ports find nothing new.
    for _ in 0..=u16::MAX {
        let port = next_free()?;
        if !chosen(port) {
            return Ok(port);
        }
    }
    Err(Error::new(Kind::System, "all ports are allocated"))
}

fn free_of(
    model: &Model,
    kernel: &Kernel,
    transport: Transport,
    hosts: &[IpAddr],
    range: &RangeInclusive<u16>,
    taken: impl Fn(u16) -> bool,
) -> Result<u16> {
    let held = |port| hosts.iter().any(|host| model.port_holder(*host, transport, port).is_some());
    let mut last = None;
    for port in range.clone().filter(|port| !taken(*port) && !held(*port)) {
        match kernel.free_port(hosts, transport, Some(port..=port)) {
            Ok(port) => return Ok(port),
            Err(e) => last = Some(e),
        }
    }
    let text = format!("all ports are allocated: {}-{}", range.start(), range.end());
    Err(match last {
        Some(e) => system(&text, e),
        None => Error::new(Kind::System, text),
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

/// The host address of a binding; none is the default. IPv4 in IPv6's clothes is IPv4.
fn host(text: &str) -> Result<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let host: IpAddr =
        inner.parse().map_err(|_| Error::invalid(format!("invalid IP address: {text}")))?;
    Ok(Some(host.to_canonical()))
}

/// Where bindings are published: where they say, else at the default, else at every address of both
/// families. An address that is there once is published once.
fn hosts(
    asked: &BTreeSet<Option<IpAddr>>,
    default_host: Option<IpAddr>,
    everywhere: &[IpAddr],
) -> Vec<IpAddr> {
    let each = asked.iter().flat_map(|host| match host.or(default_host) {
        Some(address) if host.is_some() || address != Ipv4Addr::UNSPECIFIED => vec![address],
        _ => everywhere.to_vec(),
    });
    each.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Every address of the families that the kernel has.
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
    use crate::container::testing::record;
    use crate::spec::PortBinding;

    #[test]
    fn ports_are_read() {
        assert_eq!(parse_port("80").unwrap(), (80, Transport::Tcp));
        assert_eq!(parse_port("53/UDP").unwrap(), (53, Transport::Udp));
        for bad in ["", "0", "65536/tcp", "80/icmp", "a/tcp", "80-81/tcp"] {
            assert_eq!(parse_port(bad).unwrap_err().kind(), Kind::Invalid, "{bad}");
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
    fn ports_left_open_end_some_day() {
        let mut circle = [40000, 40001].into_iter().cycle();
        let mut next = || Ok(circle.next().unwrap());
        assert_eq!(ephemeral(&mut next, |port| port == 40000).unwrap(), 40001);
        let error = ephemeral(next, |_| true).unwrap_err();
        assert_eq!(error.to_string(), "all ports are allocated");
        let none = || Err(Error::invalid("none"));
        assert_eq!(ephemeral(none, |_| false).unwrap_err().to_string(), "none");
    }

    #[test]
    fn the_default_address_counts_where_none_is_given() {
        let local: IpAddr = [127, 0, 0, 1].into();
        let any: IpAddr = Ipv4Addr::UNSPECIFIED.into();
        let at = |asked: &[&str], default| {
            let asked = asked.iter().map(|text| host(text).unwrap()).collect();
            hosts(&asked, default, &everywhere())
        };
        assert_eq!(at(&[""], Some(local)), [local]);
        assert_eq!(at(&["[::1]"], Some(local)), [IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        assert_eq!(at(&["0.0.0.0"], Some(local)), [any]);
        assert_eq!(at(&["::ffff:127.0.0.1", "127.0.0.1", ""], Some(local)), [local]);
        assert_eq!(at(&[""], Some(Ipv6Addr::UNSPECIFIED.into())), [Ipv6Addr::UNSPECIFIED]);
        assert!(at(&[""], None).contains(&any) && at(&[""], Some(any)) == at(&[""], None));
        assert!(host("nowhere").is_err());
    }

    #[test]
    fn what_is_certain_comes_first_and_addresses_share_a_port() {
        let mut it = record("web");
        let bind =
            |ip: &str, port: &str| PortBinding { host_ip: ip.into(), host_port: port.into() };
        let mut publish = |port: &str, bindings: &[PortBinding]| {
            it.host_config.port_bindings.insert(port.into(), Some(bindings.to_vec()));
        };
        publish("80/tcp", &[bind("127.0.0.1", ""), bind("::1", "")]);
        publish("81/tcp", &[bind("", "8000-8009"), bind("", "8000-8001")]);
        publish("82/udp", &[bind("", "32768")]);
        let shown = wanted(&it)
            .unwrap()
            .into_iter()
            .map(|w| (w.container_port, w.hosts.len(), w.range.map(RangeInclusive::into_inner)));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                (82, 1, Some((32768, 32768))),
                (81, 1, Some((8000, 8001))),
                (81, 1, Some((8000, 8009))),
                (80, 2, None)
            ]
        );
    }
}
