//! Links between containers that don't reach one another otherwise (`icc=false`): one way, to the
//! ports that the target exposes, over both families, whether bridges lead packets through the host's
//! firewall or not. They follow the target.

use crate::isolation_neighbours::bridges_call;
use crate::isolation_street::{Place, Street};

const LINKED: [&str; 4] =
    ["tcp 10.5.1.2 80", "tcp fd05:1::2 80", "udp 10.5.1.2 54", "udp fd05:1::2 54"];
const NOT_EXPOSED: [&str; 6] = [
    "icmp 10.5.1.2",
    "icmp fd05:1::2",
    "tcp 10.5.1.2 54",
    "udp 10.5.1.2 80",
    "tcp fd05:1::2 81",
    "tcp 10.5.1.2 81",
];

#[test]
fn on_a_network_of_the_users() {
    let Some(street) = Street::new(&[]) else { return };
    let c = street.client();
    for guard in ["true", "false"] {
        let icc = "-o com.docker.network.bridge.enable_icc=false";
        street.network("red", &format!("{icc} -o hawser.source_guard={guard}"));
        let at = "--net red --ip 10.5.1.2 --ip6 fd05:1::2 --expose 80 --expose 54/udp";
        let db = street.run("db", at);
        let _server = db.serve(&["54", "80", "81"]);
        let web = street.run("web", "--net red --link db:store");
        let other = street.run("other", "--net red");
        let _back = web.serve(&["80"]);
        let own = |field: &str| {
            c.inspect("web", &format!("{{{{.NetworkSettings.Networks.red.{field}}}}}"))
        };
        let back =
            [format!("tcp {} 80", own("IPAddress")), format!("icmp {}", own("GlobalIPv6Address"))];
        for switch in ["0", "1"] {
            bridges_call(&street, switch);
            web.reaches_all(&LINKED);
            web.reaches_none(&NOT_EXPOSED);
            other.reaches_none(&[&LINKED[..], &NOT_EXPOSED].concat());
            db.reaches_none(&[&back[0], &back[1]]);
        }
        c.ok("exec web ping -c 1 -W 1 10.5.1.1");
        c.ok("rm -f web other db");
        c.ok("network rm red");
    }
}

/// The target goes, comes back under another address, gets another name; the engine is killed.
#[test]
fn they_follow() {
    let Some(street) = Street::new(&["--icc=false"]) else { return };
    let c = street.client();
    street.run("db", "--expose 80");
    let web = street.run("web", "--link db");
    let ways = || {
        let way = format!("tcp {} 80", c.address("db"));
        (Place::container(&street.host, "db").serve(&["80"]), way)
    };
    let (server, first) = ways();
    web.reaches_all(&[&first]);
    c.ok("stop -t 0 db");
    drop(server);
    // Who has the address now is nobody's business.
    let squatter = street.run("squatter", "--expose 80");
    let _squatting = squatter.serve(&["80"]);
    assert_eq!(format!("tcp {} 80", c.address("squatter")), first);
    web.reaches_none(&[&first]);
    c.ok("start db");
    let (_server, second) = ways();
    assert_ne!(first, second);
    web.reaches_all(&[&second]);
    web.reaches_none(&[&first]);
    squatter.reaches_none(&[&second]);
    c.ok("rename db store");
    street.host.kill_daemon();
    web.reaches_all(&[&second]);
    street.host.start_daemon(&["--icc=false"]);
    web.reaches_all(&[&second]);
    web.reaches_none(&[&first]);
    let links =
        street.inside().sh("nft list set inet hawser links4; nft list set bridge hawser linked4");
    assert_eq!(links.matches("elements").count(), 2, "{links}");
    c.ok("rm -f web");
    let links =
        street.inside().sh("nft list set inet hawser links4; nft list set bridge hawser linked4");
    assert_eq!(links.matches("elements").count(), 0, "{links}");
}
