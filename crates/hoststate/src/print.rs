//! Objects as the `ip`, `bridge`, `sysctl` and `nft` lines that a person would type.
//!
//! An object prints as the lines that make it, a change as the lines that carry it out; several
//! lines are separated by newlines. What no command does (holding a port) is a `#` comment.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

use ipnet::IpNet;

use crate::diff::Change;
use crate::element::{Element, ElementData};
use crate::link::{Link, LinkKind, Veth};
use crate::object::{HeldPort, HostState, Object, Sysctl};
use crate::words::Ns;

/// `ip`, with the namespace that it works in.
struct Ip<'a>(&'a Ns);

impl Display for Ip<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ns::Host => f.write_str("ip"),
            Ns::Named(name) => write!(f, "ip -n {name}"),
        }
    }
}

impl Display for Object {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => write!(f, "ip netns add {name}\nip -n {name} link set lo up"),
            Self::Sysctl(s) => set(f, s),
            Self::Link(link) => add_link(f, link),
            Self::Address(a) => {
                let nodad = if matches!(a.address, IpNet::V6(_)) { " nodad" } else { "" };
                write!(f, "{} address add {} dev {}{nodad}", Ip(&a.ns), a.address, a.link)
            }
            Self::Neighbour(n) => write!(
                f,
                "{} neighbour replace {} lladdr {} dev {} nud permanent",
                Ip(&n.ns),
                n.ip,
                n.mac,
                n.link
            ),
            Self::Fdb(e) => write!(f, "bridge fdb replace {} dev {} master static", e.mac, e.port),
            Self::Route(_) => route(f, "add", self),
            Self::HeldPort(port) => write!(f, "# hold {}", Held(port)),
            Self::Element(element, data) => add_element(f, element, data),
        }
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(object) => object.fmt(f),
            Self::Remove(object) => remove(f, object),
            Self::Replace { old: Object::Link(old), new: Object::Link(new) } => {
                change_link(f, old, new)
            }
            Self::Replace { new, .. } if matches!(new, Object::Route(_)) => {
                route(f, "replace", new)
            }
            Self::Replace { old: Object::Element(old, _), new } => {
                writeln!(f, "nft delete element inet hawser {} {{ {old} }}", old.set().as_str())?;
                new.fmt(f)
            }
            Self::Replace { new, .. } => new.fmt(f),
        }
    }
}

impl Display for HostState {
    /// All objects, in the order of creation, each ended by a newline.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|(_, object)| writeln!(f, "{object}"))
    }
}

fn remove(f: &mut Formatter<'_>, object: &Object) -> fmt::Result {
    match object {
        Object::Namespace(name) => write!(f, "ip netns delete {name}"),
        Object::Sysctl(s) => write!(f, "# leave {}", s.name),
        Object::Link(link) => write!(f, "ip link delete {}", link.name),
        Object::Address(a) => {
            write!(f, "{} address delete {} dev {}", Ip(&a.ns), a.address, a.link)
        }
        Object::Neighbour(n) => {
            write!(f, "{} neighbour delete {} dev {}", Ip(&n.ns), n.ip, n.link)
        }
        Object::Fdb(e) => write!(f, "bridge fdb delete {} dev {} master static", e.mac, e.port),
        Object::Route(_) => route(f, "delete", object),
        Object::HeldPort(port) => write!(f, "# release {}", Held(port)),
        Object::Element(element, _) => {
            write!(f, "nft delete element inet hawser {} {{ {element} }}", element.set().as_str())
        }
    }
}

fn set(f: &mut Formatter<'_>, sysctl: &Sysctl) -> fmt::Result {
    if let Ns::Named(name) = &sysctl.ns {
        write!(f, "ip netns exec {name} ")?;
    }
    match sysctl.value.contains(char::is_whitespace) {
        true => write!(f, "sysctl -w {}={:?}", sysctl.name, sysctl.value),
        false => write!(f, "sysctl -w {}={}", sysctl.name, sysctl.value),
    }
}

fn route(f: &mut Formatter<'_>, verb: &str, object: &Object) -> fmt::Result {
    let Object::Route(route) = object else { return Ok(()) };
    let family = if matches!(route.destination, IpNet::V6(_)) { " -6" } else { "" };
    write!(f, "{}{family} route {verb} ", Ip(&route.ns))?;
    match route.destination.prefix_len() {
        0 => f.write_str("default")?,
        _ => write!(f, "{}", route.destination)?,
    }
    if let Some(via) = route.via {
        write!(f, " via {via}")?;
    }
    write!(f, " dev {}", route.link)
}

