//! Name tables: who is known by which names, to whom.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use std::net::IpAddr;

use hawser_model::{
    Driver, EndpointId, EndpointSpec, Model, NetworkId, NetworkSpec, SandboxId, SandboxSpec,
    Surroundings, docker_pools,
};
use hawser_plan::{names, private_names, search_order, zone};

fn net(number: u8) -> NetworkId {
    NetworkId::from_bytes([number; 32])
}

fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes([number; 32])
}

/// Networks `bridge` (1, predefined), `front` (2) and `back` (3); `web` (1) on all of them and
/// `db` (2) on `bridge` and `back`.
fn model() -> Model {
    let mut model = Model::default();
    let around = Surroundings { pools: docker_pools(), ..Surroundings::default() };
    for (number, name) in [(1, "bridge"), (2, "front"), (3, "back")] {
        let mut spec = NetworkSpec::new(net(number), name.parse().unwrap(), Driver::Bridge);
        spec.predefined = number == 1;
        model.create_network(spec, &around).unwrap();
    }
    for (number, name) in [(1, "web"), (2, "Db")] {
        let mut spec = SandboxSpec::new(sandbox(number), name);
        spec.hostname = format!("host-{name}");
        model.create_sandbox(spec).unwrap();
    }
    for (s, n) in [(1, 1), (1, 2), (1, 3), (2, 1), (2, 3)] {
        let endpoint = EndpointId::from_bytes([16 * s + n; 32]);
        let mut spec = EndpointSpec::new(endpoint, net(n), sandbox(s));
        if n == 3 {
            spec.aliases = vec!["both".to_owned()];
        }
        if (s, n) == (1, 3) {
            spec.links = [("store".to_owned(), "Db".to_owned())].into();
        }
        model.connect(spec).unwrap();
    }
    model
}

fn address(third: u8, last: u8) -> IpAddr {
    IpAddr::from([172, third, 0, last])
}

#[test]
fn containers_are_known_by_all_their_names() {
    let zone = zone(&model(), net(3));
    let db = [address(19, 3)];
    let names = ["db", "DB.back", "020202020202", "020202020202.back", "host-db", "host-db.back"];
    for name in names {
        assert_eq!(zone.addresses(name), Some(&db[..]), "{name}");
    }
    assert_eq!(zone.addresses("both"), Some(&[address(19, 2), address(19, 3)][..]));
    assert_eq!(zone.name(db[0]), Some("Db.back"));
    assert_eq!(zone.addresses("db.front"), None);
    assert_eq!(zone.addresses("store"), None);
}

#[test]
fn what_is_below_a_networks_name_and_in_its_subnets_is_its_own() {
    let zone_of = |number| zone(&model(), net(number));
    assert!(zone_of(3).owns("nobody.back") && !zone_of(3).owns("nobody.front"));
    assert!(zone_of(3).covers("172.19.0.9/32".parse().unwrap()));
    assert!(!zone_of(3).covers("172.18.0.9/32".parse().unwrap()));
    assert!(
        !zone_of(1).owns("nobody.bridge") && !zone_of(1).covers("172.17.0.2/32".parse().unwrap())
    );
}

#[test]
fn the_default_bridge_has_no_names() {
    assert_eq!(zone(&model(), net(1)).names().count(), 0);
    assert_eq!(search_order(&model(), sandbox(1)), [net(3), net(2)]);
    assert_eq!(search_order(&model(), sandbox(2)), [net(3)]);
}

#[test]
fn links_are_known_to_their_owner_alone() {
    let mut model = model();
    let shown = |model: &Model, number: u8| -> Vec<String> {
        let names = private_names(model, sandbox(number));
        names.iter().map(|n| format!("{}={}@{}", n.name, n.target, n.network == net(3))).collect()
    };
    assert_eq!(shown(&model, 1), ["store=Db@true", "store.back=Db@true"]);
    assert!(shown(&model, 2).is_empty());
    // A link goes on naming the container that it was made to.
    model.rename_sandbox(sandbox(2), "base").unwrap();
    assert_eq!(shown(&model, 1), ["store=base@true", "store.back=base@true"]);
    assert_eq!(zone(&model, net(3)).addresses("base"), Some(&[address(19, 3)][..]));
}

#[test]
fn a_table_that_follows_one_sandbox_is_the_one_made_anew() {
    let mut model = model();
    let mut followed = zone(&model, net(3));
    let mut follow = |model: &Model, number: u8| {
        let owner = sandbox(number).to_string();
        match names(model, net(3), sandbox(number)) {
            Some(names) => followed.set(&owner, names),
            None => followed.remove(&owner),
        }
        assert_eq!(followed, zone(model, net(3)));
    };
    model.rename_sandbox(sandbox(1), "db-2").unwrap();
    follow(&model, 1);
    model.disconnect(sandbox(2), net(3)).unwrap();
    follow(&model, 2);
    let mut spec = EndpointSpec::new(EndpointId::from_bytes([9; 32]), net(3), sandbox(2));
    spec.aliases = vec!["db-2".to_owned(), "DB-2.".to_owned()];
    model.connect(spec).unwrap();
    follow(&model, 2);
    model.remove_sandbox(sandbox(1)).unwrap();
    follow(&model, 1);
    assert_eq!(zone(&model, net(3)).addresses("db-2"), Some(&[address(19, 3)][..]));
}
