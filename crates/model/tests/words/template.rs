//! Templates, and networks made from one.

use hawser_model::{Driver, Error, IpamDriver, Kind, Model, NetworkSpec, PoolSpec};

use super::{around, endpoint, model, net, pool, refused, sandbox, spec};

/// `template` (5) with everything that a template can have.
fn with_template() -> Model {
    let mut model = model();
    let template = NetworkSpec {
        config_only: true,
        ipv6: true,
        pools: vec![PoolSpec {
            gateway: Some([10, 5, 0, 9].into()),
            auxiliary: [("router".to_owned(), [10, 5, 0, 2].into())].into(),
            ..pool("10.5.0.0/24")
        }],
        labels: [("a".to_owned(), "b".to_owned())].into(),
        options: [("com.docker.network.driver.mtu".to_owned(), "1400".to_owned())].into(),
        ipam_options: [("c".to_owned(), "d".to_owned())].into(),
        ..spec(5, "template")
    };
    model.create_network(template, &around()).unwrap();
    model
}

fn from(number: u8, name: &str) -> NetworkSpec {
    NetworkSpec { config_from: Some("template".to_owned()), ..spec(number, name) }
}

fn with_v6() -> hawser_model::Surroundings {
    let mut around = around();
    let base = "fd00:1::/48".parse().unwrap();
    around.pools.push(hawser_model::DefaultPool { base, size: 64 });
    around
}

#[test]
fn a_template_is_kept_as_it_is_and_used() {
    let mut model = with_template();
    let template = model.network(net(5)).unwrap().clone();
    assert_eq!((template.driver, template.config_only), (Driver::Null, true));
    assert_eq!(template.pools.len(), 1);
    assert!(model.usage(net(5)).is_empty());

    let made = NetworkSpec { internal: true, ..from(6, "made") };
    model.create_network(made, &with_v6()).unwrap();
    let made = model.network(net(6)).unwrap();
    assert_eq!((made.driver, made.config_from), (Driver::Bridge, Some(net(5))));
    assert_eq!(made.pools[0].subnet.to_string(), "10.5.0.0/24");
    assert_eq!(made.pools[0].gateway, Some([10, 5, 0, 9].into()));
    assert_eq!(made.pools[1].subnet.to_string(), "fd00:1::/64");
    assert_eq!((&made.labels, &made.options), (&template.labels, &template.options));
    assert_eq!((&made.ipam_options, made.bridge.mtu), (&template.ipam_options, Some(1400)));
    assert!(made.internal && made.ipv6);

    let by_id = NetworkSpec { config_from: Some(net(5).to_string()), ..spec(7, "again") };
    let overlap = refused(model.create_network(by_id, &with_v6()));
    assert_eq!(overlap.0, Kind::Forbidden);

    let in_use = "configuration network \"template\" is in use";
    assert_eq!(refused(model.remove_network(net(5))), (Kind::Forbidden, in_use.to_owned()));
    model.remove_network(net(6)).unwrap();
    model.remove_network(net(5)).unwrap();
}

#[test]
fn a_template_without_subnets_gets_the_next_ones() {
    let mut model = model();
    let template = NetworkSpec { config_only: true, ..spec(5, "template") };
    model.create_network(template, &around()).unwrap();
    for (number, subnet) in [(6, "172.18.0.0/16"), (7, "172.19.0.0/16")] {
        model.create_network(from(number, &format!("made{number}")), &around()).unwrap();
        assert_eq!(model.network(net(number)).unwrap().pools[0].subnet.to_string(), subnet);
    }
}

#[test]
fn what_templates_refuse() {
    let mut model = with_template();
    let mut create = |spec: NetworkSpec| refused(model.create_network(spec, &around()));
    let text = "configuration network can only contain network specific fields. Network operator \
                fields like [ ingress | internal | attachable | scope ] are not supported.";
    let only = NetworkSpec { config_only: true, ..spec(6, "only") };
    for operator in [
        NetworkSpec { internal: true, ..only.clone() },
        NetworkSpec { attachable: true, ..only.clone() },
        NetworkSpec { ingress: true, ..only.clone() },
    ] {
        assert_eq!(create(operator), (Kind::Forbidden, text.to_owned()));
    }
    let text = "a configuration network cannot depend on another configuration network";
    let both = NetworkSpec { config_only: true, ..from(6, "both") };
    assert_eq!(create(both), (Kind::Forbidden, text.to_owned()));

    let text = "user specified configurations are not supported if the network depends on a \
                configuration network";
    let word = || [("a".to_owned(), "b".to_owned())].into();
    for own in [
        NetworkSpec { labels: word(), ..from(6, "own") },
        NetworkSpec { ipv6: true, ..from(6, "own") },
        NetworkSpec { ipv4: false, ..from(6, "own") },
        NetworkSpec { ipam_options: word(), ..from(6, "own") },
        NetworkSpec { ipam_driver: IpamDriver::Null, ..from(6, "own") },
        NetworkSpec { pools: vec![pool("10.9.0.0/24")], ..from(6, "own") },
    ] {
        assert_eq!(create(own), (Kind::Forbidden, text.to_owned()));
    }
    let text = "network driver options are not supported if the network depends on a configuration network";
    let own = NetworkSpec { options: word(), ..from(6, "own") };
    assert_eq!(create(own), (Kind::Forbidden, text.to_owned()));

    for name in ["lab", "nothing"] {
        let text = format!("configuration network {name:?} does not exist");
        let lost = NetworkSpec { config_from: Some(name.to_owned()), ..spec(6, "lost") };
        assert_eq!(create(lost), (Kind::NotFound, text));
    }
}

#[test]
fn nothing_connects_to_a_template() {
    let mut model = with_template();
    let text = "cannot create endpoint on configuration-only network";
    let refusal = refused(model.connect(endpoint(1, 5)));
    assert_eq!(refusal, (Kind::Forbidden, text.to_owned()));
    assert!(model.endpoints_of_sandbox(sandbox(1)).is_empty());
}

/// Its pools may overlap, since they are nobody's: nothing is taken there, and nothing comes free.
#[test]
fn reservations_mean_nothing_to_a_template() {
    let mut model = Model::default();
    let name: hawser_model::NetworkName = "template".parse().unwrap();
    let kept = [[10, 1, 1, 3].into()].into();
    model.reserve(sandbox(1), &name, kept);
    let router = [("router".to_owned(), [10, 1, 1, 3].into())].into();
    let inner = PoolSpec { auxiliary: router, ..pool("10.1.1.0/29") };
    let pools = vec![pool("10.1.0.0/16"), inner];
    let template = NetworkSpec { config_only: true, pools, ..spec(5, "template") };
    model.create_network(template, &around()).unwrap();
    model.end_reservations(sandbox(1));
    assert_eq!(Model::from_records(model.records()), Ok(model));
}

#[test]
fn a_lost_template_is_a_contradiction() {
    let mut model = with_template();
    model.create_network(from(4 + 2, "made"), &with_v6()).unwrap();
    let mut records = model.records();
    assert_eq!(Model::from_records(records.clone()), Ok(model));
    records.networks.retain(|network| network.id != net(5));
    assert!(matches!(Model::from_records(records), Err(Error::Records(_))));
}
