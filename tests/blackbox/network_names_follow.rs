//! Section 3: names are there from the first moment to the last, whatever becomes of the daemon, and
//! those that Compose gives.

use std::collections::BTreeSet;

use hawser_testkit::{EngineKind, TestHost};
use serde_json::json;

use crate::name_server::{resolve, resolves};

/// The first process of a container knows its own name and its neighbours'; the last one of another
/// takes its name along.
#[test]
fn from_the_first_process_to_the_last() {
    let host = TestHost::running();
    let c = host.docker();
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -d --name c1 --net net1 busybox sleep 1d");
    for _ in 0..5 {
        let said = c.ok("run --rm --name me --net net1 --network-alias also busybox \
                         sh -c 'nslookup me. && nslookup also. && nslookup c1.'");
        assert_eq!(said.matches("10.5.0.3").count(), 2, "{said}");
        assert!(said.contains("10.5.0.2"), "{said}");
        resolves(&c, "c1", "me.", &[]);
    }
    // The address is the next one's, under its own name alone.
    c.ok("run -d --name first --net net1 busybox sleep 1d");
    resolves(&c, "c1", "first.", &["10.5.0.3"]);
    c.ok("rm -f first");
    c.ok("run -d --name second --net net1 busybox sleep 1d");
    resolves(&c, "c1", "second.", &["10.5.0.3"]);
    resolves(&c, "c1", "first.", &[]);
}

/// After any end of the daemon all names are answered when it is ready, and a question that was asked
/// meanwhile gets its answer, too. Nothing has changed in the containers.
#[test]
fn whatever_becomes_of_the_daemon() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // Its name servers answer some time after the daemon does.
    }
    let c = host.docker();
    let names: Vec<String> = (1..=15).map(|n| format!("c{n}")).collect();
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("network create --subnet 10.6.0.0/24 net2");
    for (n, name) in names.iter().enumerate() {
        let net = n % 2 + 1;
        c.ok(&format!("run -d --name {name} --net net{net} --network-alias all busybox sleep 1d"));
    }
    let see = || -> Vec<(BTreeSet<String>, String)> {
        let asked = |name: &String| {
            let all = resolve(&c, name, "all").into_iter().collect();
            (all, c.ok(&format!("exec {name} cat /etc/resolv.conf /etc/hosts")))
        };
        names.iter().map(asked).collect()
    };
    let before = see();
    assert_eq!((before[0].0.len(), before[1].0.len()), (8, 7));
    for end in [TestHost::kill_daemon, TestHost::stop_daemon, TestHost::kill_daemon] {
        end(&host);
        // Each into a file of its own: they write at the same time.
        let ask = "for ns in /run/hawser/netns/*; do \
                       nsenter --net=$ns busybox nslookup all. 127.0.0.11 >/run/asked.${ns##*/} & \
                   done; until [ \"$(pgrep -xc busybox)\" = 15 ]; do sleep 0.01; done; \
                   echo asked; wait; cat /run/asked.*";
        let asked = host.spawn(["sh", "-c", ask]);
        asked.expect("asked");
        host.start_again();
        assert_eq!(see(), before);
        let answers = asked.finish();
        let count = answers.stdout.matches("Address: 10.").count();
        assert_eq!(count, 8 * 8 + 7 * 7, "{answers}");
    }
}

/// What Compose sends for a service: its name and the container's as aliases, and labels. Several
/// containers are one service; what is made anew takes the place of the old one.
#[test]
fn services_of_compose() {
    let host = TestHost::running();
    let (c, http) = (host.docker(), host.http());
    let labels =
        json!({"com.docker.compose.network": "default", "com.docker.compose.project": "app"});
    let network = json!({"Name": "app_default", "Labels": labels, "Attachable": true,
                         "Driver": "bridge", "CheckDuplicate": true});
    assert_eq!(http.post("/networks/create", &network).status, 201);
    let up = |service: &str, number: u8| {
        let name = format!("app-{service}-{number}");
        let body = json!({
            "Image": "busybox", "Cmd": ["sleep", "1d"],
            "Labels": {"com.docker.compose.project": "app", "com.docker.compose.service": service,
                       "com.docker.compose.container-number": number.to_string()},
            "HostConfig": {"NetworkMode": "app_default"},
            "NetworkingConfig": {"EndpointsConfig": {"app_default": {
                "Aliases": [name, service], "IPAMConfig": {}, "Links": null, "DriverOpts": null}}},
        });
        assert_eq!(http.post(&format!("/containers/create?name={name}"), &body).status, 201);
        c.ok(&format!("start {name}"));
        c.address(&name)
    };
    let db = up("db", 1);
    let web = [up("web", 1), up("web", 2)];
    resolves(&c, "app-web-1", "db", &[&db]);
    resolves(&c, "app-web-1", "db.app_default", &[&db]);
    let mut found = resolve(&c, "app-db-1", "web");
    found.sort();
    assert_eq!(found, web);
    // Scaled down, and made anew: another container of the same name.
    c.ok("rm -f app-web-1");
    resolves(&c, "app-db-1", "web", &[&web[1]]);
    c.ok("rm -f app-db-1");
    resolves(&c, "app-web-2", "db", &[]);
    let db = up("db", 1);
    resolves(&c, "app-web-2", "db", &[&db]);
    resolves(&c, "app-web-2", "app-db-1", &[&db]);
    // What Compose makes before it takes the old one away has a name of its own until then.
    let new = up("web", 3);
    c.ok("rm -f app-web-2");
    c.ok("rename app-web-3 app-web-2");
    resolves(&c, "app-db-1", "web", &[&new]);
    resolves(&c, "app-db-1", "app-web-2", &[&new]);
}
