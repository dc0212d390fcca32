//! Pools: sizes asked for, several of them, gateways and special addresses, networks without any.

use std::net::IpAddr;

use hawser_model::{
    DefaultPool, IpamDriver, Kind, Model, NetworkSpec, Pool, PoolSpec, Surroundings,
};

use super::{address, around, endpoint, model, net, pool, refused, sandbox, spec};

fn wide() -> Surroundings {
    let cut = |base: &str, size| DefaultPool { base: base.parse().unwrap(), size };
    Surroundings {
        pools: vec![cut("10.0.0.0/16", 24), cut("fd00::/48", 64)],
        ..Surroundings::default()
    }
}

/// Pools of a network made so, in text.
fn made(model: &mut Model, spec: NetworkSpec) -> Vec<String> {
    let id = spec.id;
    model.create_network(spec, &wide()).unwrap();
    let text = |pool: &Pool| {
        let gateway = pool.gateway.map_or("none".to_owned(), |gateway| gateway.to_string());
        format!("{} via {gateway}", pool.subnet)
    };
    model.network(id).unwrap().pools.iter().map(text).collect()
}

fn options(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| (format!("com.docker.network.{key}"), (*value).into()))
        .collect()
}

#[test]
fn sizes_come_from_the_default_pools() {
    let mut model = model();
    let sized = |number, nets: &[&str]| {
        let pools = nets.iter().map(|net| pool(net)).collect();
        NetworkSpec { pools, ipv6: true, ..spec(number, &format!("n{number}")) }
    };
    let small = made(&mut model, sized(5, &["0.0.0.0/26", "::/80"]));
    assert_eq!(small, ["10.0.0.0/26 via 10.0.0.1", "fd00::/80 via fd00::1"]);
    let next = made(&mut model, sized(6, &["0.0.0.0/26"]));
    assert_eq!(next, ["10.0.0.64/26 via 10.0.0.65", "fd00:0:0:1::/64 via fd00:0:0:1::1"]);
    assert_eq!(made(&mut model, sized(7, &["0.0.0.0/20"]))[0], "10.0.16.0/20 via 10.0.16.1");
    assert_eq!(made(&mut model, sized(8, &["0.0.0.0/0"]))[0], "10.0.1.0/24 via 10.0.1.1");
    let two = made(&mut model, sized(9, &["0.0.0.0/24", "10.0.2.0/25"]));
    assert_eq!(two[..2], ["10.0.3.0/24 via 10.0.3.1", "10.0.2.0/25 via 10.0.2.1"]);

    let twins = made(&mut model, sized(10, &["0.0.0.0/28", "0.0.0.0/28"]));
    assert_eq!(twins[..2], ["10.0.0.128/28 via 10.0.0.129", "10.0.0.144/28 via 10.0.0.145"]);
    model.remove_network(net(10)).unwrap();

    let mut refuse = |net: &str| refused(model.create_network(sized(10, &[net]), &wide()));
    let text = "invalid address pool: no default address pool can be cut into subnets of /8";
    assert_eq!(refuse("0.0.0.0/8"), (Kind::Invalid, text.to_owned()));
    let text = "all predefined address pools have been fully subnetted";
    assert_eq!(refuse("0.0.0.0/16"), (Kind::Invalid, text.to_owned()));
    let fixed = endpoint(1, 5);
    let fixed = hawser_model::EndpointSpec { ipv4: Some([10, 0, 0, 9].into()), ..fixed };
    assert!(refused(model.connect(fixed)).1.contains("user configured subnets"));
}

#[test]
fn the_next_pool_takes_over() {
    let mut model = model();
    let two =
        NetworkSpec { pools: vec![pool("10.1.0.0/30"), pool("10.2.0.0/30")], ..spec(5, "two") };
    model.create_network(two, &around()).unwrap();
    model.connect(endpoint(1, 5)).unwrap();
    model.connect(endpoint(2, 5)).unwrap();
    assert_eq!(address(&model, 1, 5), IpAddr::from([10, 1, 0, 2]));
    assert_eq!(address(&model, 2, 5), IpAddr::from([10, 2, 0, 2]));
}

