//! Disconnecting a sandbox from a network.

use crate::error::Error;
use crate::id::{NetworkId, SandboxId};
use crate::model::{Model, Touched};
use crate::network::Driver;

impl Model {
    /// Takes the sandbox's endpoint off the network; its addresses are free again.
    /// Ports that are reached another way then may be taken there.
    pub fn disconnect(&mut self, sandbox: SandboxId, network: NetworkId) -> Result<Touched, Error> {
        let net = self.known_network(network)?;
        self.known_sandbox(sandbox)?;
        if net.driver == Driver::Host {
            return Err(Error::HostNetwork);
        }
        let not = || Error::NotConnected { sandbox, network: net.name.to_string() };
        let endpoint = self.endpoint_between(sandbox, network).ok_or_else(not)?;
        let (id, mut touched) = (endpoint.id, Touched::endpoint(endpoint));
        touched.endpoints.extend(self.linkers(sandbox));
        let before = self.clone();
        self.drop_endpoint(id);
        self.check_moved_ports(&before, sandbox)?;
        Ok(touched)
    }
}
