//! Netlink messages that wait to be sent together, each with the change that asked for it.
//!
//! In: messages. Out: the first failure, by change.

use crate::error::Error;
use crate::netlink::{Message, Refusal, Socket};
use crate::route::{self, RouteRecord};

/// Place of the change that failed, and why.
pub(crate) type Failure = (usize, Error);

/// Messages of one socket.
#[derive(Default)]
pub(crate) struct Batch {
    messages: Vec<Message>,
    origins: Vec<Origin>,
}

struct Origin {
    change: usize,
    /// Errors that mean that there is nothing left to do.
    gone: &'static [i32],
    /// The route that was to be added: the kernel refuses one that is there already.
    route: Option<RouteRecord>,
}

impl Batch {
    /// Queues a message.
    pub(crate) fn push(&mut self, change: usize, gone: &'static [i32], message: Message) {
        self.messages.push(message);
        self.origins.push(Origin { change, gone, route: None });
    }

    /// Queues a route to add.
    pub(crate) fn push_route(&mut self, change: usize, route: RouteRecord) {
        self.messages.push(route::add(&route));
        self.origins.push(Origin { change, gone: &[], route: Some(route) });
    }

    /// Sends all; the queue is empty afterwards. The kernel tries messages after a refused one too.
    pub(crate) fn send(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        let Some(first) = self.origins.first() else { return Ok(()) };
        let mut messages = std::mem::take(&mut self.messages);
        let refused = socket
            .batch(&mut messages)
            .map_err(|cause| (first.change, Error::new("change", "links", cause)))?;
        let origins = std::mem::take(&mut self.origins);
        for refusal in refused {
            let Some(origin) = origins.get(refusal.position) else { continue };
            if !origin.gone.contains(&refusal.errno) && !origin.is_there(&refusal, socket)? {
                return Err((origin.change, Error::new("change", "network settings", refusal)));
            }
        }
        Ok(())
    }
}

impl Origin {
    /// Whether the refused object is a route that is there as wanted.
    fn is_there(&self, refusal: &Refusal, socket: &mut Socket) -> Result<bool, Failure> {
        let Some(wanted) = self.route.filter(|_| refusal.errno == libc::EEXIST) else {
            return Ok(false);
        };
        let routes = socket.dump(&route::dump());
        let routes = routes.map_err(|cause| (self.change, Error::new("read", "routes", cause)))?;
        Ok(routes.iter().filter_map(|payload| route::parse(payload)).any(|route| route == wanted))
    }
}
