//! Connecting a sandbox to a network.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::interface::{check_free, invalid_ifname};
use super::{Endpoint, EndpointSpec, Interface, address, request};
use crate::error::Error;
use crate::model::{Attachments, Model, Touched};
use crate::network::{Driver, Network};
use crate::sandbox::{Mode, Sandbox};

impl Model {
    /// Connects a sandbox to a network: gives the addresses, hardware address and names that
    /// were not asked for.
    pub fn connect(&mut self, spec: EndpointSpec) -> Result<Touched, Error> {
        let network = self.known_network(spec.network)?.clone();
        let sandbox = self.known_sandbox(spec.sandbox)?.clone();
        self.check_may_join(&network, &sandbox)?;
        request::check(&network, &spec)?;
        let attached = self.attachments(&network)?;
        let (interface, number) = match network.driver {
            Driver::Bridge => self.interface_of(&network, attached, &sandbox, &spec)?,
            Driver::Host | Driver::Null => (None, None),
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
        let before = self.clone();
        if let Some(number) = number {
            // The counter moves past the name just given, and never back.
            let counted = Sandbox { next_interface: number + 1, ..Sandbox::clone(&sandbox) };
            self.sandboxes.insert_mut(sandbox.id, Arc::new(counted));
        }
        let mut touched = Touched::endpoint(&endpoint);
        self.add_endpoint(endpoint);
        touched.endpoints.extend(self.linkers(sandbox.id));
        self.check_moved_ports(&before, sandbox.id)?;
        Ok(touched)
    }

    fn attachments(&self, network: &Network) -> Result<&Arc<Attachments>, Error> {
        let missing = || Error::NoSuchNetwork(network.name.to_string());
        self.attached.get(&network.id).ok_or_else(missing)
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
            _ if network.config_only => Err(Error::TemplateConnect),
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

    pub(crate) fn check_new_endpoint(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let network = self.known_network(endpoint.network)?;
        let sandbox = self.known_sandbox(endpoint.sandbox)?;
        if self.endpoints.contains_key(&endpoint.id) {
            return Err(Error::EndpointTaken(endpoint.id));
        }
        self.check_may_join(network, sandbox)?;
        let Some(interface) = &endpoint.interface else { return Ok(()) };
        let attached = self.attachments(network)?;
        for address in interface.addresses() {
            check_free(network, attached, address)?;
        }
        for address in interface.link_local.iter().map(IpNet::addr) {
            check_link_local(network, attached, address)?;
            if interface.addresses().any(|leased| leased == address) {
                return Err(Error::AddressInUse { address, holder: Some(endpoint.id) });
            }
        }
        self.check_station(network, attached, interface)?;
        let others = self.endpoints_of_sandbox(sandbox.id);
        let mut others = others.iter().filter_map(|other| other.interface.as_ref());
        match others.any(|other| other.name == interface.name) {
            true => Err(invalid_ifname(interface.name.as_str(), "another interface has it")),
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

/// A link-local address is on the same wire as the leases, and may even be in a pool.
fn check_link_local(
    network: &Network,
    attached: &Attachments,
    address: IpAddr,
) -> Result<(), Error> {
    let holder = attached.leases.get(&address).copied();
    let special = network.pool_of(address).is_some_and(|p| address::is_special(p, address));
    if holder.is_some() || special { Err(Error::AddressInUse { address, holder }) } else { Ok(()) }
}