fn add_link(f: &mut Formatter<'_>, link: &Link) -> fmt::Result {
    let Link { name, mac, mtu, alias, kind } = link;
    write!(f, "ip link add {name} address {mac} mtu {mtu} type ")?;
    match kind {
        LinkKind::Bridge(bridge) => {
            writeln!(f, "bridge forward_delay 0")?;
            write!(f, "ip link set {name} alias {alias:?} up")?;
            disable_ipv6(f, &Ns::Host, name.as_str(), bridge.ipv6)
        }
        LinkKind::Veth(veth) => add_veth(f, link, veth),
    }
}

fn add_veth(f: &mut Formatter<'_>, link: &Link, veth: &Veth) -> fmt::Result {
    let Link { name, mtu, alias, .. } = link;
    let peer = &veth.peer;
    writeln!(f, "veth peer name {} address {} mtu {mtu} netns {}", peer.name, peer.mac, peer.ns)?;
    write!(f, "ip link set {name} alias {alias:?} master {} up", veth.master)?;
    write!(f, "\nip link set {name} type bridge_slave learning off proxy_arp_wifi on hairpin on")?;
    if veth.isolated {
        f.write_str(" isolated on")?;
    }
    write!(f, "\nip -n {} link set {} up", peer.ns, peer.name)?;
    disable_ipv6(f, &Ns::Named(peer.ns.clone()), peer.name.as_str(), peer.ipv6)
}

fn disable_ipv6(f: &mut Formatter<'_>, ns: &Ns, link: &str, ipv6: bool) -> fmt::Result {
    if ipv6 {
        return Ok(());
    }
    let name = format!("net/ipv6/conf/{link}/disable_ipv6");
    f.write_str("\n")?;
    set(f, &Sysctl { ns: ns.clone(), name, value: "1".to_owned() })
}

fn change_link(f: &mut Formatter<'_>, old: &Link, new: &Link) -> fmt::Result {
    write!(f, "ip link set {}", new.name)?;
    if old.mac != new.mac {
        write!(f, " address {}", new.mac)?;
    }
    if old.mtu != new.mtu {
        write!(f, " mtu {}", new.mtu)?;
    }
    if old.alias != new.alias {
        write!(f, " alias {:?}", new.alias)?;
    }
    match (&old.kind, &new.kind) {
        (LinkKind::Veth(old), LinkKind::Veth(veth)) => change_veth(f, old, veth, new),
        (LinkKind::Bridge(old), LinkKind::Bridge(bridge)) if old != bridge => {
            write!(
                f,
                " up\nsysctl -w net/ipv6/conf/{}/disable_ipv6={}",
                new.name, !bridge.ipv6 as u8
            )
        }
        _ => f.write_str(" up"),
    }
}

fn change_veth(f: &mut Formatter<'_>, old: &Veth, veth: &Veth, link: &Link) -> fmt::Result {
    let peer = &veth.peer;
    if old.master != veth.master {
        write!(f, " master {}", veth.master)?;
    }
    f.write_str(" up")?;
    write!(f, "\nip -n {} link set {} mtu {} up", peer.ns, peer.name, link.mtu)?;
    if old.isolated != veth.isolated {
        let on = if veth.isolated { "on" } else { "off" };
        write!(f, "\nip link set {} type bridge_slave isolated {on}", link.name)?;
    }
    if old.peer.ipv6 != peer.ipv6 {
        let off = !peer.ipv6 as u8;
        let (ns, name) = (&peer.ns, &peer.name);
        write!(f, "\nip netns exec {ns} sysctl -w net/ipv6/conf/{name}/disable_ipv6={off}")?;
    }
    Ok(())
}

/// A held port as `tcp 0.0.0.0:80`.
struct Held<'a>(&'a HeldPort);

impl Display for Held<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.transport, SocketAddr::new(self.0.address, self.0.port))
    }
}

fn add_element(f: &mut Formatter<'_>, element: &Element, data: &ElementData) -> fmt::Result {
    write!(f, "nft add element inet hawser {} {{ {element}", element.set().as_str())?;
    if let ElementData::Destination(address, port) = data {
        write!(f, " : {address} . {port}")?;
    }
    f.write_str(" }")
}

impl Display for Element {
    /// The key, as `nft` writes it between the braces.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge(name) | Self::Isolated(name) | Self::Internal(name) => {
                write!(f, "{:?}", name.as_str())
            }
            Self::SameBridge(name) => write!(f, "{0:?} . {0:?}", name.as_str()),
            Self::Masquerade4(net) => net.fmt(f),
            Self::Masquerade6(net) => net.fmt(f),
            Self::Publish4(address, transport, port) => {
                write!(f, "{address} . {transport} . {port}")
            }
            Self::Publish6(address, transport, port) => {
                write!(f, "{address} . {transport} . {port}")
            }
            Self::PublishAny4(transport, port) | Self::PublishAny6(transport, port) => {
                write!(f, "{transport} . {port}")
            }
        }
    }
}
