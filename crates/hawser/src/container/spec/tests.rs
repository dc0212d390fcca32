//! What the flags of `run` come to.

use clap::Parser;
use serde_json::json;

use super::*;
use crate::cli;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    options: ContainerOptions,
}

fn spec(flags: &[&str]) -> Result<Spec, Invalid> {
    use clap::{CommandFactory, FromArgMatches};
    let command = cli::dress(Flags::command());
    let matches = command.try_get_matches_from([&["run"], flags].concat()).unwrap();
    Spec::new(&Flags::from_arg_matches(&matches).unwrap().options)
}

fn error(flags: &[&str]) -> String {
    spec(flags).unwrap_err().to_string()
}

#[test]
fn flags_end_at_the_image() {
    let spec = spec(&["-it", "-e", "A=-b", "busybox", "ls", "-la", "--rm", "--"]).unwrap();
    assert_eq!(spec.image(), "busybox");
    assert_eq!(spec.config["Cmd"], json!(["ls", "-la", "--rm", "--"]));
    assert_eq!(spec.config["Env"], json!(["A=-b"]));
    assert!(spec.is_set("Tty") && spec.is_set("OpenStdin") && spec.is_set("StdinOnce"));
    assert_eq!(spec.host["AutoRemove"], false);
}

#[test]
fn booleans_take_values() {
    let spec = spec(&["--rm=false", "-t=true", "--init=false", "-P", "busybox"]).unwrap();
    assert_eq!(spec.host["AutoRemove"], false);
    assert_eq!(spec.host["Init"], false);
    assert_eq!(spec.host["PublishAllPorts"], true);
    assert!(spec.is_set("Tty"));
}

#[test]
fn who_reaches_ports_is_a_label() {
    let from = ["--publish-from", "10.0.0.0/8,iface:a=b", "--publish-from", "53/udp=local"];
    let spec = spec(&[&["-p", "80", "-l", "a=b"], &from[..], &["busybox"]].concat()).unwrap();
    let labels = json!({
        "a": "b",
        "hawser.publish_from": "10.0.0.0/8,iface:a=b",
        "hawser.publish_from.53/udp": "local",
    });
    assert_eq!(spec.config["Labels"], labels);
}

#[test]
fn ports_and_networks() {
    let spec = spec(&[
        "-p8080:80",
        "-p",
        "81",
        "--expose",
        "90/udp",
        "--net",
        "n1",
        "--ip",
        "10.0.0.2",
        "--net-alias",
        "a",
        "--network",
        "name=n2,ip=10.1.0.2",
        "--link",
        "x:y",
        "busybox",
    ])
    .unwrap();
    assert_eq!(spec.config["ExposedPorts"], json!({"80/tcp": {}, "81/tcp": {}, "90/udp": {}}));
    assert_eq!(
        spec.host["PortBindings"],
        json!({"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/tcp": [{"HostIp": "", "HostPort": ""}]})
    );
    assert_eq!(spec.host["NetworkMode"], "n1");
    assert_eq!(
        spec.endpoints,
        json!({
            "n1": {"IPAMConfig": {"IPv4Address": "10.0.0.2"}, "Links": ["x:y"], "Aliases": ["a"]},
            "n2": {"IPAMConfig": {"IPv4Address": "10.1.0.2"}}
        })
    );
    assert_eq!(spec.host["Links"], json!(["x:y"]));
}

#[test]
fn what_does_not_go_together() {
    assert_eq!(
        error(&["--rm", "--restart", "always", "b"]),
        "conflicting options: cannot specify both --restart and --rm"
    );
    assert_eq!(
        error(&["--network-alias", "x", "b"]),
        "network-scoped aliases are only supported for user-defined networks"
    );
    assert_eq!(
        error(&["--net", "a", "--net", "host", "b"]),
        "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
    );
    assert_eq!(
        error(&["--health-cmd", "a", "--no-healthcheck", "b"]),
        "--no-healthcheck conflicts with --health-* options"
    );
    assert_eq!(error(&["--mac-address", "foo", "b"]), "foo is not a valid mac address");
    assert_eq!(error(&["-p", "foo", "b"]), "invalid containerPort: foo");
}

#[test]
fn storage_and_limits() {
    let spec = spec(&[
        "-v",
        "/a:/b:ro",
        "-v",
        "/data",
        "--tmpfs",
        "/run:size=1m",
        "-m",
        "512m",
        "--cpus",
        "1.5",
        "--memory-swap",
        "-1",
        "--entrypoint",
        "",
        "--stop-timeout",
        "3",
        "busybox",
    ])
    .unwrap();
    assert_eq!(spec.host["Binds"], json!(["/a:/b:ro"]));
    assert_eq!(spec.config["Volumes"], json!({"/data": {}}));
    assert_eq!(spec.host["Tmpfs"], json!({"/run": "size=1m"}));
    assert_eq!(spec.host["Memory"], 512 << 20);
    assert_eq!(spec.host["NanoCpus"], 1_500_000_000);
    assert_eq!(spec.host["MemorySwap"], -1);
    assert_eq!(spec.config["Entrypoint"], json!([""]));
    assert_eq!(spec.config["StopTimeout"], 3);
    assert_eq!(spec.config["Healthcheck"], Value::Null);
}
