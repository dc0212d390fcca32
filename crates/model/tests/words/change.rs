//! Changing a network that is in use.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hawser_model::{Kind, Model, NetworkChange, NetworkSpec, Touched};

use super::{address, around, endpoint, model, net, pool, refused, sandbox, spec};

const MTU: &str = "com.docker.network.driver.mtu";

fn set(key: &str, value: Option<&str>) -> BTreeMap<String, Option<String>> {
    [(key.to_owned(), value.map(str::to_owned))].into()
}

fn option(key: &str, value: Option<&str>) -> NetworkChange {
    NetworkChange { options: set(key, value), ..NetworkChange::default() }
}

fn adding(subnets: &[&str]) -> NetworkChange {
    let pools = subnets.iter().map(|subnet| pool(subnet)).collect();
    NetworkChange { pools, ..NetworkChange::default() }
}

fn in_use() -> Model {
    let mut model = model();
    model.connect(endpoint(1, 4)).unwrap();
    model.connect(endpoint(2, 4)).unwrap();
    model
}

fn all() -> Touched {
    let id = |s: u8| hawser_model::EndpointId::from_bytes([16 * s + 4; 32]);
    Touched {
        networks: [net(4)].into(),
        sandboxes: [sandbox(1), sandbox(2)].into(),
        endpoints: [id(1), id(2)].into(),
    }
}

#[test]
fn what_can_change() {
    let mut model = in_use();
    let mut update = |change| model.update_network(net(4), change, &around()).unwrap();
    assert_eq!(update(NetworkChange::default()), Touched::default());
    let labels = NetworkChange { labels: set("a", Some("b")), ..NetworkChange::default() };
    assert_eq!(update(labels.clone()).endpoints.len(), 0);
    assert_eq!(update(labels), Touched::default());
    assert_eq!(update(option(MTU, Some("1400"))), all());
    update(option("com.docker.network.bridge.enable_icc", Some("false")));
    update(option("com.docker.network.bridge.enable_ip_masquerade", Some("false")));
    update(option("hawser.dns", Some("10.0.0.53")));
    update(option("hawser.dns_search", Some("corp.example")));
    update(option("hawser.dns_opt", Some("ndots:3")));
    let lab = model.network(net(4)).unwrap().clone();
    assert_eq!(lab.labels["a"], "b");
    assert_eq!(
        (lab.bridge.mtu, lab.bridge.icc, lab.bridge.ip_masquerade),
        (Some(1400), false, false)
    );
    assert_eq!(lab.resolver.servers, [IpAddr::from([10, 0, 0, 53])]);
    assert_eq!((lab.resolver.search.len(), lab.resolver.options.len()), (1, 1));
    assert_eq!(lab.options.len(), 6);

    let mut update = |change| model.update_network(net(4), change, &around()).unwrap();
    update(option(MTU, None));
    update(NetworkChange { labels: set("a", None), ..option("hawser.dns", None) });
    let lab = model.network(net(4)).unwrap();
    assert_eq!((lab.bridge.mtu, lab.labels.len(), lab.options.len()), (None, 0, 4));
    assert!(lab.resolver.servers.is_empty());
    assert_eq!(address(&model, 1, 4), IpAddr::from([192, 168, 31, 2]));
}

#[test]
fn a_subnet_may_come_later() {
    let mut model = in_use();
    let touched = model.update_network(net(4), adding(&["10.7.0.0/30", "0.0.0.0/24"]), &around());
    assert_eq!(touched, Ok(all()));
    let pools: Vec<_> = model
        .network(net(4))
        .unwrap()
        .pools
        .iter()
        .map(|p| (p.subnet.to_string(), p.gateway))
        .collect();
    let wanted = [
        ("192.168.31.0/24", [192, 168, 31, 1]),
        ("10.7.0.0/30", [10, 7, 0, 1]),
        ("172.18.0.0/24", [172, 18, 0, 1]),
    ];
    let wanted = wanted.map(|(subnet, ip)| (subnet.to_owned(), Some(IpAddr::from(ip))));
    assert_eq!(pools, wanted);
    let asked = hawser_model::EndpointSpec {
        ipv4: Some([10, 7, 0, 2].into()),
        id: hawser_model::EndpointId::from_bytes([7; 32]),
        ..endpoint(2, 4)
    };
    model.disconnect(sandbox(2), net(4)).unwrap();
    model.connect(asked).unwrap();
    model.create_network(spec(5, "next"), &around()).unwrap();
    assert_eq!(model.network(net(5)).unwrap().pools[0].subnet.to_string(), "172.19.0.0/16");
}

