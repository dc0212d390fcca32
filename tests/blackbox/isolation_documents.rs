//! The documents below `docs/generated/nftables`: the firewall as it is, scenario by scenario. They
//! are compared with the running rules; `HAWSER_RECORD=1` writes them anew. And the law behind them:
//! whatever runs, the rules are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hawser_testkit::{EngineKind, TestHost};

use crate::isolation_street::port_of;

/// What is done, and what a reader should know of it.
struct Scenario {
    file: &'static str,
    title: &'static str,
    story: &'static str,
    commands: &'static [&'static str],
}

const SCENARIOS: [Scenario; 10] = [
    Scenario {
        file: "published-ports.md",
        title: "Published ports",
        story: "A port on every address of the host is an element of `publish_any4`, one on a certain \
                address of `publish4`; who asks by any of them is led to the container before it is \
                known where the packet goes. The container has no IPv6: what comes for it over IPv6 \
                goes through the daemon's relay, and is marked so that internal networks can't use it.",
        commands: &["run -d --name web --mac-address 02:42:ac:11:00:02 -p 8088:80 \
             -p 127.0.0.1:8090:81 -p 5514:514/udp busybox sleep 1000"],
    },
    Scenario {
        file: "networks.md",
        title: "Networks of a user's own",
        story: "Two bridges with both families. What comes to a container of `red` is let in if it \
                comes from `red`, too: `same_bridge`. The subnets take the host's address to the \
                outside: `masquerade4` and `masquerade6`.",
        commands: &[
            "network create --subnet 10.5.1.0/24 --ipv6 --subnet fd05:1::/64 \
             -o com.docker.network.bridge.name=red0 red",
            "network create --subnet 10.5.2.0/24 --ipv6 --subnet fd05:2::/64 \
             -o com.docker.network.bridge.name=blue0 blue",
            "run -d --name web --net red --ip 10.5.1.2 --ip6 fd05:1::2 \
             --mac-address 02:42:0a:05:01:02 -p 8088:80 busybox sleep 1000",
        ],
    },
    Scenario {
        file: "internal.md",
        title: "An internal network",
        story: "Its bridge is in `internal`: what comes from there goes to `inside`, where only \
                neighbours are let through; nothing from elsewhere gets in. No masquerading, and \
                a port that is published there leads nowhere.",
        commands: &[
            "network create --internal --subnet 10.5.1.0/24 \
             -o com.docker.network.bridge.name=red0 red",
            "run -d --name web --net red --ip 10.5.1.2 --mac-address 02:42:0a:05:01:02 \
             -p 8088:80 busybox sleep 1000",
        ],
    },
    Scenario {
        file: "without-icc.md",
        title: "A network whose containers don't talk",
        story: "`enable_icc=false`: the bridge is in `isolated`, and the containers' ports are in \
                `apart` of the bridge's own table: they send to the host alone (`gateways`).",
        commands: &[
            "network create --subnet 10.5.1.0/24 -o com.docker.network.bridge.name=red0 \
             -o com.docker.network.bridge.enable_icc=false red",
            "run -d --name web --net red --ip 10.5.1.2 --mac-address 02:42:0a:05:01:02 \
             -p 8088:80 busybox sleep 1000",
            "run -d --name other --net red --ip 10.5.1.3 --mac-address 02:42:0a:05:01:03 \
             busybox sleep 1000",
        ],
    },
    Scenario {
        file: "links.md",
        title: "Links where containers don't talk",
        story: "`web` links to `db`, which exposes one port: what `web` sends there passes its port \
                (`linked4`), what `db` sends back its own (`answers4`); where bridges show the host \
                their packets, `links4` lets them pass there. Both know the other's hardware address.",
        commands: &[
            "network create --subnet 10.5.1.0/24 -o com.docker.network.bridge.name=red0 \
             -o com.docker.network.bridge.enable_icc=false red",
            "run -d --name db --net red --ip 10.5.1.2 --mac-address 02:42:0a:05:01:02 \
             --expose 5432 busybox sleep 1000",
            "run -d --name web --net red --ip 10.5.1.3 --mac-address 02:42:0a:05:01:03 \
             --link db busybox sleep 1000",
        ],
    },
    Scenario {
        file: "publish-from.md",
        title: "Who may reach published ports",
        story: "The network lets in one subnet and one link, the container everybody at one of its \
                ports and the host alone at another. Who comes to a port in `restricted…` and is not \
                in `from…` is dropped, before the packet is led anywhere.",
        commands: &[
            "network create --subnet 10.5.1.0/24 -o com.docker.network.bridge.name=red0 \
             -o hawser.publish_from=10.99.0.0/24,iface:wan0 red",
            "run -d --name web --net red --ip 10.5.1.2 --mac-address 02:42:0a:05:01:02 \
             --label hawser.publish_from.81/tcp=local --label hawser.publish_from.82/tcp=any \
             -p 0.0.0.0:8088:80 -p 10.5.1.1:8089:80 -p 0.0.0.0:8090:81 -p 0.0.0.0:8091:82 \
             busybox sleep 1000",
        ],
    },
    Scenario {
        file: "routed.md",
        title: "A network without address translation",
        story: "`gateway_mode=routed`: containers are reached at their own addresses, by ping and at \
                the ports that are published: `open4`, `open6`. The host has no port for them.",
        commands: &[
            "network create --subnet 10.5.1.0/24 --ipv6 --subnet fd05:1::/64 \
             -o com.docker.network.bridge.name=red0 \
             -o com.docker.network.bridge.gateway_mode_ipv4=routed \
             -o com.docker.network.bridge.gateway_mode_ipv6=routed red",
            "run -d --name web --net red --ip 10.5.1.2 --ip6 fd05:1::2 \
             --mac-address 02:42:0a:05:01:02 -p 8088:80 busybox sleep 1000",
        ],
    },
    Scenario {
        file: "unprotected.md",
        title: "A network that is open to the outside, and one that is to trusted links",
        story: "`nat-unprotected`: every port is reached at the container's own address. With \
                `trusted_host_interfaces` the published ones are, by those links.",
        commands: &[
            "network create --subnet 10.5.1.0/24 -o com.docker.network.bridge.name=red0 \
             -o com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected red",
            "network create --subnet 10.5.2.0/24 -o com.docker.network.bridge.name=blue0 \
             -o com.docker.network.bridge.trusted_host_interfaces=wan0 blue",
            "run -d --name web --net blue --ip 10.5.2.2 --mac-address 02:42:0a:05:02:02 \
             -p 8088:80 busybox sleep 1000",
        ],
    },
    Scenario {
        file: "source-addresses.md",
        title: "The address that the outside sees",
        story: "A certain address of the host's (`host_ipv4`), and the containers' own \
                (`enable_ip_masquerade=false`).",
        commands: &[
            "network create --subnet 10.5.1.0/24 -o com.docker.network.bridge.name=red0 \
             -o com.docker.network.host_ipv4=10.99.0.22 red",
            "network create --subnet 10.5.2.0/24 -o com.docker.network.bridge.name=blue0 \
             -o com.docker.network.bridge.enable_ip_masquerade=false blue",
        ],
    },
    Scenario {
        file: "source-guard.md",
        title: "What a container may send",
        story: "The port of each container is in `guarded`, and what it may send as is listed with \
                the port's name. With `hawser.source_guard=false` the port is in none of them.",
        commands: &[
            "network create --subnet 10.5.1.0/24 --ipv6 --subnet fd05:1::/64 \
             -o com.docker.network.bridge.name=red0 red",
            "network create --subnet 10.5.2.0/24 -o com.docker.network.bridge.name=blue0 \
             -o hawser.source_guard=false blue",
            "run -d --name web --net red --ip 10.5.1.2 --ip6 fd05:1::2 \
             --mac-address 02:42:0a:05:01:02 busybox sleep 1000",
            "run -d --name router --net blue --ip 10.5.2.2 --mac-address 02:42:0a:05:02:02 \
             busybox sleep 1000",
        ],
    },
];

