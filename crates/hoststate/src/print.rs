//! Changes as the `ip`, `bridge`, `sysctl` and `nft` lines that a person would type, for any shell
//! and for the versions of Debian 12 (iproute2 6.1, nft 1.0.6).
//!
//! In: changes, and where each namespace is pinned. Out: lines that do the same when they are run
//! in order, marks of ownership included. What no command does (holding a port) is a `#` comment.
//! `link` and `server` print what is made of several lines.

mod link;
mod server;

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::diff::Change;
use crate::element::{At, Element, ElementData};
use crate::object::{Address, HeldPort, Neighbour, Object, Route, Sysctl};
use crate::words::{IfName, NamespaceName, Ns};

/// The mark of routes, neighbours and addresses of ours ('h'): the protocol, as `ip` writes it.
/// iproute2 writes no protocol of an address before 6.3: there the mark is the metric.
const MARK: u8 = 0x68;

/// The lines that carry changes out, in their order. `pin` gives the file that a namespace is
/// pinned by (its directory must be there; a namespace needs not be known to `ip netns`).
pub fn commands(changes: &[Change], pin: &dyn Fn(&NamespaceName) -> PathBuf) -> Vec<String> {
    let mut printer = Printer { pin, lines: Vec::new() };
    changes.iter().for_each(|change| printer.change(change));
    printer.lines
}

/// Collects lines.
struct Printer<'a> {
    pin: &'a dyn Fn(&NamespaceName) -> PathBuf,
    lines: Vec<String>,
}

impl Printer<'_> {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A line that works in a namespace.
    fn line_in(&mut self, ns: &Ns, line: impl Display) {
        match ns {
            Ns::Host => self.line(line.to_string()),
            Ns::Named(name) => self.line(format!("nsenter --net={} {line}", self.path(name))),
        }
    }

    /// The file that pins a namespace, as a word of a shell.
    fn path(&self, name: &NamespaceName) -> String {
        word_of_path(&(self.pin)(name)).into_owned()
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Add(object) => self.add(object),
            Change::Remove(object) => self.remove(object),
            Change::Replace { old, new } => self.replace(old, new),
        }
    }

    fn add(&mut self, object: &Object) {
        match object {
            Object::Namespace(name) => {
                let path = self.path(name);
                self.line(format!("touch {path}"));
                self.line(format!("unshare --net={path} ip link set lo up"));
            }
            Object::Sysctl(sysctl) => self.set(sysctl),
            Object::Link(link) => self.add_link(link),
            Object::Address(address) => self.add_address(address),
            Object::Neighbour(neighbour) => self.add_neighbour(neighbour),
            Object::Fdb(e) => self.line(format!(
                "bridge fdb replace {} dev {} master static",
                e.mac,
                name(&e.port)
            )),
            Object::Route(route) => {
                self.line_in(&route.ns, format!("{} protocol {MARK}", route_line("add", route)));
            }
            Object::HeldPort(port) => self.line(format!("# hold {}", Held(port))),
            Object::Element(element, data) => self.line(nft(&[add_element(element, *data)])),
            Object::NameServer(server) => self.add_server(server),
        }
    }

    fn remove(&mut self, object: &Object) {
        match object {
            Object::Namespace(name) => {
                let path = self.path(name);
                self.line(format!("umount {path}"));
                self.line(format!("rm {path}"));
            }
            Object::Sysctl(sysctl) => self.line(format!("# leave {}", word(&sysctl.name))),
            Object::Link(link) => self.line(format!("ip link delete {}", name(&link.name))),
            Object::Address(a) => {
                let line = format!("ip address delete {} dev {}", a.address, name(&a.link));
                self.line_in(&a.ns, line);
            }
            Object::Neighbour(n) => {
                let line = format!("ip neighbour delete {} dev {}", n.ip, name(&n.link));
                self.line_in(&n.ns, line);
            }
            Object::Fdb(e) => self.line(format!(
                "bridge fdb delete {} dev {} master static",
                e.mac,
                name(&e.port)
            )),
            Object::Route(route) => self.line_in(&route.ns, route_line("delete", route)),
            Object::HeldPort(port) => self.line(format!("# release {}", Held(port))),
            Object::Element(element, _) => self.line(nft(&[delete_element(element)])),
            Object::NameServer(server) => self.remove_server(server),
        }
    }

    fn replace(&mut self, old: &Object, new: &Object) {
        match (old, new) {
            (Object::Link(old), Object::Link(new)) => self.change_link(old, new),
            (_, Object::Route(route)) => {
                let line = format!("{} protocol {MARK}", route_line("replace", route));
                self.line_in(&route.ns, line);
            }
            // One transaction: there is no moment without either.
            (Object::Element(old, _), Object::Element(new, data)) => {
                self.line(nft(&[delete_element(old), add_element(new, *data)]));
            }
            _ => self.add(new),
        }
    }

    fn set(&mut self, sysctl: &Sysctl) {
        let assignment = format!("{}={}", sysctl.name, sysctl.value);
        self.line_in(&sysctl.ns, format!("sysctl -w {}", word(&assignment)));
    }

    fn add_address(&mut self, address: &Address) {
        let Address { ns, link, address } = address;
        let flag = match address {
            IpNet::V4(net) if net.prefix_len() < 31 => format!(" broadcast {}", net.broadcast()),
            IpNet::V4(_) => String::new(),
            IpNet::V6(_) => " nodad".to_owned(),
        };
        let link = name(link);
        self.line_in(ns, format!("ip address add {address}{flag} dev {link} metric {MARK}"));
    }

    fn add_neighbour(&mut self, neighbour: &Neighbour) {
        let Neighbour { ns, link, ip, mac } = neighbour;
        let line = format!("ip neighbour replace {ip} lladdr {mac} dev {}", name(link));
        self.line_in(ns, format!("{line} nud permanent protocol {MARK}"));
    }
}