#[test]
fn what_can_not_change() {
    let mut model = in_use();
    let before = model.clone();
    let mut update = |n, change| refused(model.update_network(net(n), change, &around()));
    let invalid = |text: &str| (Kind::Invalid, text.to_owned());
    let forbidden = |text: &str| (Kind::Forbidden, text.to_owned());

    let name = "com.docker.network.bridge.name";
    let text = format!("option {name:?} of a network that is there can't be changed");
    assert_eq!(update(4, option(name, Some("other"))), invalid(&text));
    assert_eq!(update(4, option("foreign", Some("x"))).0, Kind::Invalid);
    let text = "unknown option \"hawser.magic\" of the bridge driver";
    assert_eq!(update(4, option("hawser.magic", Some("x"))), invalid(text));
    let text = "failed to parse com.docker.network.driver.mtu value: 9 \
                (a packet has 68 to 65535 bytes)";
    assert_eq!(update(4, option(MTU, Some("9"))), invalid(text));

    let text = "invalid pool request: Pool overlaps with other one on this address space";
    for subnets in
        [&["172.17.0.0/24"][..], &["192.168.31.128/25"], &["10.7.0.0/24", "10.7.0.128/25"]]
    {
        assert_eq!(update(4, adding(subnets)), forbidden(text));
    }
    let text = "invalid network config:\n\
                * invalid subnet 10.7.0.1/24: it should be 10.7.0.0/24\n\
                * invalid subnet fd00::/64: IPv6 is not enabled on network lab";
    assert_eq!(update(4, adding(&["10.7.0.1/24", "fd00::/64"])), invalid(text));
    for (n, name) in [(1, "bridge"), (2, "host"), (3, "none")] {
        let text = format!("operation is not permitted on predefined {name} network");
        assert_eq!(update(n, option(MTU, Some("1400"))), forbidden(&text));
    }
    assert_eq!(update(99, NetworkChange::default()).0, Kind::NotFound);
    assert_eq!(model, before);

    let v6 = NetworkSpec {
        ipv6: true,
        pools: vec![pool("10.8.0.0/24"), pool("fd08::/64")],
        ..spec(5, "v6")
    };
    model.create_network(v6, &around()).unwrap();
    let small = model.update_network(net(5), option(MTU, Some("1000")), &around());
    assert!(refused(small).1.contains("IPv6"));
}

#[test]
fn a_link_local_address_is_no_gateway_of_a_later_subnet() {
    let mut model = model();
    let link_local = vec![[169, 254, 9, 1].into()];
    model.connect(hawser_model::EndpointSpec { link_local, ..endpoint(1, 4) }).unwrap();
    let refusal = refused(model.update_network(net(4), adding(&["169.254.9.0/24"]), &around()));
    assert_eq!(refusal, (Kind::Forbidden, "Address already in use".to_owned()));
    let mut change = adding(&["169.254.9.0/24"]);
    change.pools[0].gateway = Some([169, 254, 9, 9].into());
    model.update_network(net(4), change, &around()).unwrap();
}

#[test]
fn names_change() {
    let mut model = in_use();
    let touched = model.rename_network(net(4), "shop".parse().unwrap());
    assert_eq!(touched, Ok(all()));
    assert_eq!(model.resolve_network("shop").map(|n| n.id), Ok(net(4)));
    assert_eq!(refused(model.resolve_network("lab")).0, Kind::NotFound);
    assert_eq!(address(&model, 2, 4), IpAddr::from([192, 168, 31, 3]));
    model.create_network(spec(5, "lab"), &around()).unwrap();

    let before = model.clone();
    let mut rename = |n, name: &str| refused(model.rename_network(net(n), name.parse().unwrap()));
    for taken in ["lab", "shop"] {
        let text = format!("network with name {taken} already exists");
        assert_eq!(rename(4, taken), (Kind::Conflict, text));
    }
    for own in ["host", "default", "bridge"] {
        let text = format!("operation is not permitted on predefined {own} network");
        assert_eq!(rename(4, own), (Kind::Forbidden, text));
    }
    assert_eq!(rename(1, "other").0, Kind::Forbidden);
    assert_eq!(rename(99, "other").0, Kind::NotFound);
    assert_eq!(model, before);
}