const RULES: &str = "rules.md";

/// A table in words: its chains as they are, its sets with their elements in order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: String,
    chains: String,
    sets: BTreeMap<String, Set>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    /// Type and flags, a line each.
    form: Vec<String>,
    elements: BTreeSet<String>,
}

impl Table {
    fn read(host: &TestHost, name: &str, names: &BTreeMap<String, String>) -> Table {
        let text = host.sh(&format!("nft list table {name}")).ok().stdout;
        let mut table =
            Table { name: name.to_owned(), chains: String::new(), sets: BTreeMap::new() };
        for block in text.split("\n\t}").filter_map(|block| block.split_once(" {\n\t\t")) {
            let (head, body) = (block.0.lines().last().unwrap_or_default().trim(), block.1);
            match head.strip_prefix("chain ") {
                Some(_) if table.chains.is_empty() => {
                    table.chains = format!("\t{head} {{\n\t\t{body}\n\t}}\n")
                }
                Some(_) => table.chains += &format!("\n\t{head} {{\n\t\t{body}\n\t}}\n"),
                None => drop(table.sets.insert(head.to_owned(), Set::read(body, names))),
            }
        }
        table
    }

    fn filled(&self) -> impl Iterator<Item = (&String, &Set)> {
        self.sets.iter().filter(|(_, set)| !set.elements.is_empty())
    }

