//! Networks get other names while containers are on them.

use std::sync::atomic::{AtomicBool, Ordering};

use hawser_testkit::{Cli, Response};
use serde_json::{Value, json};

use super::{ECHO, Talk, events, host, post, send};
use crate::seen::{get, serve};

#[test]
fn a_network_gets_another_name() {
    let host = host();
    let c = host.client(Cli::Docker);
    let id = c.ok("network create --subnet 10.5.0.0/24 before");
    c.ok(&format!("run -d --name server --net before --network-alias db busybox {ECHO}"));
    c.ok("run -d --name gone --net before --ip 10.5.0.9 busybox sleep 1000");
    c.ok("stop -t 0 gone");
    c.ok("create --name fresh --net bridge busybox sleep 1000");
    c.ok("network connect --alias late before fresh");
    let talk = Talk::start(host.client(Cli::Docker), "talk", "before", "server.before");
    let events = events(&host, "-f type=network --format '{{.Action}} {{json .Actor.Attributes}}'");
    let answer = post(&host, "/hawser/networks/before/rename?name=after", &Value::Null);
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    events.expect(r#"rename {"name":"after","oldName":"before","type":"bridge"}"#);

    talk.goes_on();
    assert_eq!(c.ok("network inspect -f '{{.Id}} {{.Name}}' after"), format!("{id} after"));
    c.fails("network inspect before", 1, "network before not found");
    // Names inside follow at once.
    let looked_up = |name: &str| c.run(&format!("exec talk nslookup {name}")).status == 0;
    assert!(looked_up("server.after") && looked_up("db.after") && looked_up("server"));
    assert!(!looked_up("server.before"));
    // Records follow: of those who run, who have run, and who never did.
    let asked = |name: &str| {
        let template = "{{.HostConfig.NetworkMode}}{{range $n, $_ := .NetworkSettings.Networks}} {{$n}}{{end}}";
        c.inspect(name, template)
    };
    for (name, wanted) in
        [("server", "after after"), ("gone", "after after"), ("fresh", "bridge after bridge")]
    {
        assert_eq!(asked(name), wanted);
    }
    // The old name is free, and another network's business.
    c.ok("network create --subnet 10.6.0.0/24 before");
    host.kill_daemon();
    host.start_again();
    talk.goes_on();
    c.ok("start gone fresh");
    assert_eq!(c.address("gone"), "10.5.0.9");
    c.ok("exec talk ping -c 1 -W 2 late");
    c.ok("exec fresh ping -c 1 -W 2 server.after");
    c.ok("restart -t 0 server");
    assert_eq!(
        c.inspect("server", "{{json .NetworkSettings.Networks.after.Aliases}}"),
        r#"["db"]"#
    );
    c.ok("network disconnect after fresh");
    c.ok("rm -f server gone fresh talk");
    c.ok("network rm after before");
}

/// Which network leads to the outside follows from the names.
#[test]
fn the_way_out_moves_with_a_name() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 alpha");
    c.ok("network create --subnet 10.6.0.0/24 beta");
    c.ok("run -d --name c1 --network alpha --network beta -p 8088:80 busybox sleep 1000");
    serve(&c, "c1", 80);
    let way_out = || c.ok("exec c1 ip route show default");
    assert!(way_out().contains("via 10.5.0.1"), "{}", way_out());
    assert_eq!(post(&host, "/hawser/networks/alpha/rename?name=gamma", &Value::Null).status, 204);
    assert!(way_out().contains("via 10.6.0.1"), "{}", way_out());
    get(&host, "127.0.0.1:8088").ok();
    c.ok("restart -t 0 c1");
    assert!(way_out().contains("via 10.6.0.1"), "{}", way_out());
}

/// Whoever starts, stops, joins or leaves while a network gets other names finds it, and is found on it.
#[test]
fn names_change_while_everything_else_does() {
    let host = host();
    let c = host.client(Cli::Docker);
    let id = c.ok("network create --subnet 10.5.0.0/24 n0");
    c.ok("run -d --name c0 --net n0 busybox sleep 1000");
    c.ok("create --name c1 --net n0 busybox sleep 1000");
    c.ok("run -d --name c2 busybox sleep 1000");
    c.ok("create --name c3 busybox sleep 1000");
    let http = host.http();
    let done = AtomicBool::new(false);
    let over = || done.load(Ordering::Relaxed);
    let done_well = |answer: &Response, what: &str| {
        assert!(answer.status < 300, "{what}: {} {}", answer.status, answer.text());
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over() {
                for verb in ["start", "stop?t=0"] {
                    let answer = send(&http, &format!("/containers/c1/{verb}"), &Value::Null);
                    done_well(&answer, verb);
                }
            }
        });
        for name in ["c2", "c3"] {
            let (id, over, done_well, http) = (&id, &over, &done_well, &http);
            scope.spawn(move || {
                let body = json!({"Container": name});
                while !over() {
                    for verb in ["connect", "disconnect"] {
                        let answer = send(http, &format!("/networks/{id}/{verb}"), &body);
                        done_well(&answer, verb);
                    }
                }
            });
        }
        for i in 1..=40 {
            let path = format!("/hawser/networks/{id}/rename?name=n{i}");
            done_well(&post(&host, &path, &Value::Null), "rename");
        }
        done.store(true, Ordering::Relaxed);
    });
    let names = |container: &str| {
        c.inspect(container, "{{range $n, $_ := .NetworkSettings.Networks}}{{$n}} {{end}}")
    };
    for (container, wanted) in [("c0", "n40"), ("c1", "n40"), ("c2", "bridge"), ("c3", "bridge")] {
        assert_eq!(names(container), wanted);
    }
    c.ok("start c1");
    c.ok("exec c1 ping -c 1 -W 2 c0.n40");
}

#[test]
fn names_with_slashes_are_names_here_too() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create a/b");
    assert_eq!(post(&host, "/hawser/networks/a/b/rename?name=c/d", &Value::Null).status, 204);
    let labels = json!({"Labels": {"x": "y"}});
    assert_eq!(post(&host, "/v1.43/hawser/networks/c/d/update", &labels).status, 200);
    assert_eq!(c.ok("network ls -q -f label=x=y").lines().count(), 1);
    assert_eq!(host.http().get("/hawser/explain/c/d").json()["Name"], "c/d");
    assert_eq!(host.http().get("/hawser/explain/nosuch").status, 404);
}
