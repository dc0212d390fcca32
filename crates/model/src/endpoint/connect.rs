//! Connecting a sandbox to a network.

use std::net::IpAddr;
use std::sync::Arc;

use hawser_hoststate::{IfName, MacAddr};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Endpoint, EndpointSpec, Interface, address, local_mac};
use crate::error::Error;
use crate::model::{Attachments, Model, Touched};
use crate::network::{Driver, Network};
use crate::sandbox::{Mode, Sandbox};

/// Driver option that names the interface in the sandbox.
const IFNAME: &str = "com.docker.network.endpoint.ifname";

impl Model {
    /// Connects a sandbox to a network: gives the addresses, hardware address and names that
    /// were not asked for.
    pub fn connect(&mut self, spec: EndpointSpec) -> Result<Touched, Error> {
        let network = self.known_network(spec.network)?.clone();
        let sandbox = self.known_sandbox(spec.sandbox)?.clone();
        self.check_may_join(&network, &sandbox)?;
        check_request(&network, &spec)?;
        let interface = match network.driver {
            Driver::Bridge => Some(self.interface_of(&network, &sandbox, &spec)?),
            Driver::Host | Driver::Null => None,
        };
        let endpoint = Endpoint {
            id: spec.id,
            network: spec.network,
            sandbox: spec.sandbox,
            interface,
            aliases: spec.aliases,
            links: spec.links,
            gw_priority: spec.gw_priority,
            driver_opts: spec.driver_opts,
        };
        self.check_new_endpoint(&endpoint)?;
        self.count_interface(&sandbox, &endpoint);
        let touched = Touched::endpoint(&endpoint);
        self.add_endpoint(endpoint);
        Ok(touched)
    }

    /// Which modes go with which networks, in Docker's words.
    fn check_may_join(&self, network: &Network, sandbox: &Sandbox) -> Result<(), Error> {
        let has = self.endpoints_of_sandbox(sandbox.id);
        let private = |driver| driver == Driver::Null;
        let has_private = || {
            let networks = has.iter().filter_map(|e| self.network(e.network));
            { networks }.any(|network| private(network.driver))
        };
        match sandbox.mode {
            Mode::Shared(_) => Err(Error::SharedNetwork),
            Mode::Host if network.driver != Driver::Host => Err(Error::HostNetwork),
            Mode::Own if network.driver == Driver::Host => Err(Error::HostNetwork),
            _ if has.iter().any(|e| e.network == network.id) => Err(Error::AlreadyConnected {
                name: sandbox.name.clone(),
                network: network.name.to_string(),
            }),
            _ if !has.is_empty() && (private(network.driver) || has_private()) => {
                Err(Error::PrivateNetwork)
            }
            Mode::Own | Mode::Host => Ok(()),
        }
    }

    fn interface_of(
        &self,
        network: &Network,
        sandbox: &Sandbox,
        spec: &EndpointSpec,
    ) -> Result<Interface, Error> {
        let nothing = Arc::default();
        let attached = self.attached.get(&network.id).unwrap_or(&nothing);
        let name = interface_name(network, sandbox, spec)?;
        let ipv4 = give(network, attached, spec.ipv4.map(IpAddr::V4), false)?;
        let ipv6 = give(network, attached, spec.ipv6.map(IpAddr::V6), true)?;
        Ok(Interface {
            name,
            host_link: self.host_link(spec)?,
            mac: spec.mac.unwrap_or_else(|| generated_mac(network, attached, spec)),
            ipv4: ipv4.and_then(v4_net),
            ipv6: ipv6.and_then(v6_net),
            link_local: Vec::new(),
            sysctls: std::collections::BTreeMap::new(),
        })
    }

    /// `veth` and seven digits that no other endpoint's link has, from the id if possible.
    fn host_link(&self, spec: &EndpointSpec) -> Result<IfName, Error> {
        let id = spec.id.to_string();
        let own = (0..id.len() - 6).map(|i| format!("veth{}", &id[i..i + 7]));
        let any = (0..1u32 << 28).map(|number| format!("veth{number:07x}"));
        let names = own.chain(any).filter_map(|name| name.parse().ok());
        let free = { names }.find(|name| !self.host_links.contains(name));
        free.ok_or_else(|| Error::Records("no link name is left".to_owned()))
    }

    /// The sandbox's counter moves past the name just given, and never back.
    fn count_interface(&mut self, sandbox: &Sandbox, endpoint: &Endpoint) {
        if endpoint.interface.is_some() && !endpoint.driver_opts.contains_key(IFNAME) {
            let next = sandbox.next_interface + 1;
            let counted = Sandbox { next_interface: next, ..sandbox.clone() };
            Arc::make_mut(&mut self.sandboxes).insert(sandbox.id, Arc::new(counted));
        }
    }