fn route_line(verb: &str, route: &Route) -> String {
    let family = if matches!(route.destination, IpNet::V6(_)) { " -6" } else { "" };
    let to = match route.destination.prefix_len() {
        0 => "default".to_owned(),
        _ => route.destination.to_string(),
    };
    let via = route.via.map(|via| format!(" via {via}")).unwrap_or_default();
    format!("ip{family} route {verb} {to}{via} dev {}", name(&route.link))
}

/// A held port as `tcp 0.0.0.0:80`.
struct Held<'a>(&'a HeldPort);

impl Display for Held<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.transport, SocketAddr::new(self.0.address, self.0.port))
    }
}

/// One transaction.
fn nft(statements: &[String]) -> String {
    format!("nft {}", word(&statements.join("; ")))
}

fn add_element(element: &Element, data: ElementData) -> String {
    format!("add element {} {{ {element}{data} }}", place(element))
}

fn delete_element(element: &Element) -> String {
    format!("delete element {} {{ {element} }}", place(element))
}

/// Family, table and set.
fn place(element: &Element) -> String {
    let set = element.set();
    format!("{} hawser {}", set.family().as_str(), set.as_str())
}

fn name(name: &IfName) -> Cow<'_, str> {
    word(name.as_str())
}

/// One word of a shell (POSIX 2.2.2): in quotes unless nothing in it means anything there.
fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=,@+".contains(c);
    match text.is_empty() || !text.chars().all(plain) {
        true => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
        false => Cow::Borrowed(text),
    }
}

fn word_of_path(path: &Path) -> Cow<'_, str> {
    Cow::Owned(word(&path.to_string_lossy()).into_owned())
}

impl Display for Element {
    /// The key, as `nft` writes it between the braces.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge(name)
            | Self::Isolated(name)
            | Self::Internal(name)
            | Self::Guarded(name)
            | Self::Addressed(name)
            | Self::Apart(name) => write!(f, "{}", Quoted(name)),
            Self::Station(name, mac) | Self::Gateway(name, mac) => {
                write!(f, "{} . {mac}", Quoted(name))
            }
            Self::Address4(name, address) => write!(f, "{} . {address}", Quoted(name)),
            Self::Address6(name, address) => write!(f, "{} . {address}", Quoted(name)),
            // A number, for nft.
            Self::Known4(name, mac, ip) => write!(f, "{} . {mac} . {ip}", Quoted(name)),
            Self::Known6(name, mac, ip) => write!(f, "{} . {mac} . {ip}", Quoted(name)),
            Self::Target6(name, address) => {
                write!(f, "{} . {:#034x}", Quoted(name), address.to_bits())
            }
            Self::SameBridge(name) => write!(f, "{0} . {0}", Quoted(name)),
            Self::Unprotected(name, family) | Self::Routed(name, family) => {
                write!(f, "{} . {family}", Quoted(name))
            }
            Self::Trusted(from, to) => write!(f, "{} . {}", Quoted(from), Quoted(to)),
            Self::Masquerade4(net) | Self::Source4(net) => net.fmt(f),
            Self::Masquerade6(net) | Self::Source6(net) => net.fmt(f),
            Self::Open4(address, transport, port)
            | Self::Publish4(address, transport, port)
            | Self::Relayed4(address, transport, port) => {
                write!(f, "{address} . {transport} . {port}")
            }
            Self::Open6(address, transport, port)
            | Self::Publish6(address, transport, port)
            | Self::Relayed6(address, transport, port) => {
                write!(f, "{address} . {transport} . {port}")
            }
            Self::PublishAny4(transport, port) | Self::PublishAny6(transport, port) => {
                write!(f, "{transport} . {port}")
            }
            Self::RelayedAny(family, transport, port) => {
                write!(f, "{family} . {transport} . {port}")
            }
            Self::Restricted(at, transport, port) => write!(f, "{at} . {transport} . {port}"),
            Self::From(At::Every(_), transport, port, net) => {
                write!(f, "{transport} . {port} . {net}")
            }
            Self::From(at, transport, port, net) => {
                write!(f, "{at} . {transport} . {port} . {net}")
            }
            Self::FromLink(link, at, transport, port) => {
                write!(f, "{} . {at} . {transport} . {port}", Quoted(link))
            }
            Self::Link(from, to, transport, port) => {
                write!(f, "{from} . {to} . {transport} . {port}")
            }
            Self::Linked(name, to, transport, port) | Self::Answer(name, to, transport, port) => {
                write!(f, "{} . {to} . {transport} . {port}", Quoted(name))
            }
        }
    }
}

impl Display for At {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => address.fmt(f),
            Self::Every(family) => family.fmt(f),
        }
    }
}

/// A link's name in nft's words, where an asterisk at the end stands for any rest.
struct Quoted<'a>(&'a IfName);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.as_str().strip_suffix('*') {
            Some(rest) => write!(f, r#""{rest}\*""#),
            None => write!(f, r#""{}""#, self.0),
        }
    }
}

impl Display for ElementData {
    /// What stands behind the key: nothing, or ` : ` and the value.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member => Ok(()),
            Self::Source(address) => write!(f, " : {address}"),
            Self::Destination(address, port) => write!(f, " : {address} . {port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_a_shell_is_quoted() {
        assert_eq!(word("net/ipv4/ip_forward=1"), "net/ipv4/ip_forward=1");
        assert_eq!(word("0 2147483647"), "'0 2147483647'");
        assert_eq!(word("$(reboot)'`x`"), r"'$(reboot)'\''`x`'");
        assert_eq!(word(""), "''");
    }
}