#[test]
fn gateways_are_where_docker_puts_them() {
    let mut model = model();
    let ranged =
        PoolSpec { ip_range: Some("10.1.0.64/26".parse().unwrap()), ..pool("10.1.0.0/24") };
    let routed = PoolSpec {
        auxiliary: [("DefaultGatewayIPv4".to_owned(), IpAddr::from([10, 2, 0, 254]))].into(),
        ..pool("10.2.0.0/24")
    };
    let with = |number, pools| NetworkSpec { pools, ..spec(number, &format!("n{number}")) };
    let got = made(&mut model, with(5, vec![ranged]));
    assert_eq!(got, ["10.1.0.0/24 via 10.1.0.64"]);
    assert_eq!(made(&mut model, with(6, vec![routed])), ["10.2.0.0/24 via 10.2.0.1"]);
    let hop = model.network(net(6)).unwrap().pools[0].next_hop;
    assert_eq!(hop, Some([10, 2, 0, 254].into()));

    let tiny = ["10.3.0.0/31", "10.3.0.7/32", "10.3.1.0/30"].map(pool).to_vec();
    let got = made(&mut model, with(7, tiny));
    assert_eq!(
        got,
        ["10.3.0.0/31 via 10.3.0.0", "10.3.0.7/32 via 10.3.0.7", "10.3.1.0/30 via 10.3.1.1"]
    );
    model.connect(endpoint(1, 7)).unwrap();
    assert_eq!(address(&model, 1, 7), IpAddr::from([10, 3, 0, 1]));
    model.connect(endpoint(2, 7)).unwrap();
    assert_eq!(address(&model, 2, 7), IpAddr::from([10, 3, 1, 2]));

    let v6 = NetworkSpec { ipv4: false, ipv6: true, ..with(8, vec![pool("fd08::/127")]) };
    assert_eq!(made(&mut model, v6), ["fd08::/127 via fd08::"]);
}

#[test]
fn isolated_networks_have_no_gateway() {
    let mut model = model();
    let internal = |number, pairs: &[(&str, &str)]| NetworkSpec {
        internal: true,
        ipv6: true,
        options: options(pairs),
        ..spec(number, &format!("n{number}"))
    };
    let isolated = [("bridge.gateway_mode_ipv4", "isolated")];
    let got = made(&mut model, internal(5, &isolated));
    assert_eq!(got, ["10.0.0.0/24 via none", "fd00::/64 via fd00::1"]);
    model.connect(endpoint(1, 5)).unwrap();
    assert_eq!(address(&model, 1, 5), IpAddr::from([10, 0, 0, 1]));
    let got = made(&mut model, internal(6, &[("bridge.inhibit_ipv4", "true")]));
    assert_eq!(got, ["10.0.1.0/24 via none", "fd00:0:0:1::/64 via fd00:0:0:1::1"]);
    let mut outside = internal(7, &[("bridge.inhibit_ipv4", "true")]);
    outside.internal = false;
    assert_eq!(made(&mut model, outside)[0], "10.0.2.0/24 via 10.0.2.1");
    let mut asked = internal(8, &isolated);
    asked.pools = vec![PoolSpec { gateway: Some([10, 8, 0, 1].into()), ..pool("10.8.0.0/24") }];
    assert_eq!(made(&mut model, asked)[0], "10.8.0.0/24 via 10.8.0.1");

    let mut open = internal(9, &isolated);
    open.internal = false;
    let text = "gateway mode 'isolated' can only be used for an internal network";
    let got = refused(model.create_network(open, &wide()));
    assert_eq!(got, (Kind::Invalid, text.to_owned()));
}

