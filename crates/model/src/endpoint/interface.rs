//! What an endpoint has on the wire: the addresses, names and hardware address that were asked
//! for, and the next free ones for the rest.

use std::net::IpAddr;

use hawser_hoststate::{IfName, MacAddr};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::request::{self, IFNAME};
use super::{EndpointSpec, Interface, address, local_mac, usage};
use crate::error::Error;
use crate::model::{Attachments, Model};
use crate::network::{IpamDriver, Network};
use crate::sandbox::Sandbox;

impl Model {
    /// The interface, and the number in its name if that was picked.
    pub(super) fn interface_of(
        &self,
        network: &Network,
        attached: &Attachments,
        sandbox: &Sandbox,
        spec: &EndpointSpec,
    ) -> Result<(Option<Interface>, Option<u32>), Error> {
        let (name, picked) = self.interface_name(network, sandbox, spec)?;
        let ipv4 = give(network, attached, spec.ipv4.map(IpAddr::V4), false)?;
        let ipv6 = give(network, attached, spec.ipv6.map(IpAddr::V6), true)?;
        let interface = Interface {
            sysctls: request::sysctls(spec, name.as_str()),
            name,
            host_link: self.host_link(spec)?,
            mac: spec.mac.unwrap_or_else(|| generated_mac(network, attached, spec)),
            ipv4: ipv4.and_then(v4_net),
            ipv6: ipv6.and_then(v6_net),
            link_local: request::link_local(spec),
        };
        Ok((Some(interface), picked))
    }

    /// `veth` and seven digits that no other endpoint's link has, from the id if possible.
    fn host_link(&self, spec: &EndpointSpec) -> Result<IfName, Error> {
        let id = spec.id.to_string();
        let own = (0..id.len() - 6).map(|i| format!("veth{}", &id[i..i + 7]));
        let any = (0..1u32 << 28).map(|number| format!("veth{number:07x}"));
        let names = own.chain(any).filter_map(|name| name.parse().ok());
        let free = { names }.find(|name: &IfName| !self.host_links.contains(name));
        free.ok_or_else(|| Error::Records("no link name is left".to_owned()))
    }

    /// The name asked for, or the prefix and the sandbox's next number that no interface has.
    fn interface_name(
        &self,
        network: &Network,
        sandbox: &Sandbox,
        spec: &EndpointSpec,
    ) -> Result<(IfName, Option<u32>), Error> {
        if let Some(name) = spec.driver_opts.get(IFNAME) {
            let parsed = name.parse().ok().filter(|_| name != "lo");
            let bad = || invalid_ifname(name, "it is no name that an interface can have");
            return Ok((parsed.ok_or_else(bad)?, None));
        }
        let prefix = network.bridge.interface_prefix.as_deref().unwrap_or("eth");
        let others = self.endpoints_of_sandbox(sandbox.id);
        let names: Vec<_> =
            others.iter().filter_map(|e| Some(e.interface.as_ref()?.name.as_str())).collect();
        let free = |number: &u32| !names.contains(&format!("{prefix}{number}").as_str());
        let number = { sandbox.next_interface.. }.find(free).unwrap_or(sandbox.next_interface);
        let name = format!("{prefix}{number}");
        let too_long = |_| invalid_ifname(&name, "it is no name that an interface can have");
        Ok((name.parse().map_err(too_long)?, Some(number)))
    }
}

pub(super) fn invalid_ifname(name: &str, why: &'static str) -> Error {
    Error::InvalidOption { option: IFNAME.to_owned(), value: name.to_owned(), why }
}

/// The address asked for, or the lowest free one; none where the network lacks the family.
fn give(
    network: &Network,
    attached: &Attachments,
    asked: Option<IpAddr>,
    v6: bool,
) -> Result<Option<IpNet>, Error> {
    let enabled = if v6 { network.ipv6 } else { network.ipv4 };
    let exhausted = || Error::NoAddress {
        family: if v6 { 6 } else { 4 },
        network: network.name.to_string(),
        id: network.id,
        pools: { usage::usage(network, &attached.taken).into_iter() }
            .filter(|pool| matches!(pool.subnet, IpNet::V6(_)) == v6)
            .collect(),
    };
    let given = match asked {
        Some(address) => {
            check_free(network, attached, address)?;
            network.pool_of(address).map(|pool| (address, pool.subnet.prefix_len()))
        }
        None if !enabled || network.ipam_driver == IpamDriver::Null => None,
        None => Some(address::pick(network, v6, &attached.taken).ok_or_else(exhausted)?),
    };
    Ok(given.and_then(|(address, prefix)| IpNet::new(address, prefix).ok()))
}

/// Whether an endpoint can have this address of one of the pools. Reservations are for dynamic
/// addresses: who asks by name gets a reserved one too.
pub(super) fn check_free(
    network: &Network,
    attached: &Attachments,
    address: IpAddr,
) -> Result<(), Error> {
    let Some(pool) = network.pool_of(address) else {
        let fault = format!("no configured subnet or ip-range contain the IP address {address}");
        return Err(Error::InvalidEndpoint(vec![fault]));
    };
    let holder = attached.leases.get(&address).copied();
    if holder.is_some() || address::is_special(pool, address) {
        return Err(Error::AddressInUse { address, holder });
    }
    Ok(())
}

/// One that nobody on the network has, from bytes of the id if possible.
fn generated_mac(network: &Network, attached: &Attachments, spec: &EndpointSpec) -> MacAddr {
    let bytes = spec.id.as_bytes();
    let own = bytes.windows(6).map(local_mac);
    let any = (0..u64::MAX).map(|number| local_mac(&number.to_be_bytes()[2..]));
    let free = |mac: &MacAddr| !attached.macs.contains(mac) && *mac != network.gateway_mac();
    own.chain(any).find(free).unwrap_or(network.gateway_mac())
}

fn v4_net(net: IpNet) -> Option<Ipv4Net> {
    let IpNet::V4(net) = net else { return None };
    Some(net)
}

fn v6_net(net: IpNet) -> Option<Ipv6Net> {
    let IpNet::V6(net) = net else { return None };
    Some(net)
}
