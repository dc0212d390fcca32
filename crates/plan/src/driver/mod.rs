//! What networks and endpoints need of the host, one file per driver that needs anything.
//!
//! In: records. Out: objects. `host` networks are the host as it is, `null` networks have
//! nothing: neither has a file.

mod bridge;

use hawser_hoststate::Object;
use hawser_model::{Driver, Endpoint, Model, Network};

use crate::{Settings, links};

/// Objects of a network.
pub(crate) fn network(network: &Network, settings: &Settings) -> Vec<Object> {
    match network.driver {
        Driver::Bridge => bridge::network(network, settings),
        Driver::Host | Driver::Null => Vec::new(),
    }
}

/// Objects of an endpoint.
pub(crate) fn endpoint(model: &Model, endpoint: &Endpoint, settings: &Settings) -> Vec<Object> {
    match (model.network(endpoint.network), &endpoint.interface) {
        (Some(network), Some(interface)) => {
            let mut objects = bridge::endpoint(network, endpoint, interface, settings);
            objects.extend(links::endpoint(model, network, endpoint, interface));
            objects
        }
        _ => Vec::new(),
    }
}
