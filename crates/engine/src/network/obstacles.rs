//! Firewalls of others that drop what our containers send or get: found, told, never touched.
//!
//! In: the networks, and what the kernel says would become of their packets. Out: sentences for
//! `info` and the log, each with the command that would mend it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hawser_kernel::{Obstacle, Packet};
use hawser_model::{Driver, GatewayMode, Model, Network};

use super::Networks;
use crate::engine::{blocking, system};
use crate::error::Result;

/// Somebody out there: addresses for documentation (RFC 5737, RFC 3849).
const OUTSIDE4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OUTSIDE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The way out of a host that has none.
const NOWHERE: &str = "uplink";

/// What a chain drops, by bridge.
#[derive(Default)]
struct Dropped {
    outwards: BTreeSet<String>,
    inwards: BTreeSet<String>,
}

impl Networks {
    /// What is dropped by whom, and how to mend it: one sentence for each chain.
    pub(crate) async fn obstacles(&self) -> Result<Vec<String>> {
        let (model, kernel) = (self.writer.model(), Arc::clone(&self.kernel));
        blocking(move || {
            let uplink = kernel.uplink().map_err(|e| system("find the way out", e))?;
            let packets = packets(&model, uplink.as_deref().unwrap_or(NOWHERE));
            let found = kernel.obstacles(&packets);
            let found = found.map_err(|e| system("look at the firewalls of others", e))?;
            Ok(sentences(&packets, found, uplink.as_deref().unwrap_or(NOWHERE)))
        })
        .await
    }
}

/// One packet each way, of each family of each network that has a way to the outside.
fn packets(model: &Model, uplink: &str) -> Vec<Packet> {
    let open = |network: &&Arc<Network>| {
        network.driver == Driver::Bridge && !network.internal && !network.config_only
    };
    model.networks().filter(open).flat_map(|network| packets_of(network, uplink)).collect()
}

fn packets_of(network: &Network, uplink: &str) -> Vec<Packet> {
    let bridge = network.bridge_name().to_string();
    let mut packets = Vec::new();
    for v6 in [false, true] {
        let mut subnets = network.pools.iter().map(|pool| pool.subnet.network());
        let Some(inside) = subnets.find(|address| address.is_ipv6() == v6) else { continue };
        let outside: IpAddr = if v6 { OUTSIDE6.into() } else { OUTSIDE4.into() };
        let mode = network.bridge.gateway_mode(v6);
        if mode == GatewayMode::Isolated {
            continue;
        }
        packets.push(Packet {
            from: bridge.clone(),
            to: uplink.to_owned(),
            source: inside,
            destination: outside,
            translated: false,
        });
        packets.push(Packet {
            from: uplink.to_owned(),
            to: bridge.clone(),
            source: outside,
            destination: inside,
            translated: mode != GatewayMode::Routed,
        });
    }
    packets
}

fn sentences(packets: &[Packet], found: Vec<(usize, Obstacle)>, uplink: &str) -> Vec<String> {
    let mut chains: BTreeMap<Obstacle, Dropped> = BTreeMap::new();
    for (place, obstacle) in found {
        let Some(packet) = packets.get(place) else { continue };
        let dropped = chains.entry(obstacle).or_default();
        if packet.to == uplink {
            dropped.outwards.insert(packet.from.clone());
        } else {
            dropped.inwards.insert(packet.to.clone());
        }
    }
    chains.iter().map(|(obstacle, dropped)| sentence(obstacle, dropped)).collect()
}

fn sentence(obstacle: &Obstacle, dropped: &Dropped) -> String {
    let Obstacle { family, table, chain, .. } = obstacle;
    let what = if obstacle.by_policy { "the policy" } else { "a rule" };
    let parts = [("send", &dropped.outwards), ("are sent", &dropped.inwards)];
    let lost =
        parts.into_iter().filter(|(_, bridges)| !bridges.is_empty()).map(|(verb, bridges)| {
            let bridges: Vec<&str> = bridges.iter().map(String::as_str).collect();
            format!("what containers on {} {verb}", bridges.join(", "))
        });
    let lost = lost.collect::<Vec<_>>().join(", and ");
    let mend = mend(obstacle, dropped);
    format!(
        "{what} of chain {chain} of table {family} {table} drops {lost}; this lets it through: {mend}"
    )
}

