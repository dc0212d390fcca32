//! Tests of flags and files together: dockerd's names, conflicts, unknown keys.

use std::fs;

use super::*;

/// Reads a command line with a file of that text.
fn with_file(text: &str, flags: &[&str]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("daemon.json");
    fs::write(&path, text).unwrap();
    let mut arguments = vec!["hawserd", "--config-file", path.to_str().unwrap()];
    arguments.extend(flags);
    read(arguments).map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
}

fn flags(flags: &[&str]) -> Config {
    with_file("", flags).unwrap()
}

#[test]
fn flags_are_dockerds() {
    let config = flags(&[
        "-H",
        "unix:///a",
        "--host=tcp://127.0.0.1:1",
        "--data-root",
        "/d",
        "-D",
        "--icc=false",
        "--bip",
        "10.0.0.1/24",
        "--dns=1.1.1.1",
        "--dns",
        "8.8.8.8",
        "--label",
        "a=b",
        "--add-runtime",
        "runc=/usr/sbin/runc",
        "--default-address-pool",
        "base=10.1.0.0/16,size=24",
        "--tlsverify",
        "-l",
        "warn",
        "-p",
        "/pid",
        "-G",
        "adm",
    ]);
    let options = config.options;
    assert_eq!(options.hosts, ["unix:///a", "tcp://127.0.0.1:1"]);
    assert_eq!(options.debug, Some(true));
    assert_eq!(options.icc, Some(false));
    assert_eq!(options.ip_masq, None);
    assert_eq!(options.dns, ["1.1.1.1", "8.8.8.8"]);
    assert_eq!(options.labels, ["a=b"]);
    assert_eq!(options.runtimes[0].0, "runc");
    assert_eq!(options.default_address_pools[0].size, 24);
    assert_eq!(options.tlsverify, Some(true));
    assert_eq!(options.log_level.as_deref(), Some("warn"));
    assert_eq!(options.pidfile.as_deref(), Some(Path::new("/pid")));
    assert_eq!(options.group.as_deref(), Some("adm"));
}

#[test]
fn keys_are_dockerds() {
    let text = r#"{
        "hosts": ["fd://"], "debug": false, "bip": "10.0.0.1/24", "mtu": 1400,
        "default-address-pools": [{"base": "10.1.0.0/16", "size": 24}],
        "runtimes": {"runc": {"path": "runc", "runtimeArgs": ["--debug"]}},
        "dns-opts": ["ndots:1"], "labels": ["a=b"], "host-gateway-ips": "192.0.2.1"
    }"#;
    let options = with_file(text, &["--add-runtime=kata=kata"]).unwrap().options;
    assert_eq!(options.hosts, ["fd://"]);
    assert_eq!(options.mtu, Some(1400));
    assert_eq!(options.default_address_pools[0].base, "10.1.0.0/16");
    let names: Vec<&str> = options.runtimes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["runc", "kata"]);
    assert_eq!(options.runtimes[0].1.runtime_args, ["--debug"]);
    assert_eq!(options.host_gateway_ips, ["192.0.2.1"]);
}

#[test]
fn a_thing_said_twice_is_refused() {
    let error = with_file(r#"{"hosts": ["fd://"]}"#, &["-H", "unix:///a"]).unwrap_err();
    assert_eq!(
        error,
        "unable to configure the hawser daemon with file FILE: the following directives are \
         specified both as a flag and in the configuration file: hosts: (from flag: \
         [\"unix:///a\"], from file: [\"fd://\"])"
    );
    let error = with_file(r#"{"iptables": true}"#, &["--iptables=false"]).unwrap_err();
    assert!(error.contains("both as a flag"), "{error}");
}

#[test]
fn unknown_keys_are_named() {
    let error = with_file(r#"{"nonsense": 1, "debug": true, "more": 2}"#, &[]).unwrap_err();
    assert_eq!(
        error,
        "unable to configure the hawser daemon with file FILE: the following directives don't \
         match any configuration option: nonsense, more"
    );
}

#[test]
fn wrong_values_are_named() {
    let error = with_file(r#"{"mtu": "big"}"#, &[]).unwrap_err();
    assert!(error.contains("invalid value for mtu"), "{error}");
    assert!(with_file("[]", &[]).is_err());
    assert!(with_file("{", &[]).is_err());
    assert!(read(["hawserd", "--config-file", "/nonexistent/daemon.json"]).is_err());
    assert!(read(["hawserd", "--userns-remap", "default"]).is_err());
}

#[test]
fn options_without_meaning_are_accepted() {
    let config = with_file(
        r#"{"log-opts": {"max-size": "10m"}, "live-restore": true}"#,
        &[
            "--iptables=false",
            "--containerd",
            "/run/c.sock",
            "--userland-proxy",
            "--feature",
            "a=b",
        ],
    )
    .unwrap();
    let mut keys: Vec<&str> = config.ignored.iter().map(|option| option.key).collect();
    keys.sort_unstable();
    let wanted =
        ["containerd", "features", "iptables", "live-restore", "log-opts", "userland-proxy"];
    assert_eq!(keys, wanted);
}

#[test]
fn no_option_is_ignored_and_known() {
    for key in keys() {
        assert!(ignored::by_key(&key).is_none(), "{key}");
    }
}