#[test]
fn without_address_management_there_are_no_addresses() {
    let mut model = model();
    let bare = NetworkSpec { ipam_driver: IpamDriver::Null, ipv6: true, ..spec(5, "bare") };
    assert!(made(&mut model, bare.clone()).is_empty());
    model.connect(endpoint(1, 5)).unwrap();
    let endpoint = model.endpoint_between(sandbox(1), net(5)).unwrap();
    let interface = endpoint.interface.as_ref().unwrap();
    assert_eq!((interface.addresses().count(), interface.name.as_str()), (0, "eth0"));
    assert_eq!(model.gateway_endpoint(sandbox(1), false), None);
    assert!(model.usage(net(5)).is_empty());

    let asked = NetworkSpec { pools: vec![pool("10.1.0.0/24")], ..bare };
    let asked = NetworkSpec { id: net(6), name: "asked".parse().unwrap(), ..asked };
    let text = "null ipam driver does not handle specific address pool requests";
    let got = refused(model.create_network(asked, &wide()));
    assert_eq!(got, (Kind::Invalid, text.to_owned()));
    assert_eq!("null".parse(), Ok(IpamDriver::Null));
    assert_eq!("".parse(), Ok(IpamDriver::Default));
    let unknown = refused("magic".parse::<IpamDriver>());
    assert_eq!(unknown, (Kind::NotFound, "plugin \"magic\" not found".to_owned()));
}

#[test]
fn special_addresses_that_are_none() {
    let mut model = model();
    let mut create = |pool: PoolSpec| {
        let spec = NetworkSpec { pools: vec![pool], ipv6: true, ..spec(5, "new") };
        refused(model.create_network(spec, &wide()))
    };
    for gateway in [[10, 1, 0, 0], [10, 1, 0, 255]].map(IpAddr::from) {
        let text = format!("failed to allocate gateway ({gateway}): Address already in use");
        let got = create(PoolSpec { gateway: Some(gateway), ..pool("10.1.0.0/24") });
        assert_eq!(got, (Kind::System, text));
    }
    let router = |number| [("router".to_owned(), IpAddr::from([10, 1, 0, number]))].into();
    let text = "failed to allocate secondary ip address (router:10.1.0.9): Address already in use";
    let gateway = Some([10, 1, 0, 9].into());
    let got = create(PoolSpec { gateway, auxiliary: router(9), ..pool("10.1.0.0/24") });
    assert_eq!(got, (Kind::System, text.to_owned()));
    assert_eq!(create(PoolSpec { auxiliary: router(255), ..pool("10.1.0.0/24") }).0, Kind::System);

    let invalid = |text: &str| (Kind::Invalid, format!("invalid network config:\n* {text}"));
    let text = "invalid subnet fe80::/80: it clashes with the link-local prefix fe80::/64";
    assert_eq!(create(pool("fe80::/80")), invalid(text));
    let text = "invalid subnet ff00::/64: these are multicast addresses";
    assert_eq!(create(pool("ff00::/64")), invalid(text));
    let text = "invalid subnet ::ffff:0.0.0.0/112: these are IPv4 addresses";
    assert_eq!(create(pool("::ffff:0:0/112")), invalid(text));
    let odd = PoolSpec { gateway: Some([10, 0, 0, 1].into()), ..pool("0.0.0.0/26") };
    let why = "subnet 0.0.0.0/26 stands for the next free one of its size";
    assert_eq!(create(odd), invalid(&format!("invalid gateway 10.0.0.1: {why}")));
    let ranged = PoolSpec { ip_range: Some("0.0.0.0/27".parse().unwrap()), ..pool("0.0.0.0/26") };
    assert_eq!(create(ranged), invalid(&format!("invalid ip-range 0.0.0.0/27: {why}")));
}

#[test]
fn options_that_do_not_go_together() {
    let mut model = model();
    let mut create = |ipv6, pairs: &[(&str, &str)]| {
        let spec = NetworkSpec { ipv6, options: options(pairs), ..spec(5, "new") };
        refused(model.create_network(spec, &wide()))
    };
    let text = "failed to parse com.docker.network.bridge.default_bridge value: true \
                (it is the engine's own)";
    let got = create(false, &[("bridge.default_bridge", "true")]);
    assert_eq!(got, (Kind::Invalid, text.to_owned()));
    let text = "failed to parse com.docker.network.driver.mtu value: 1000 \
                (a packet of IPv6 has at least 1280 bytes)";
    assert_eq!(create(true, &[("driver.mtu", "1000")]), (Kind::Invalid, text.to_owned()));
    let neither = NetworkSpec { ipv4: false, ..spec(5, "new") };
    let text = "IPv4 or IPv6 must be enabled";
    let got = refused(model.create_network(neither, &wide()));
    assert_eq!(got, (Kind::Invalid, text.to_owned()));
}
