//! What an endpoint may ask for. All faults of a request are told at once, in Docker's words.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hawser_hoststate::IPV6_MIN_MTU;
use ipnet::IpNet;

use super::EndpointSpec;
use crate::error::Error;
use crate::model::Model;
use crate::network::{Network, Pool};

/// Driver option that names the interface in the sandbox.
pub(super) const IFNAME: &str = "com.docker.network.endpoint.ifname";
/// Driver option with settings of the interface.
const SYSCTLS: &str = "com.docker.network.endpoint.sysctls";

impl Model {
    /// Whether a network could give what an endpoint asks for, as far as that does not depend on
    /// who is on it. The sandbox need not be there.
    pub fn check_endpoint(&self, spec: &EndpointSpec) -> Result<(), Error> {
        let network = self.known_network(spec.network)?;
        if network.config_only {
            return Err(Error::TemplateConnect);
        }
        check(network, spec)
    }
}

/// What a network does not give on demand.
pub(super) fn check(network: &Network, spec: &EndpointSpec) -> Result<(), Error> {
    let v4 = spec.ipv4.map(IpAddr::V4);
    let asked: Vec<IpAddr> = v4.into_iter().chain(spec.ipv6.map(IpAddr::V6)).collect();
    let mut faults = Vec::new();
    if network.predefined && !asked.is_empty() {
        faults.push("user specified IP address is supported on user defined networks only".into());
    }
    if network.predefined && !spec.aliases.is_empty() {
        let text = "network-scoped alias is supported only for containers in user defined networks";
        faults.push(text.into());
    }
    faults.extend(spec.link_local.iter().filter_map(link_local_fault));
    if !network.predefined {
        faults.extend(asked.into_iter().filter_map(|address| address_fault(network, address)));
    }
    let odd = settings(&spec.driver_opts).filter(|setting| split(setting).is_none());
    faults.extend(odd.map(|setting| {
        format!(
            "unrecognised network interface sysctl '{setting}'; represent 'net.X.Y.ethN.Z=V' as \
             'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'"
        )
    }));
    faults.extend(small_packets_fault(network, spec));
    if !faults.is_empty() {
        return Err(Error::InvalidEndpoint(faults));
    }
    let odd = spec.link_local.iter().find(|address| !is_link_local(address));
    odd.map_or(Ok(()), |address| Err(Error::NotLinkLocal(*address)))
}

/// The kernel has no IPv6 on links with smaller packets (RFC 8200, section 5).
fn small_packets_fault(network: &Network, spec: &EndpointSpec) -> Option<String> {
    let mtu = network.bridge.mtu.filter(|mtu| *mtu < IPV6_MIN_MTU)?;
    let settings = settings(&spec.driver_opts).filter_map(split);
    let asked = spec.link_local.iter().any(IpAddr::is_ipv6)
        || settings.into_iter().any(|([family, ..], _)| family == "ipv6");
    asked.then(|| {
        format!(
            "no IPv6 address or setting can be had on network {}: its packets have {mtu} bytes, and \
             IPv6 needs {IPV6_MIN_MTU}",
            network.name
        )
    })
}

fn link_local_fault(address: &IpAddr) -> Option<String> {
    address.is_unspecified().then(|| format!("invalid link-local IP address: {address}"))
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Link-local addresses with the prefix lengths of RFC 3927 and RFC 4291, each once.
pub(super) fn link_local(spec: &EndpointSpec) -> Vec<IpNet> {
    let prefix = |address: &IpAddr| if address.is_ipv4() { 16 } else { 64 };
    let nets = spec.link_local.iter().filter_map(|a| IpNet::new(*a, prefix(a)).ok());
    let mut nets: Vec<IpNet> = nets.collect();
    nets.sort();
    nets.dedup();
    nets
}

fn address_fault(network: &Network, address: IpAddr) -> Option<String> {
    let family = |pool: &&Pool| matches!(pool.subnet, IpNet::V6(_)) == address.is_ipv6();
    let mut given = network.pools.iter().filter(family).filter(|pool| pool.configured).peekable();
    if given.peek().is_none() {
        return Some(
            "user specified IP address is supported only when connecting to networks with \
             user configured subnets"
                .to_owned(),
        );
    }
    let inside = given.any(|pool| pool.subnet.contains(&address));
    let outside = || format!("no configured subnet or ip-range contain the IP address {address}");
    (!inside).then(outside)
}

/// Settings of the interface that is called so.
pub(super) fn sysctls(spec: &EndpointSpec, interface: &str) -> BTreeMap<String, String> {
    // A dot that is part of the name is a slash, as for sysctl(8).
    let interface = interface.replace('.', "/");
    let named = settings(&spec.driver_opts).filter_map(split);
    let full = |[family, table, key]: [&str; 3]| format!("net.{family}.{table}.{interface}.{key}");
    named.map(|(name, value)| (full(name), value.to_owned())).collect()
}

fn settings(driver_opts: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    driver_opts.get(SYSCTLS).into_iter().flat_map(|list| list.split(','))
}

/// `net.X.Y.IFNAME.Z=V` as X, Y, Z and V. Docker's client makes the placeholder lower case.
fn split(setting: &str) -> Option<([&str; 3], &str)> {
    let (name, value) = setting.split_once('=')?;
    let parts: Vec<&str> = name.split('.').collect();
    let ["net", family @ ("ipv4" | "ipv6" | "mpls"), table, "IFNAME" | "ifname", key] = parts[..]
    else {
        return None;
    };
    let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let good = word(table) && word(key) && !value.is_empty() && !value.contains(char::is_control);
    good.then_some(([family, table, key], value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_one_interface() {
        assert_eq!(
            split("net.ipv6.conf.IFNAME.accept_ra=2"),
            Some((["ipv6", "conf", "accept_ra"], "2"))
        );
        assert_eq!(split("net.ipv4.neigh.ifname.mcast_solicit=1").unwrap().0[1], "neigh");
        for bad in [
            "",
            "net.ipv6.conf.eth0.accept_ra=2",
            "net.core.conf.IFNAME.accept_ra=2",
            "kernel.ipv4.conf.IFNAME.forwarding=1",
            "net.ipv4.conf.IFNAME=1",
            "net.ipv4.conf.IFNAME.forwarding",
            "net.ipv4.conf.IFNAME.forwarding=",
            "net.ipv4.conf.IFNAME.for/../warding=1",
            "net.ipv4...IFNAME.forwarding=1",
            "net.ipv4.conf.IFNAME.a.b=1",
            "net.ipv4.conf.IFNAME.forwarding=1\n2",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
