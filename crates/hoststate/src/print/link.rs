//! Links, which take several lines: made, marked, switched on.

use super::{Printer, name, word};
use crate::link::{Bridge, Link, LinkKind, Veth};
use crate::words::{IfName, Ns};

impl Printer<'_> {
    pub(super) fn add_link(&mut self, link: &Link) {
        match &link.kind {
            LinkKind::Bridge(bridge) => self.add_bridge(link, bridge),
            LinkKind::Veth(veth) => self.add_veth(link, veth),
        }
    }

    fn add_bridge(&mut self, link: &Link, bridge: &Bridge) {
        let Link { mac, mtu, .. } = link;
        let (link_name, alias) = (name(&link.name), word(&link.alias));
        self.line(format!(
            "ip link add {link_name} address {mac} mtu {mtu} type bridge forward_delay 0 stp_state 0"
        ));
        if link.knows_ipv6() {
            self.switch_ipv6(&Ns::Host, &link.name, bridge.ipv6);
        }
        self.line(format!("ip link set {link_name} alias {alias} up"));
    }

    /// IPv6 is off before a link is up and asks around.
    fn add_veth(&mut self, link: &Link, veth: &Veth) {
        let Link { mac, mtu, .. } = link;
        let (link_name, alias, peer) = (name(&link.name), word(&link.alias), &veth.peer);
        let far = Ns::Named(peer.ns.clone());
        self.line(format!(
            "ip link add {link_name} address {mac} mtu {mtu} type veth peer name {} address {} mtu {mtu} netns {}",
            name(&peer.name),
            peer.mac,
            self.path(&peer.ns)
        ));
        let master = name(&veth.master);
        let quiet = if link.knows_ipv6() { " addrgenmode none" } else { "" };
        self.line(format!("ip link set {link_name} alias {alias}{quiet} master {master} up"));
        self.set_port(&link.name, veth);
        if link.knows_ipv6() {
            self.switch_ipv6(&far, &peer.name, peer.ipv6);
        }
        self.line_in(&far, format!("ip link set {} up", name(&peer.name)));
    }

    /// Where IPv6 is on, no address waits for a duplicate.
    fn switch_ipv6(&mut self, ns: &Ns, link: &IfName, on: bool) {
        let settings = match on {
            true => &["accept_dad=0", "disable_ipv6=0"][..],
            false => &["disable_ipv6=1"],
        };
        for setting in settings {
            let assignment = format!("net/ipv6/conf/{link}/{setting}");
            self.line_in(ns, format!("sysctl -w {}", word(&assignment)));
        }
    }

    /// What differs; a link whose mark differs may be down, too.
    pub(super) fn change_link(&mut self, old: &Link, new: &Link) {
        let mut line = String::new();
        if old.mac != new.mac {
            line += &format!(" address {}", new.mac);
        }
        if old.mtu != new.mtu {
            line += &format!(" mtu {}", new.mtu);
        }
        match (&old.kind, &new.kind) {
            (LinkKind::Veth(a), LinkKind::Veth(b)) if a.master != b.master => {
                line += &format!(" master {}", name(&b.master));
            }
            _ => {}
        }
        if old.alias != new.alias {
            line += &format!(" alias {} up", word(&new.alias));
        }
        if !line.is_empty() {
            self.line(format!("ip link set {}{line}", name(&new.name)));
        }
        match (&old.kind, &new.kind) {
            (LinkKind::Veth(a), LinkKind::Veth(b)) => self.change_veth(a, b, old, new),
            (LinkKind::Bridge(a), LinkKind::Bridge(b))
                if a.ipv6 != b.ipv6 || old.gains_ipv6(new) =>
            {
                self.switch_ipv6(&Ns::Host, &new.name, b.ipv6);
            }
            _ => {}
        }
    }

    fn change_veth(&mut self, old: &Veth, veth: &Veth, before: &Link, link: &Link) {
        let far = Ns::Named(veth.peer.ns.clone());
        // A port that comes to another bridge has that one's defaults.
        if (old.isolated, &old.master) != (veth.isolated, &veth.master) {
            self.set_port(&link.name, veth);
        }
        if before.gains_ipv6(link) {
            self.switch_ipv6(&Ns::Host, &link.name, false);
        } else if old.peer.ipv6 != veth.peer.ipv6 && link.knows_ipv6() {
            self.switch_ipv6(&far, &veth.peer.name, veth.peer.ipv6);
        }
        let mtu = if before.mtu != link.mtu { format!(" mtu {}", link.mtu) } else { String::new() };
        let up = if before.alias != link.alias { " up" } else { "" };
        if !mtu.is_empty() || !up.is_empty() {
            self.line_in(&far, format!("ip link set {}{mtu}{up}", name(&veth.peer.name)));
        }
        if before.gains_ipv6(link) {
            self.switch_ipv6(&far, &veth.peer.name, veth.peer.ipv6);
        }
    }

    fn set_port(&mut self, port: &IfName, veth: &Veth) {
        let port = name(port);
        let isolated = if veth.isolated { "on" } else { "off" };
        self.line(format!(
            "ip link set {port} type bridge_slave learning off proxy_arp_wifi on hairpin on isolated {isolated}"
        ));
    }
}