    /// As nft would write what of it is not empty.
    fn elements(&self) -> String {
        let sets = self.filled().map(|(name, set)| {
            let form: String = set.form.iter().map(|line| format!("\t\t{line}\n")).collect();
            let elements: Vec<&str> = set.elements.iter().map(String::as_str).collect();
            let elements = elements.join(",\n\t\t\t     ");
            format!("\t{name} {{\n{form}\t\telements = {{ {elements} }}\n\t}}\n")
        });
        format!("table {} {{\n{}}}\n", self.name, sets.collect::<Vec<_>>().join("\n"))
    }
}

impl Set {
    fn read(body: &str, names: &BTreeMap<String, String>) -> Set {
        let (form, elements) = body.split_once("elements = {").unwrap_or((body, ""));
        let elements = elements.trim().trim_end_matches('}').split(',').map(str::trim);
        let known = |element: &str| {
            names.iter().fold(element.to_owned(), |text, (name, known)| text.replace(name, known))
        };
        Set {
            form: form
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|l| !l.is_empty())
                .collect(),
            elements: elements.filter(|element| !element.is_empty()).map(known).collect(),
        }
    }
}

/// What is drawn by lot, and a name for it: ports of containers, and hardware addresses of bridges.
fn names(host: &TestHost) -> BTreeMap<String, String> {
    let c = host.docker();
    let links = host.sh("ip -o link").ok().stdout;
    let mut names = BTreeMap::new();
    for name in c.ok("ps --format '{{.Names}}'").lines() {
        names.insert(port_of(host, name), format!("port of {name}"));
    }
    for line in links.lines().filter(|line| line.contains("alias hawser network ")) {
        let bridge = line.split(": ").nth(1).unwrap();
        let mac = line.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap();
        names.insert(mac.to_owned(), format!("<address of {bridge}>"));
    }
    names
}

fn tables(host: &TestHost) -> [Table; 2] {
    let names = names(host);
    ["inet hawser", "bridge hawser"].map(|table| Table::read(host, table, &names))
}

fn chains(tables: &[Table; 2]) -> [&str; 2] {
    [&tables[0].chains, &tables[1].chains]
}

