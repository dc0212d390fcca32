//! What users see: which address comes next, and what a refusal says.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

mod asking;
mod change;
mod pools;
mod template;

use std::net::{IpAddr, Ipv4Addr};

use hawser_model::{
    Driver, EndpointId, EndpointSpec, Error, Kind, Mode, Model, NetworkId, NetworkName,
    NetworkSpec, PoolSpec, Publication, Records, SandboxId, SandboxSpec, Surroundings, Transport,
    Way, docker_pools,
};

fn around() -> Surroundings {
    Surroundings { pools: docker_pools(), ..Surroundings::default() }
}

fn net(number: u8) -> NetworkId {
    NetworkId::from_bytes([number; 32])
}

fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes([number; 32])
}

fn spec(number: u8, name: &str) -> NetworkSpec {
    NetworkSpec::new(net(number), name.parse().unwrap(), Driver::Bridge)
}

fn pool(subnet: &str) -> PoolSpec {
    PoolSpec { subnet: Some(subnet.parse().unwrap()), ..PoolSpec::default() }
}

/// `bridge` (1), `host` (2), `none` (3) and `lab` (4: 192.168.31.0/24), and containers 1 and 2.
fn model() -> Model {
    let mut model = Model::default();
    let own = [(1, "bridge", Driver::Bridge), (2, "host", Driver::Host), (3, "none", Driver::Null)];
    for (number, name, driver) in own {
        let mut spec = NetworkSpec { driver, ..spec(number, name) };
        spec.predefined = true;
        model.create_network(spec, &around()).unwrap();
    }
    let mut lab = spec(4, "lab");
    lab.pools = vec![pool("192.168.31.0/24")];
    model.create_network(lab, &around()).unwrap();
    for number in [1, 2] {
        model.create_sandbox(SandboxSpec::new(sandbox(number), format!("c{number}"))).unwrap();
    }
    model
}

fn endpoint(s: u8, n: u8) -> EndpointSpec {
    EndpointSpec::new(EndpointId::from_bytes([16 * s + n; 32]), net(n), sandbox(s))
}

fn address(model: &Model, s: u8, n: u8) -> IpAddr {
    let endpoint = model.endpoint_between(sandbox(s), net(n)).unwrap();
    endpoint.interface.as_ref().unwrap().addresses().next().unwrap()
}