    pub(crate) fn check_new_endpoint(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let network = self.known_network(endpoint.network)?;
        let sandbox = self.known_sandbox(endpoint.sandbox)?;
        if self.endpoints.contains_key(&endpoint.id) {
            return Err(Error::EndpointTaken(endpoint.id));
        }
        self.check_may_join(network, sandbox)?;
        let Some(interface) = &endpoint.interface else { return Ok(()) };
        let nothing = Arc::default();
        let attached = self.attached.get(&network.id).unwrap_or(&nothing);
        for address in interface.addresses() {
            check_free(network, attached, address)?;
        }
        self.check_station(network, attached, interface)?;
        let others = self.endpoints_of_sandbox(sandbox.id);
        let mut others = others.iter().filter_map(|other| other.interface.as_ref());
        match others.any(|other| other.name == interface.name) {
            true => Err(invalid_ifname(interface.name.as_str())),
            false => Ok(()),
        }
    }

    fn check_station(
        &self,
        network: &Network,
        attached: &Attachments,
        interface: &Interface,
    ) -> Result<(), Error> {
        let mac = interface.mac;
        if mac.0[0] & 1 == 1 || mac.0 == [0; 6] {
            return Err(Error::MacNotUnicast(mac));
        }
        if attached.macs.contains(&mac) || mac == network.gateway_mac() {
            return Err(Error::MacInUse { mac, network: network.name.to_string() });
        }
        if self.host_links.contains(&interface.host_link) {
            return Err(Error::Records(format!("two endpoints have link {}", interface.host_link)));
        }
        Ok(())
    }
}

/// What a network does not give on demand; all faults at once, as Docker tells them.
fn check_request(network: &Network, spec: &EndpointSpec) -> Result<(), Error> {
    let v4 = spec.ipv4.map(IpAddr::V4);
    let asked: Vec<IpAddr> = v4.into_iter().chain(spec.ipv6.map(IpAddr::V6)).collect();
    let mut faults = Vec::new();
    if network.predefined && !asked.is_empty() {
        faults.push("user specified IP address is supported on user defined networks only".into());
    }
    if network.predefined && !spec.aliases.is_empty() {
        faults.push("network-scoped aliases are only supported for user-defined networks".into());
    }
    if !network.predefined {
        faults.extend(asked.into_iter().filter_map(|address| address_fault(network, address)));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::InvalidEndpoint(faults)) }
}

fn address_fault(network: &Network, address: IpAddr) -> Option<String> {
    if network.pool_of(address).is_some_and(|pool| pool.configured) {
        None
    } else if network.pool(address.is_ipv6()).is_some_and(|pool| !pool.configured) {
        Some(
            "user specified IP address is supported only when connecting to networks with \
             user configured subnets"
                .to_owned(),
        )
    } else {
        Some(format!("no configured subnet or ip-range contain the IP address {address}"))
    }
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
    };
    let given = match asked {
        Some(address) => {
            check_free(network, attached, address)?;
            network.pool_of(address).map(|pool| (address, pool.subnet.prefix_len()))
        }
        None if !enabled => None,
        None => Some(address::pick(&network.pools, v6, &attached.leases).ok_or_else(exhausted)?),
    };
    Ok(given.and_then(|(address, prefix)| IpNet::new(address, prefix).ok()))
}

fn check_free(network: &Network, attached: &Attachments, address: IpAddr) -> Result<(), Error> {
    let Some(pool) = network.pool_of(address) else {
        let fault = format!("no configured subnet or ip-range contain the IP address {address}");
        return Err(Error::InvalidEndpoint(vec![fault]));
    };
    let holder = attached.leases.get(&address).copied();
    if holder.is_some() || address::is_reserved(pool, address) {
        return Err(Error::AddressInUse { address, holder });
    }
    Ok(())
}

fn interface_name(
    network: &Network,
    sandbox: &Sandbox,
    spec: &EndpointSpec,
) -> Result<IfName, Error> {
    if let Some(name) = spec.driver_opts.get(IFNAME) {
        let parsed = name.parse().ok().filter(|_| name != "lo");
        return parsed.ok_or_else(|| invalid_ifname(name));
    }
    let prefix = network.bridge.interface_prefix.as_deref().unwrap_or("eth");
    let name = format!("{prefix}{}", sandbox.next_interface);
    name.parse().map_err(|_| invalid_ifname(&name))
}

fn invalid_ifname(name: &str) -> Error {
    Error::InvalidOption { option: IFNAME.to_owned(), value: name.to_owned() }
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
