//! What endpoints may ask for, what is kept for whom, and how full a network is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use hawser_model::{EndpointSpec, Interface, Kind, Model, NetworkSpec, PoolSpec, SandboxSpec};

use super::{address, around, endpoint, model, net, pool, refused, sandbox, spec};

fn interface(model: &Model, s: u8, n: u8) -> Interface {
    model.endpoint_between(sandbox(s), net(n)).unwrap().interface.clone().unwrap()
}

fn driver_opts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let key = |key: &str| format!("com.docker.network.endpoint.{key}");
    pairs.iter().map(|(name, value)| (key(name), (*value).to_owned())).collect()
}

#[test]
fn link_local_addresses() {
    let mut model = model();
    let asking = |s, n, ips: &[&str]| EndpointSpec {
        link_local: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        ..endpoint(s, n)
    };
    let ips = ["fe80::7", "169.254.7.7", "169.254.7.7"];
    model.connect(asking(1, 1, &ips)).unwrap();
    let text: Vec<_> =
        interface(&model, 1, 1).link_local.iter().map(|net| net.to_string()).collect();
    assert_eq!(text, ["169.254.7.7/16", "fe80::7/64"]);

    let got = refused(model.connect(asking(2, 1, &["169.254.7.7"])));
    assert_eq!(got, (Kind::Forbidden, "Address already in use".to_owned()));
    for odd in ["10.0.0.1", "fd00::1", "ff02::1"] {
        let text = format!("invalid link local IP address: {odd}");
        assert_eq!(refused(model.connect(asking(2, 4, &[odd]))), (Kind::Invalid, text));
    }
    let text = "invalid endpoint settings:\n\
                * invalid link-local IP address: 0.0.0.0\n* invalid link-local IP address: ::";
    let got = refused(model.connect(asking(2, 4, &["0.0.0.0", "::"])));
    assert_eq!(got, (Kind::Invalid, text.to_owned()));
    model.disconnect(sandbox(1), net(1)).unwrap();
    model.connect(asking(2, 1, &["169.254.7.7"])).unwrap();
}

#[test]
fn settings_of_an_interface() {
    let mut model = model();
    let list = "net.ipv6.conf.IFNAME.accept_ra=2,net.ipv4.conf.ifname.forwarding=1";
    let opts = driver_opts(&[("sysctls", list), ("ifname", "lan.0")]);
    model.connect(EndpointSpec { driver_opts: opts, ..endpoint(1, 4) }).unwrap();
    let got = interface(&model, 1, 4);
    assert_eq!(got.name.as_str(), "lan.0");
    let wanted = [
        ("net.ipv4.conf.lan/0.forwarding".to_owned(), "1".to_owned()),
        ("net.ipv6.conf.lan/0.accept_ra".to_owned(), "2".to_owned()),
    ];
    assert_eq!(got.sysctls, wanted.into());

    let opts = driver_opts(&[("sysctls", "net.ipv6.conf.eth0.accept_ra=2,x")]);
    let text = "invalid endpoint settings:\n\
        * unrecognised network interface sysctl 'net.ipv6.conf.eth0.accept_ra=2'; represent \
        'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'\n\
        * unrecognised network interface sysctl 'x'; represent \
        'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'";
    let got = refused(model.connect(EndpointSpec { driver_opts: opts, ..endpoint(2, 4) }));
    assert_eq!(got, (Kind::Invalid, text.to_owned()));
}

#[test]
fn names_of_interfaces() {
    let mut model = model();
    let named =
        |name| EndpointSpec { driver_opts: driver_opts(&[("ifname", name)]), ..endpoint(1, 4) };
    for bad in ["lo", "", "a/b", "sixteen-letters-"] {
        let (kind, text) = refused(model.connect(named(bad)));
        let start = format!("failed to parse com.docker.network.endpoint.ifname value: {bad} (");
        assert!(kind == Kind::Invalid && text.starts_with(&start), "{text}");
    }
    model.connect(named("eth0")).unwrap();
    model.connect(endpoint(1, 1)).unwrap();
    assert_eq!(interface(&model, 1, 1).name.as_str(), "eth1");
    let again = EndpointSpec { network: net(5), ..named("eth1") };
    let again = EndpointSpec { id: hawser_model::EndpointId::from_bytes([9; 32]), ..again };
    model.create_network(spec(5, "next"), &around()).unwrap();
    let text = "failed to parse com.docker.network.endpoint.ifname value: eth1 \
                (another interface has it)";
    assert_eq!(refused(model.connect(again)), (Kind::Invalid, text.to_owned()));
}

#[test]
fn hardware_addresses() {
    let mut model = model();
    let with = |s, mac: &str| EndpointSpec { mac: Some(mac.parse().unwrap()), ..endpoint(s, 4) };
    model.connect(with(1, "02:00:00:00:00:01")).unwrap();
    let text = "MAC address 02:00:00:00:00:01 is already in use on network lab";
    let got = refused(model.connect(with(2, "02:00:00:00:00:01")));
    assert_eq!(got, (Kind::Conflict, text.to_owned()));
    for odd in ["01:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"] {
        assert_eq!(refused(model.connect(with(2, odd))).0, Kind::Invalid);
    }
    model.disconnect(sandbox(1), net(4)).unwrap();
    model.connect(with(2, "02:00:00:00:00:01")).unwrap();
}

