//! How full the pools of a network are.

use super::address;
use crate::id::NetworkId;
use crate::model::Model;
use crate::network::{Network, Pool, PoolUsage};
use crate::spans::{Span, Spans, span};

impl Model {
    /// How full the pools of a network are, in their order. A template and a network that is not
    /// there have none.
    pub fn usage(&self, network: NetworkId) -> Vec<PoolUsage> {
        let Some(record) = self.network(network).filter(|record| !record.config_only) else {
            return Vec::new();
        };
        self.attached.get(&network).map(|a| usage(record, &a.taken)).unwrap_or_default()
    }
}

pub(super) fn usage(network: &Network, taken: &Spans) -> Vec<PoolUsage> {
    let one = |pool: &Pool| {
        let range = address::range(pool);
        let size = |range: Span| (range.last - range.first).saturating_add(1);
        let free = |range| size(range).saturating_sub(taken.count(range));
        PoolUsage {
            subnet: pool.subnet,
            ip_range: pool.ip_range,
            in_use: saturated(taken.count(span(pool.subnet))),
            dynamic_free: saturated(range.map_or(0, free)),
        }
    };
    network.pools.iter().map(one).collect()
}

fn saturated(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
