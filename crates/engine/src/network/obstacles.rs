//! Firewalls of others that drop what our containers send or get, or what we relay to them: found,
//! told, never touched.
//!
//! In: the networks, and what the kernel says would become of their packets. Out: sentences for
//! `info` and the log, each with the command that would mend it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hawser_hoststate::Transport;
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

/// What a chain drops: by bridge, and by the host's ports that are relayed.
#[derive(Default)]
struct Dropped {
    outwards: BTreeSet<String>,
    inwards: BTreeSet<String>,
    ports: BTreeSet<(Transport, u16)>,
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
    let forwarded = model.networks().filter(open).flat_map(|network| packets_of(network, uplink));
    let relays = hawser_plan::relays_all(model);
    let relayed = relays.keys().filter(|port| !port.address.is_loopback()).map(|port| Packet {
        from: uplink.to_owned(),
        to: None,
        source: outside(port.address.is_ipv6()),
        destination: port.address,
        translated: false,
        transport: port.transport,
        port: Some(port.port),
    });
    forwarded.chain(relayed).collect()
}

fn outside(v6: bool) -> IpAddr {
    if v6 { OUTSIDE6.into() } else { OUTSIDE4.into() }
}

fn packets_of(network: &Network, uplink: &str) -> Vec<Packet> {
    let bridge = network.bridge_name().to_string();
    let mut packets = Vec::new();
    for v6 in [false, true] {
        let mut subnets = network.pools.iter().map(|pool| pool.subnet.network());
        let Some(inside) = subnets.find(|address| address.is_ipv6() == v6) else { continue };
        let mode = network.bridge.gateway_mode(v6);
        if mode == GatewayMode::Isolated {
            continue;
        }
        let packet = |from: &str, to: &str, source, destination, translated| Packet {
            from: from.to_owned(),
            to: Some(to.to_owned()),
            source,
            destination,
            translated,
            transport: Transport::Tcp,
            port: None,
        };
        let translated = mode != GatewayMode::Routed;
        packets.push(packet(&bridge, uplink, inside, outside(v6), false));
        packets.push(packet(uplink, &bridge, outside(v6), inside, translated));
    }
    packets
}

fn sentences(packets: &[Packet], found: Vec<(usize, Obstacle)>, uplink: &str) -> Vec<String> {
    let mut chains: BTreeMap<Obstacle, Dropped> = BTreeMap::new();
    for (place, obstacle) in found {
        let Some(packet) = packets.get(place) else { continue };
        let dropped = chains.entry(obstacle).or_default();
        match (&packet.to, packet.port) {
            (Some(to), _) if to == uplink => dropped.outwards.insert(packet.from.clone()),
            (Some(to), _) => dropped.inwards.insert(to.clone()),
            (None, port) => dropped.ports.insert((packet.transport, port.unwrap_or_default())),
        };
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
    let ports: Vec<String> = dropped.ports.iter().map(|(t, port)| format!("{port}/{t}")).collect();
    let relayed = format!("what is sent to published ports of the host: {}", ports.join(", "));
    let relayed = (!ports.is_empty()).then_some(relayed);
    let lost = lost.chain(relayed).collect::<Vec<_>>().join(", and ");
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
        let zone = (!bridges.is_empty()).then(|| zone.collect::<String>());
        let zone = zone.map(|zone| format!("firewall-cmd --permanent --zone=trusted{zone} && "));
        let ports = dropped.ports.iter().map(|(t, port)| format!(" --add-port={port}/{t}"));
        let ports = (!dropped.ports.is_empty()).then(|| ports.collect::<String>());
        let ports = ports.map(|ports| format!("firewall-cmd --permanent{ports} && "));
        let both = [zone, ports].into_iter().flatten().collect::<String>();
        return format!("{both}firewall-cmd --reload");
    }
    if obstacle.chains.iter().any(|name| name.starts_with("ufw-") || name.starts_with("ufw6-")) {
        let routes = bridges.iter().map(|bridge| {
            format!("ufw route allow in on {bridge} && ufw route allow out on {bridge}")
        });
        let ports = dropped.ports.iter().map(|(t, port)| format!("ufw allow {port}/{t}"));
        return routes.chain(ports).collect::<Vec<_>>().join(" && ");
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
    let ports = dropped.ports.iter().map(|(t, port)| {
        format!("nft 'insert rule {family} {table} {chain} {t} dport {port} accept'")
    });
    rules.chain(ports).collect::<Vec<_>>().join(" && ")
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
        let (to, port) = match to.parse() {
            Ok(port) => (None, Some(port)),
            Err(_) => (Some(to.to_owned()), None),
        };
        let (transport, translated) = (Transport::Tcp, false);
        Packet { from: from.into(), to, source, destination, translated, transport, port }
    }

    fn said(obstacle: &Obstacle, places: &[usize]) -> Vec<String> {
        let packets = [
            packet("hawser0", "eth0"),
            packet("eth0", "hawser0"),
            packet("br-1", "eth0"),
            packet("eth0", "8080"),
        ];
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
        assert_eq!(
            said(&obstacle("inet", "f", "in", &[]), &[3]),
            [
                "the policy of chain in of table inet f drops what is sent to published ports of the \
              host: 8080/tcp; this lets it through: nft 'insert rule inet f in tcp dport 8080 accept'"
            ]
        );
        let in_ufw = said(&obstacle("ip6", "filter", "INPUT", &["ufw6-user-input"]), &[3]);
        assert!(in_ufw[0].ends_with("through: ufw allow 8080/tcp"), "{in_ufw:?}");
        let in_firewalld = said(&obstacle("inet", "firewalld", "filter_INPUT", &[]), &[3]);
        let wanted = "firewall-cmd --permanent --add-port=8080/tcp && firewall-cmd --reload";
        assert!(in_firewalld[0].ends_with(wanted), "{in_firewalld:?}");
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