/// All rules, and the sets by their forms.
fn rules(tables: &[Table; 2]) -> String {
    let mut text = "<!-- Written by a test (tests/blackbox/isolation_documents.rs): do not edit. -->\n\n\
                    # The rules\n\n\
                    These are all rules there ever are, whatever runs: `nft list table inet hawser` and\n\
                    `nft list table bridge hawser`. What varies is in sets and maps, which the other pages\n\
                    show. The sources, with the reasons: `crates/plan/src/hawser.nft`, `hawser-bridge.nft`.\n"
        .to_owned();
    for table in tables {
        let form =
            |(name, set): (&String, &Set)| format!("| `{name}` | `{}` |\n", set.form.join("; "));
        let sets: String = table.sets.iter().map(form).collect();
        text += &format!(
            "\n## table {}\n\n| | |\n| --- | --- |\n{sets}\n```nft\ntable {} {{\n{}}}\n```\n",
            table.name, table.name, table.chains
        );
    }
    text
}

fn page(scenario: &Scenario, tables: &[Table; 2]) -> String {
    let commands: String =
        scenario.commands.iter().map(|line| format!("    hawser {line}\n")).collect();
    let elements: Vec<String> = tables
        .iter()
        .filter(|table| table.filled().next().is_some())
        .map(|table| format!("```nft\n{}```\n", table.elements()))
        .collect();
    format!(
        "<!-- Written by a test (tests/blackbox/isolation_documents.rs): do not edit. -->\n\n\
         # {}\n\n{}\n\n{commands}\n\
         The rules are [those of always](rules.md); the sets that have elements, the default network's \
         among them:\n\n{}",
        scenario.title,
        scenario.story,
        elements.join("\n")
    )
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/generated/nftables")
}

/// Compares a page with what it is, or writes it.
#[track_caller]
fn hold(file: &str, text: &str) {
    let path = directory().join(file);
    if std::env::var_os("HAWSER_RECORD").is_some() {
        std::fs::create_dir_all(directory()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "{} is not what runs: HAWSER_RECORD=1 renews it; read the difference. Now:\n{text}",
        path.display()
    );
}

#[test]
fn documents_are_what_runs() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let c = host.docker();
    let nothing = tables(&host);
    hold(RULES, &rules(&nothing));
    for scenario in &SCENARIOS {
        for command in scenario.commands {
            c.ok(command);
        }
        let now = tables(&host);
        assert_eq!(chains(&now), chains(&nothing), "{}", scenario.title);
        assert_ne!(now, nothing, "{}", scenario.title);
        hold(scenario.file, &page(scenario, &now));
        c.ok("ps -aq | xargs -r docker rm -f; docker network prune -f");
        assert_eq!(tables(&host), nothing, "{}: something stayed", scenario.title);
    }
    let mut files: BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.file).collect();
    files.insert(RULES);
    let there = std::fs::read_dir(directory()).unwrap();
    let there: BTreeSet<String> =
        there.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(there.iter().eq(files), "{there:?}");
}

/// One port and a thousand are the same rules; so are one network, one container and some more.
#[test]
fn rules_do_not_grow() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let c = host.docker();
    c.ok("run -d --name one -p 8088:80 busybox sleep 1000");
    let one = tables(&host);
    c.ok("run -d --name thousand -p 20000-20999:20000-20999 busybox sleep 1000");
    for n in 0..5 {
        c.ok(&format!("network create --internal n{n}"));
        c.ok(&format!("run -d --net n{n} --name c{n} busybox sleep 1000"));
    }
    let many = tables(&host);
    assert_eq!(chains(&many), chains(&one));
    let published = many[0].sets["map publish_any4"].elements.len();
    assert_eq!((published, one[0].sets["map publish_any4"].elements.len()), (1001, 1));
    let handles = |table: &str| {
        host.sh(&format!("nft -a list table {table}")).ok().stdout.matches(" # handle ").count()
    };
    let before = handles("inet hawser") + handles("bridge hawser");
    c.ok("rm -f thousand");
    assert_eq!(handles("inet hawser") + handles("bridge hawser"), before);
}
