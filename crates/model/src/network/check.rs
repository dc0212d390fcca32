//! What is wrong with a pool asked for, in Docker's words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Pool, PoolSpec, pool};
use crate::endpoint::address::stations;
use crate::error::Error;
use crate::spans::span;

/// Whether a subnet asks for the next free one of its size.
pub(super) fn is_size_request(subnet: IpNet) -> bool {
    subnet.addr().is_unspecified()
}

/// Faults of what was asked for, all at once.
pub(super) fn pool_faults(asked: &PoolSpec, subnet: IpNet) -> Vec<String> {
    let mut faults = Vec::new();
    if subnet != subnet.trunc() {
        faults.push(format!("invalid subnet {subnet}: it should be {}", subnet.trunc()));
    }
    if is_size_request(subnet) {
        faults.extend(unplaced(asked, subnet));
        return faults;
    }
    if let Some(why) = no_place_for_containers(subnet) {
        faults.push(format!("invalid subnet {subnet}: {why}"));
    }
    if let Some(range) = asked.ip_range {
        faults.extend(range_faults(range, subnet));
    }
    if let Some(why) = asked.gateway.and_then(|gateway| address_fault(gateway, subnet)) {
        faults.extend(asked.gateway.map(|gateway| format!("invalid gateway {gateway}: {why}")));
    }
    for (name, address) in &asked.auxiliary {
        let why = address_fault(*address, subnet);
        faults.extend(why.map(|why| format!("invalid auxiliary address {name}: {why}")));
    }
    if let Some(why) = asked.next_hop.and_then(|hop| address_fault(hop, subnet)) {
        faults.extend(asked.next_hop.map(|hop| format!("invalid default gateway {hop}: {why}")));
    }
    faults
}

/// Addresses within a subnet that nobody knows before it is picked.
fn unplaced(asked: &PoolSpec, subnet: IpNet) -> Vec<String> {
    let range = asked.ip_range.map(|range| format!("ip-range {range}"));
    let gateway = asked.gateway.map(|gateway| format!("gateway {gateway}"));
    let hop = asked.next_hop.map(|hop| format!("default gateway {hop}"));
    let auxiliary = asked.auxiliary.keys().map(|name| format!("auxiliary address {name}"));
    let why = format!("subnet {subnet} stands for the next free one of its size");
    let all = range.into_iter().chain(gateway).chain(hop).chain(auxiliary);
    all.map(|what| format!("invalid {what}: {why}")).collect()
}

/// Why a subnet would take from the host what it needs itself.
fn no_place_for_containers(subnet: IpNet) -> Option<&'static str> {
    let first = subnet.network();
    match first {
        _ if subnet.prefix_len() == 0 => Some("it would take every address"),
        _ if first.is_loopback() => Some("these are loopback addresses"),
        _ if first.is_multicast() => Some("these are multicast addresses"),
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some("these are IPv4 addresses"),
        // Each station has link-local addresses of that prefix length already (as in Docker).
        IpAddr::V6(v6) if v6.is_unicast_link_local() && !is_link_local_64(subnet) => {
            Some("it clashes with the link-local prefix fe80::/64")
        }
        _ => None,
    }
}

fn is_link_local_64(subnet: IpNet) -> bool {
    subnet.prefix_len() == 64 && span(subnet).first == 0xfe80 << 112
}

fn range_faults(range: IpNet, subnet: IpNet) -> Vec<String> {
    if span(range).v6 != span(subnet).v6 {
        let family = family(subnet);
        return vec![format!("invalid ip-range {range}: parent subnet is an {family} block")];
    }
    let mut faults = Vec::new();
    if range.prefix_len() < subnet.prefix_len() {
        faults.push(format!(
            "invalid ip-range {range}: CIDR block is bigger than its parent subnet {subnet}"
        ));
    }
    if range != range.trunc() {
        faults.push(format!("invalid ip-range {range}: it should be {}", range.trunc()));
    }
    if !pool::overlaps(range, subnet) {
        faults.push(format!(
            "invalid ip-range {range}: parent subnet {subnet} doesn't contain ip-range"
        ));
    }
    faults
}

fn address_fault(address: IpAddr, subnet: IpNet) -> Option<String> {
    if address.is_ipv6() != span(subnet).v6 {
        Some(format!("parent subnet is an {} block", family(subnet)))
    } else if !subnet.contains(&address) {
        Some(format!("parent subnet {subnet} doesn't contain this address"))
    } else {
        None
    }
}

/// How people call the family of a subnet.
pub(super) fn family(subnet: IpNet) -> &'static str {
    if span(subnet).v6 { "IPv6" } else { "IPv4" }
}

/// Gateway and auxiliary addresses are allocated one after the other, as in Docker.
pub(super) fn check_special(pool: &Pool) -> Result<(), Error> {
    let stations = stations(pool.subnet);
    let mut taken = BTreeSet::new();
    if let Some(address) = pool.gateway {
        if !stations.contains(address) {
            return Err(Error::GatewayTaken(address));
        }
        taken.insert(address);
    }
    for (name, address) in &pool.auxiliary {
        if !stations.contains(*address) || !taken.insert(*address) {
            return Err(Error::AuxiliaryTaken { name: name.clone(), address: *address });
        }
    }
    Ok(())
}