fn refused(result: Result<impl std::fmt::Debug, Error>) -> (Kind, String) {
    let error = result.unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn subnets_and_addresses_come_in_dockers_order() {
    let mut model = model();
    model.create_network(spec(5, "next"), &around()).unwrap();
    assert_eq!(model.network(net(5)).unwrap().pools[0].subnet.to_string(), "172.18.0.0/16");
    let taken = Surroundings { taken: vec!["172.19.3.0/24".parse().unwrap()], ..around() };
    model.create_network(spec(6, "after"), &taken).unwrap();
    assert_eq!(model.network(net(6)).unwrap().pools[0].subnet.to_string(), "172.20.0.0/16");

    model.connect(endpoint(1, 1)).unwrap();
    model.connect(endpoint(2, 1)).unwrap();
    assert_eq!(address(&model, 1, 1), IpAddr::from([172, 17, 0, 2]));
    assert_eq!(address(&model, 2, 1), IpAddr::from([172, 17, 0, 3]));
    model.disconnect(sandbox(1), net(1)).unwrap();
    model.create_sandbox(SandboxSpec::new(sandbox(3), "c3")).unwrap();
    model.connect(endpoint(3, 1)).unwrap();
    assert_eq!(address(&model, 3, 1), IpAddr::from([172, 17, 0, 2]));
}

#[test]
fn interface_names_are_never_used_twice() {
    let mut model = model();
    model.create_network(spec(5, "next"), &around()).unwrap();
    let name = |model: &Model, n| {
        let endpoint = model.endpoint_between(sandbox(1), net(n)).unwrap();
        endpoint.interface.as_ref().unwrap().name.to_string()
    };
    model.connect(endpoint(1, 1)).unwrap();
    model.connect(endpoint(1, 4)).unwrap();
    assert_eq!((name(&model, 1), name(&model, 4)), ("eth0".to_owned(), "eth1".to_owned()));
    model.disconnect(sandbox(1), net(4)).unwrap();
    model.connect(endpoint(1, 4)).unwrap();
    assert_eq!(name(&model, 4), "eth2");
    let mut named = endpoint(1, 5);
    named.driver_opts = [("com.docker.network.endpoint.ifname".into(), "eth0".into())].into();
    assert_eq!(refused(model.connect(named)).0, Kind::Invalid);
}

#[test]
fn networks_are_found_as_docker_finds_them() {
    let mut model = model();
    model.create_network(spec(0x44, "04"), &around()).unwrap();
    let find = |term: &str| model.resolve_network(term).map(|network| network.id);
    assert_eq!(find(&net(4).to_string()), Ok(net(4)));
    assert_eq!(find("04"), Ok(net(0x44)));
    assert_eq!(find("040"), Ok(net(4)));
    assert_eq!(refused(find("nothing")), (Kind::NotFound, "network nothing not found".to_owned()));
    assert_eq!(refused(find("")), (Kind::NotFound, "network  not found".to_owned()));
    assert_eq!(refused(find("0")).0, Kind::Invalid);
}

#[test]
fn names_and_the_engines_own_networks() {
    let mut model = model();
    let taken = refused(model.create_network(spec(9, "lab"), &around()));
    assert_eq!(taken, (Kind::Conflict, "network with name lab already exists".to_owned()));
    let own = refused(model.create_network(spec(9, "host"), &around()));
    let text = "operation is not permitted on predefined host network";
    assert_eq!(own, (Kind::Forbidden, text.to_owned()));
    let second = NetworkSpec { driver: Driver::Host, ..spec(9, "host2") };
    let text = "only one instance of \"host\" network is allowed";
    let second = refused(model.create_network(second, &around()));
    assert_eq!(second, (Kind::Forbidden, text.to_owned()));
    let text = "bridge is a pre-defined network and cannot be removed";
    assert_eq!(refused(model.remove_network(net(1))), (Kind::Forbidden, text.to_owned()));
    assert!("a b/c".parse::<NetworkName>().is_ok());
    assert!(" ".parse::<NetworkName>().is_err());
    let driver = refused("magic".parse::<Driver>());
    assert_eq!(driver, (Kind::NotFound, "plugin \"magic\" not found".to_owned()));
}

#[test]
fn pools_that_make_no_sense() {
    let mut model = model();
    let mut create = |pools: Vec<PoolSpec>| {
        refused(model.create_network(NetworkSpec { pools, ..spec(9, "new") }, &around()))
    };
    let overlap = create(vec![pool("192.168.0.0/16")]);
    let text = "invalid pool request: Pool overlaps with other one on this address space";
    assert_eq!(overlap, (Kind::Forbidden, text.to_owned()));
    let odd = PoolSpec {
        ip_range: Some("10.8.0.0/12".parse().unwrap()),
        gateway: Some([10, 1, 0, 1].into()),
        auxiliary: [("router".to_owned(), IpAddr::from([0u16; 8]))].into(),
        ..pool("10.0.0.1/16")
    };
    let text = "invalid network config:\n\
        * invalid subnet 10.0.0.1/16: it should be 10.0.0.0/16\n\
        * invalid ip-range 10.8.0.0/12: CIDR block is bigger than its parent subnet 10.0.0.1/16\n\
        * invalid ip-range 10.8.0.0/12: it should be 10.0.0.0/12\n\
        * invalid gateway 10.1.0.1: parent subnet 10.0.0.1/16 doesn't contain this address\n\
        * invalid auxiliary address router: parent subnet is an IPv4 block";
    assert_eq!(create(vec![odd]), (Kind::Invalid, text.to_owned()));
    assert_eq!(create(vec![pool("10.0.0.0/8"), pool("10.1.0.0/16")]).0, Kind::Forbidden);
}

#[test]
fn pools_run_out() {
    let mut model = model();
    let error = loop {
        let count = u8::try_from(model.networks().count()).unwrap();
        match model.create_network(spec(100 + count, &format!("n{count}")), &around()) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::NoMoreSubnets);
    // 31 pools: one is the default bridge's, the lab's covers a second; and host, none, lab.
    assert_eq!(model.networks().count(), 30 + 3);
}

#[test]
fn addresses_run_out() {
    let mut model = model();
    let tiny = NetworkSpec { pools: vec![pool("10.0.0.0/30")], ..spec(9, "tiny") };
    model.create_network(tiny, &around()).unwrap();
    model.connect(endpoint(1, 9)).unwrap();
    let text = format!(
        "no available IPv4 addresses on this network's address pools: tiny ({}): 4 of 10.0.0.0/30 \
         are in use",
        net(9)
    );
    assert_eq!(refused(model.connect(endpoint(2, 9))), (Kind::System, text));
}

#[test]
fn fixed_addresses() {
    let mut model = model();
    let mut ask = |n, ip: [u8; 4]| {
        let spec = EndpointSpec { ipv4: Some(Ipv4Addr::from(ip)), ..endpoint(1, n) };
        refused(model.connect(spec))
    };
    let invalid = |text: &str| (Kind::Invalid, format!("invalid endpoint settings:\n* {text}"));
    let used = (Kind::Forbidden, "Address already in use".to_owned());
    let text = "user specified IP address is supported on user defined networks only";
    assert_eq!(ask(1, [172, 17, 0, 9]), invalid(text));
    let text = "no configured subnet or ip-range contain the IP address 10.0.0.1";
    assert_eq!(ask(4, [10, 0, 0, 1]), invalid(text));
    assert_eq!(ask(4, [192, 168, 31, 1]), used);
    assert_eq!(ask(4, [192, 168, 31, 255]), used);

    model.create_network(spec(5, "picked"), &around()).unwrap();
    let on_picked = EndpointSpec { ipv4: Some([172, 18, 0, 9].into()), ..endpoint(1, 5) };
    let text = "user specified IP address is supported only when connecting to networks with \
                user configured subnets";
    assert_eq!(refused(model.connect(on_picked)), invalid(text));

    let fixed = |s| EndpointSpec { ipv4: Some([192, 168, 31, 25].into()), ..endpoint(s, 4) };
    model.connect(fixed(1)).unwrap();
    assert_eq!(refused(model.connect(fixed(2))), used);
    let aliased = EndpointSpec { aliases: vec!["web".to_owned()], ..endpoint(1, 1) };
    let text = "network-scoped alias is supported only for containers in user defined networks";
    assert_eq!(refused(model.connect(aliased)), invalid(text));
}

#[test]
fn modes_and_networks() {
    let mut model = model();
    let kinds = [(3, Mode::Host), (4, Mode::Shared(sandbox(1)))];
    for (number, mode) in kinds {
        let spec = SandboxSpec { mode, ..SandboxSpec::new(sandbox(number), format!("c{number}")) };
        model.create_sandbox(spec).unwrap();
    }
    model.connect(endpoint(3, 2)).unwrap();
    assert_eq!(model.connect(endpoint(3, 1)), Err(Error::HostNetwork));
    assert_eq!(model.connect(endpoint(1, 2)), Err(Error::HostNetwork));
    assert_eq!(model.disconnect(sandbox(3), net(2)), Err(Error::HostNetwork));
    assert_eq!(model.connect(endpoint(4, 1)), Err(Error::SharedNetwork));
    model.connect(endpoint(1, 3)).unwrap();
    assert_eq!(model.connect(endpoint(1, 1)), Err(Error::PrivateNetwork));
    model.connect(endpoint(2, 1)).unwrap();
    assert_eq!(model.connect(endpoint(2, 3)), Err(Error::PrivateNetwork));
    let text = "endpoint with name c2 already exists in network bridge";
    let again = EndpointSpec { id: EndpointId::from_bytes([99; 32]), ..endpoint(2, 1) };
    assert_eq!(refused(model.connect(again)), (Kind::Forbidden, text.to_owned()));
    let text = format!("container {} is not connected to network lab", sandbox(2));
    assert_eq!(refused(model.disconnect(sandbox(2), net(4))), (Kind::System, text));
}

#[test]
fn a_network_in_use_names_its_users() {
    let mut model = model();
    model.connect(endpoint(2, 4)).unwrap();
    model.connect(endpoint(1, 4)).unwrap();
    let text = "error while removing network: network lab has active endpoints \
                (name:\"c2\" id:\"242424242424\", name:\"c1\" id:\"141414141414\")";
    assert_eq!(refused(model.remove_network(net(4))), (Kind::Forbidden, text.to_owned()));
    model.remove_sandbox(sandbox(1)).unwrap();
    model.disconnect(sandbox(2), net(4)).unwrap();
    model.remove_network(net(4)).unwrap();
}

#[test]
fn ports_have_one_holder() {
    let mut model = model();
    let publish = |number, host: &str| {
        let host = host.parse().unwrap();
        let p =
            Publication { transport: Transport::Tcp, container_port: 80, host, host_port: 8088 };
        SandboxSpec { publications: vec![p], ..SandboxSpec::new(sandbox(number), "web") }
    };
    let start = |model: &mut Model, number, host: &str| {
        model.create_sandbox(publish(number, host)).unwrap();
        model.connect(endpoint(number, 4)).map(drop)
    };
    start(&mut model, 5, "127.0.0.1").unwrap();
    let text = "Bind for 0.0.0.0:8088 failed: port is already allocated";
    let clash = refused(start(&mut model, 6, "0.0.0.0"));
    assert_eq!(clash, (Kind::System, text.to_owned()));
    model.publish(sandbox(6), Vec::new()).unwrap();
    model.connect(endpoint(6, 4)).unwrap();
    let wanted = |host| publish(6, host).publications;
    assert_eq!(refused(model.publish(sandbox(6), wanted("0.0.0.0"))), clash);
    model.publish(sandbox(6), wanted("::")).unwrap();
    start(&mut model, 7, "10.0.0.1").unwrap();
    assert_eq!(model.port_holder([10, 0, 0, 1].into(), Transport::Tcp, 8088), Some(sandbox(7)));
    assert_eq!(model.port_holder([10, 0, 0, 1].into(), Transport::Udp, 8088), None);
    model.remove_sandbox(sandbox(5)).unwrap();
    model.remove_sandbox(sandbox(7)).unwrap();
    start(&mut model, 5, "0.0.0.0").unwrap();
    let host = SandboxSpec { mode: Mode::Host, ..publish(8, "127.0.0.9") };
    assert_eq!(model.create_sandbox(host), Err(Error::PublishWithoutNetwork));
}

#[test]
fn the_gateway_follows_priority_then_name() {
    let mut model = model();
    model.create_network(NetworkSpec { internal: true, ..spec(5, "aaa") }, &around()).unwrap();
    model.create_network(spec(6, "zzz"), &around()).unwrap();
    let leads = |model: &Model| model.gateway_endpoint(sandbox(1), false).map(|e| e.network);
    model.connect(endpoint(1, 5)).unwrap();
    assert_eq!(leads(&model), None);
    model.connect(endpoint(1, 6)).unwrap();
    assert_eq!(leads(&model), Some(net(6)));
    model.connect(endpoint(1, 4)).unwrap();
    assert_eq!(leads(&model), Some(net(4)));
    model.connect(EndpointSpec { gw_priority: 1, ..endpoint(1, 1) }).unwrap();
    assert_eq!(leads(&model), Some(net(1)));
    assert_eq!(model.gateway_endpoint(sandbox(1), true), None);
    let dual = NetworkSpec {
        ipv6: true,
        pools: vec![pool("10.1.0.0/24"), pool("fd00::/64")],
        ..spec(7, "zzzz")
    };
    model.create_network(dual, &around()).unwrap();
    model.connect(endpoint(1, 7)).unwrap();
    assert_eq!(model.gateway_endpoint(sandbox(1), true).map(|e| e.network), Some(net(7)));
    let order: Vec<_> = model.endpoints_of_sandbox(sandbox(1)).iter().map(|e| e.network).collect();
    assert_eq!(order, [1, 7, 4, 6, 5].map(net));
}

#[test]
fn records_that_contradict_one_another_are_refused() {
    let mut model = model();
    model.connect(endpoint(1, 4)).unwrap();
    let records = model.records();
    let text = serde_json::to_string(&records.endpoints).unwrap();
    let read: Records =
        Records { endpoints: serde_json::from_str(&text).unwrap(), ..records.clone() };
    assert_eq!(Model::from_records(read), Ok(model));
    let mut twice = records.clone();
    twice.endpoints.extend(records.endpoints.clone());
    assert_eq!(refused(Model::from_records(twice)).0, Kind::System);
    let lost = Records { sandboxes: Vec::new(), ..records };
    assert_eq!(refused(Model::from_records(lost)).0, Kind::System);
}

#[test]
fn a_port_is_held_where_the_host_leads_to_it() {
    let mut model = model();
    let mode = |mode: &str| {
        let key = "com.docker.network.bridge.gateway_mode_ipv4";
        [(key.to_owned(), mode.to_owned())].into()
    };
    let routed = NetworkSpec { options: mode("routed"), ..spec(5, "routed") };
    model.create_network(routed, &around()).unwrap();
    model.create_network(NetworkSpec { internal: true, ..spec(6, "inner") }, &around()).unwrap();
    let host = "0.0.0.0".parse().unwrap();
    let p = Publication { transport: Transport::Tcp, container_port: 80, host, host_port: 8088 };
    // Two on the routed network, one on the internal: none of them needs the host's port.
    for (number, network) in [(5, 5), (6, 5), (7, 6)] {
        let spec = SandboxSpec::new(sandbox(number), format!("c{number}"));
        model.create_sandbox(SandboxSpec { publications: vec![p], ..spec }).unwrap();
        model.connect(endpoint(number, network)).unwrap();
    }
    assert_eq!(model.reach(sandbox(5)).way(host), Way::Direct);
    assert_eq!(model.reach(sandbox(7)).way(host), Way::Nowhere);
    assert_eq!(model.port_holder(host, Transport::Tcp, 8088), None);
    // The first that gets a way in has it; the others keep out, and keep what they had.
    model.connect(endpoint(7, 4)).unwrap();
    assert_eq!(model.port_holder(host, Transport::Tcp, 8088), Some(sandbox(7)));
    model.connect(EndpointSpec { gw_priority: -1, ..endpoint(5, 4) }).unwrap();
    let before = model.clone();
    let taken = refused(model.disconnect(sandbox(5), net(5)));
    assert_eq!(taken.1, "Bind for 0.0.0.0:8088 failed: port is already allocated");
    let taken = model.connect(EndpointSpec { gw_priority: 1, ..endpoint(6, 4) });
    assert!(matches!(taken, Err(Error::PortInUse { holder, .. }) if holder == sandbox(7)));
    assert_eq!(model, before);
    model.remove_sandbox(sandbox(7)).unwrap();
    model.disconnect(sandbox(5), net(5)).unwrap();
    assert_eq!(model.port_holder(host, Transport::Tcp, 8088), Some(sandbox(5)));
}