#[test]
fn what_is_kept_is_given_to_who_asks_for_it() {
    let mut model = model();
    let lab = "lab".parse().unwrap();
    let kept = |ips: &[u8]| -> BTreeSet<IpAddr> {
        ips.iter().map(|ip| IpAddr::from([192, 168, 31, *ip])).collect()
    };
    model.reserve(sandbox(9), &lab, kept(&[2, 3]));
    model.connect(endpoint(1, 4)).unwrap();
    assert_eq!(address(&model, 1, 4), IpAddr::from([192, 168, 31, 4]));
    let asked = EndpointSpec { ipv4: Some(Ipv4Addr::new(192, 168, 31, 2)), ..endpoint(2, 4) };
    model.connect(asked).unwrap();

    // The other one is free again; the first is leased and stays so.
    model.reserve(sandbox(9), &lab, kept(&[2]));
    model.create_sandbox(SandboxSpec::new(sandbox(3), "c3")).unwrap();
    model.connect(endpoint(3, 4)).unwrap();
    assert_eq!(address(&model, 3, 4), IpAddr::from([192, 168, 31, 3]));
    model.disconnect(sandbox(2), net(4)).unwrap();
    model.connect(endpoint(2, 4)).unwrap();
    assert_eq!(address(&model, 2, 4), IpAddr::from([192, 168, 31, 5]));
    model.reserve(sandbox(8), &lab, kept(&[2]));
    model.end_reservations(sandbox(9));
    model.create_sandbox(SandboxSpec::new(sandbox(4), "c4")).unwrap();
    model.connect(endpoint(4, 4)).unwrap();
    assert_eq!(address(&model, 4, 4), IpAddr::from([192, 168, 31, 6]));
    model.end_reservations(sandbox(8));
    model.disconnect(sandbox(4), net(4)).unwrap();
    model.connect(endpoint(4, 4)).unwrap();
    assert_eq!(address(&model, 4, 4), IpAddr::from([192, 168, 31, 2]));
}

#[test]
fn what_is_in_use_is_not_free_when_it_is_kept_no_longer() {
    let mut model = model();
    let kept = BTreeSet::from([IpAddr::from([192, 168, 31, 2])]);
    model.reserve(sandbox(1), &"lab".parse().unwrap(), kept);
    let asked = EndpointSpec { ipv4: Some([192, 168, 31, 2].into()), ..endpoint(1, 4) };
    model.connect(asked).unwrap();
    model.end_reservations(sandbox(1));
    model.connect(endpoint(2, 4)).unwrap();
    assert_eq!(address(&model, 2, 4), IpAddr::from([192, 168, 31, 3]));
}

#[test]
fn what_is_kept_waits_for_its_network_and_follows_its_name() {
    let mut model = model();
    let kept = BTreeSet::from([IpAddr::from([172, 18, 0, 2])]);
    model.reserve(sandbox(9), &"later".parse().unwrap(), kept);
    model.create_network(spec(5, "later"), &around()).unwrap();
    model.connect(endpoint(1, 5)).unwrap();
    assert_eq!(address(&model, 1, 5), IpAddr::from([172, 18, 0, 3]));
    model.rename_network(net(5), "now".parse().unwrap()).unwrap();
    model.connect(endpoint(2, 5)).unwrap();
    assert_eq!(address(&model, 2, 5), IpAddr::from([172, 18, 0, 4]));
    model.reserve(sandbox(9), &"now".parse().unwrap(), BTreeSet::new());
    model.disconnect(sandbox(2), net(5)).unwrap();
    model.connect(endpoint(2, 5)).unwrap();
    assert_eq!(address(&model, 2, 5), IpAddr::from([172, 18, 0, 2]));
}

#[test]
fn how_full_a_network_is() {
    let mut model = model();
    let ranged = PoolSpec {
        ip_range: Some("10.1.0.4/30".parse().unwrap()),
        gateway: Some([10, 1, 0, 1].into()),
        auxiliary: [("router".to_owned(), IpAddr::from([10, 1, 0, 6]))].into(),
        ..pool("10.1.0.0/28")
    };
    let pools = vec![ranged, pool("fd00::/48"), pool("fd01::/72")];
    model.create_network(NetworkSpec { pools, ipv6: true, ..spec(5, "n") }, &around()).unwrap();
    let usage = |model: &Model| -> Vec<(u64, u64)> {
        model.usage(net(5)).iter().map(|pool| (pool.in_use, pool.dynamic_free)).collect()
    };
    let untouched = (2, u64::MAX >> 8);
    assert_eq!(usage(&model), [(4, 3), (2, u64::MAX), (2, untouched.1 - 1)]);
    model.connect(endpoint(1, 5)).unwrap();
    assert_eq!(usage(&model), [(5, 2), (3, u64::MAX), (2, untouched.1 - 1)]);
    let kept = BTreeSet::from([IpAddr::from([10, 1, 0, 7])]);
    model.reserve(sandbox(9), &"n".parse().unwrap(), kept);
    assert_eq!(usage(&model)[0], (6, 1));
    model.connect(endpoint(2, 5)).unwrap();
    model.create_sandbox(SandboxSpec::new(sandbox(3), "c3")).unwrap();
    let text = format!(
        "no available IPv4 addresses on this network's address pools: n ({}): 7 of 10.1.0.0/28 \
         are in use, all of 10.1.0.4/30 among them",
        net(5)
    );
    assert_eq!(refused(model.connect(endpoint(3, 5))), (Kind::System, text));
}
