//! What only hawser has: the requests to its own routes, and what is shown of the answers.

use crate::client::Client;

fn seen(line: &str) -> String {
    Client::new(env!("CARGO_BIN_EXE_hawser")).run(line)
}

#[test]
fn a_dry_run_asks_for_the_plan_of_the_same_request() {
    for (line, route) in [
        ("network create --subnet 10.9.0.0/24 -o a=b n", "networks"),
        ("create --network name=n,ip=10.9.0.3 --name c busybox", "containers"),
    ] {
        let real = seen(line);
        let request =
            |seen: &str| seen.lines().find(|line| line.starts_with('>')).unwrap().to_owned();
        let dry = seen(&line.replace("create ", "create --dry-run "));
        let wanted = request(&real)
            .replace(&format!("/v1.50/{route}/create"), &format!("/v1.50/hawser/{route}/plan"));
        assert_eq!(dry, format!("exit 0\n{wanted}\n|ip link add x type bridge\n|ip link set x up"));
    }
    let run = seen("run --dry-run --network n busybox true");
    assert!(run.starts_with("exit 0\n> POST /v1.50/hawser/containers/plan {"), "{run}");
    assert!(run.ends_with("\n|ip link add x type bridge\n|ip link set x up"), "{run}");
    assert_eq!(run.matches('>').count(), 1, "{run}");
}

#[test]
fn a_network_is_updated() {
    assert_eq!(
        seen("network update --label a=b --label-rm c --mtu 1400 --icc false --opt-rm x n"),
        "exit 0\n> POST /v1.50/hawser/networks/n/update {\"Labels\":{\"a\":\"b\",\"c\":null},\
         \"Options\":{\"com.docker.network.bridge.enable_icc\":\"false\",\
         \"com.docker.network.driver.mtu\":\"1400\",\"x\":null}}\n|n"
    );
    assert_eq!(
        seen("network update --dry-run --subnet 10.9.0.0/24 --gateway 10.9.0.9 n"),
        "exit 0\n> POST /v1.50/hawser/networks/n/update?dryRun=1 \
         {\"Subnets\":[{\"Gateway\":\"10.9.0.9\",\"Subnet\":\"10.9.0.0/24\"}]}\n\
         |ip link add x type bridge\n|ip link set x up"
    );
    let nothing = seen("network update n");
    assert!(nothing.starts_with("exit 1\n!hawser: there is nothing to change"), "{nothing}");
    let missing = seen("network update --mtu 1400 nosuch");
    assert!(
        missing.ends_with("!Error response from daemon: network nosuch not found"),
        "{missing}"
    );
}

#[test]
fn a_network_is_renamed() {
    assert_eq!(
        seen("network rename n 'm m'"),
        "exit 0\n> POST /v1.50/hawser/networks/n/rename?name=m m"
    );
    assert_eq!(
        seen("network rename n ''"),
        "exit 1\n!Error: Neither old nor new names may be empty"
    );
}

#[test]
fn what_is_there_is_explained() {
    assert_eq!(
        seen("explain c1"),
        "exit 0\n> GET /v1.50/hawser/explain/c1\n|ip link add x type bridge\n|ip link set x up"
    );
    let missing = seen("explain nosuch");
    assert!(missing.starts_with("exit 1\n> GET"), "{missing}");
}

#[test]
fn a_name_is_asked_for_a_container() {
    let asked = |line: &str| seen(line).lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(asked("dns c1 web"), "> GET /v1.50/hawser/containers/c1/dns?name=web");
    assert_eq!(
        asked("dns --type aaaa c1 web.front"),
        "> GET /v1.50/hawser/containers/c1/dns?name=web.front&type=aaaa"
    );
    let refused = seen("dns '' web");
    assert_eq!(refused, "exit 1\n!invalid container name or ID: value is empty");
}

#[test]
fn another_engine_cannot() {
    assert!(
        seen("explain elsewhere").contains("!the engine at unix:///"),
        "{}",
        seen("explain elsewhere")
    );
}