/// The command of whoever keeps the table.
fn mend(obstacle: &Obstacle, dropped: &Dropped) -> String {
    let Obstacle { family, table, chain, .. } = obstacle;
    let bridges: BTreeSet<&String> = dropped.outwards.union(&dropped.inwards).collect();
    if table == "firewalld" {
        let zone = bridges.iter().map(|bridge| format!(" --add-interface={bridge}"));
        let zone: String = zone.collect();
        return format!("firewall-cmd --permanent --zone=trusted{zone} && firewall-cmd --reload");
    }
    if obstacle.chains.iter().any(|name| name.starts_with("ufw-") || name.starts_with("ufw6-")) {
        let routes = bridges.iter().map(|bridge| {
            format!("ufw route allow in on {bridge} && ufw route allow out on {bridge}")
        });
        return routes.collect::<Vec<_>>().join(" && ");
    }
    let rules = [("iifname", &dropped.outwards), ("oifname", &dropped.inwards)];
    let rules = rules.into_iter().filter(|(_, bridges)| !bridges.is_empty());
    let rules = rules.map(|(side, bridges)| {
        let quoted: Vec<String> = bridges.iter().map(|bridge| format!("\"{bridge}\"")).collect();
        let links = match quoted.as_slice() {
            [one] => one.clone(),
            more => format!("{{ {} }}", more.join(", ")),
        };
        format!("nft 'insert rule {family} {table} {chain} {side} {links} accept'")
    });
    rules.collect::<Vec<_>>().join(" && ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle(family: &'static str, table: &str, chain: &str, chains: &[&str]) -> Obstacle {
        let chains = chains.iter().map(|name| (*name).to_owned()).collect();
        let (table, chain) = (table.to_owned(), chain.to_owned());
        Obstacle { family, table, chain, by_policy: true, chains }
    }

    fn packet(from: &str, to: &str) -> Packet {
        let (source, destination) = (OUTSIDE4.into(), OUTSIDE4.into());
        Packet { from: from.into(), to: to.into(), source, destination, translated: false }
    }

    fn said(obstacle: &Obstacle, places: &[usize]) -> Vec<String> {
        let packets =
            [packet("hawser0", "eth0"), packet("eth0", "hawser0"), packet("br-1", "eth0")];
        sentences(&packets, places.iter().map(|p| (*p, obstacle.clone())).collect(), "eth0")
    }

    #[test]
    fn each_chain_is_told_with_what_mends_it() {
        assert_eq!(
            said(&obstacle("ip", "filter", "FORWARD", &[]), &[0, 1, 2]),
            [
                "the policy of chain FORWARD of table ip filter drops what containers on br-1, hawser0 \
              send, and what containers on hawser0 are sent; this lets it through: \
              nft 'insert rule ip filter FORWARD iifname { \"br-1\", \"hawser0\" } accept' && \
              nft 'insert rule ip filter FORWARD oifname \"hawser0\" accept'"
            ]
        );
        let ufw = said(&obstacle("ip", "filter", "FORWARD", &["ufw-before-forward"]), &[1]);
        assert!(
            ufw[0].ends_with("ufw route allow in on hawser0 && ufw route allow out on hawser0"),
            "{ufw:?}"
        );
        let firewalld = said(&obstacle("inet", "firewalld", "filter_FORWARD", &[]), &[0]);
        assert!(
            firewalld[0].ends_with(
                "firewall-cmd --permanent --zone=trusted --add-interface=hawser0 && \
                 firewall-cmd --reload"
            ),
            "{firewalld:?}"
        );
    }
}
