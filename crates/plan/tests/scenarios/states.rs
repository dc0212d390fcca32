//! Models by themselves.

use hawser_model::{
    EndpointSpec, IpamDriver, Mode, Model, NetworkSpec, PoolSpec, Publication, SandboxSpec,
    Transport,
};

use super::{Case, dual_stack, nothing, options, pool, publish, sandbox};

/// Every model with its name.
pub fn states() -> Vec<(&'static str, Model)> {
    let all = [
        ("default_bridge", default_bridge()),
        ("default_bridge_that_asks_the_host", default_bridge_that_asks_the_host()),
        ("host_none_and_shared_sandboxes", host_none_and_shared_sandboxes()),
        ("user_bridge_with_options", user_bridge_with_options()),
        ("internal", internal()),
        ("without_icc_and_with_an_mtu", without_icc_and_with_an_mtu()),
        ("dual_stack_and_ipv6_only", dual_stack_and_ipv6_only()),
        ("ways_out_by_family", ways_out_by_family()),
        ("publications", publications()),
        ("two_networks_on_one_sandbox", two_networks_on_one_sandbox()),
        ("sysctls_asked_for", sysctls_asked_for()),
        ("existing_bridge", existing_bridge()),
        ("mode_nat_unprotected", modes("nat-unprotected", "nat-unprotected")),
        ("mode_routed", modes("routed", "routed")),
        ("mode_nat_and_routed", modes("nat", "routed")),
        ("mode_isolated", mode_isolated()),
        ("inhibit_ipv4", with_options(&[("com.docker.network.bridge.inhibit_ipv4", "true")])),
        ("trusted_links", with_options(&[TRUSTED])),
        ("certain_source_addresses", with_options(&[HOST_IPV4, HOST_IPV6])),
        ("without_masquerading", with_options(&[HOST_IPV4, HOST_IPV6, NO_MASQUERADE])),
        ("without_source_guard", with_options(&[("hawser.source_guard", "false")])),
        ("several_pools", several_pools(nothing)),
        ("several_pools_inside", several_pools(|spec| spec.internal = true)),
        ("smallest_subnets", smallest_subnets()),
        ("link_local_addresses", link_local_addresses()),
        ("interface_options", interface_options()),
        ("addresses_of_others", addresses_of_others()),
        ("only_a_template", only_a_template()),
        ("publish_from_some", publish_from_some()),
        ("publish_from_local_at_own_addresses", publish_from_local("routed", "nat-unprotected")),
        ("links_without_icc", links_without_icc()),
    ];
    all.into_iter().map(|(name, case)| (name, case.model)).collect()
}

const HOST_IPV4: (&str, &str) = ("com.docker.network.host_ipv4", "192.0.2.9");
const HOST_IPV6: (&str, &str) = ("com.docker.network.host_ipv6", "2001:db8::9");
const NO_MASQUERADE: (&str, &str) = ("com.docker.network.bridge.enable_ip_masquerade", "false");
const TRUSTED: (&str, &str) = ("com.docker.network.bridge.trusted_host_interfaces", "wan0:vxlan.1");

fn default_bridge() -> Case {
    Case::predefined().sandbox(1, nothing).connect(1, 1, nothing)
}

fn default_bridge_that_asks_the_host() -> Case {
    let mut case = default_bridge();
    case.model.set_asks_host(sandbox(1), true).unwrap();
    case
}

fn host_none_and_shared_sandboxes() -> Case {
    let case = Case::predefined().sandbox(1, |s| s.mode = Mode::Host).connect(1, 2, nothing);
    let case = case.sandbox(2, nothing).connect(2, 3, nothing);
    case.sandbox(3, |s| s.mode = Mode::Shared(sandbox(2)))
}

fn user_bridge_with_options() -> Case {
    let case = Case::new().network(4, |spec| {
        spec.pools = vec![PoolSpec {
            ip_range: Some("192.168.31.128/25".parse().unwrap()),
            gateway: Some("192.168.31.254".parse().unwrap()),
            next_hop: Some("192.168.31.253".parse().unwrap()),
            ..pool("192.168.31.0/24")
        }];
        spec.options = options(&[
            ("com.docker.network.bridge.name", "lab0"),
            NO_MASQUERADE,
            ("com.docker.network.container_iface_prefix", "lan"),
        ]);
    });
    case.sandbox(1, nothing).connect(1, 4, nothing).sandbox(2, nothing).connect(2, 4, |spec| {
        spec.ipv4 = Some([192, 168, 31, 25].into());
        spec.mac = Some("02:42:c0:a8:1f:19".parse().unwrap());
    })
}

fn internal() -> Case {
    Case::new().network(4, |spec| spec.internal = true).two_on_it()
}

fn without_icc_and_with_an_mtu() -> Case {
    let case = Case::new().network(4, |spec| {
        spec.options = options(&[
            ("com.docker.network.bridge.enable_icc", "false"),
            ("com.docker.network.driver.mtu", "1400"),
        ]);
    });
    case.sandbox(1, nothing).connect(1, 4, nothing)
}

fn ipv6_only(spec: &mut NetworkSpec) {
    (spec.ipv4, spec.ipv6) = (false, true);
}

fn dual_stack_and_ipv6_only() -> Case {
    let case = Case::new().network(4, dual_stack).network(5, ipv6_only);
    let case = case.sandbox(1, nothing).connect(1, 4, nothing);
    case.sandbox(2, nothing).connect(2, 5, nothing)
}

/// One network leads out with IPv4, the other one with IPv6.
fn ways_out_by_family() -> Case {
    let case = Case::new().network(4, nothing).network(5, ipv6_only);
    let all = [publish("0.0.0.0", 8080, 80), publish("::", 8080, 80)];
    let case = case.sandbox(1, |s| s.publications = all.to_vec());
    case.connect(1, 4, nothing).connect(1, 5, nothing)
}

fn publications() -> Case {
    let case = Case::new().network(4, nothing).network(5, dual_stack);
    let all = |s: &mut SandboxSpec| {
        s.publications = vec![
            publish("0.0.0.0", 8088, 80),
            publish("::", 8088, 80),
            publish("127.0.0.1", 9000, 90),
            publish("fd00:9::1", 9000, 90),
        ];
    };
    let other = |s: &mut SandboxSpec| {
        let udp = Publication { transport: Transport::Udp, ..publish("0.0.0.0", 8088, 53) };
        s.publications = vec![udp, publish("::", 8089, 80)];
    };
    let case = case.sandbox(1, all).connect(1, 5, nothing);
    case.sandbox(2, other).connect(2, 4, nothing)
}

fn two_networks_on_one_sandbox() -> Case {
    let case = Case::new().network(4, nothing).network(5, nothing);
    let publishing = |s: &mut SandboxSpec| s.publications = vec![publish("0.0.0.0", 80, 80)];
    let case = case.sandbox(1, publishing).connect(1, 4, nothing);
    case.connect(1, 5, |spec| spec.gw_priority = 1)
}

fn sysctls_asked_for() -> Case {
    Case::new().sandbox(1, |s| {
        s.sysctls = options(&[
            ("net.ipv4.ip_unprivileged_port_start", "1024"),
            ("net.ipv4.conf.lo.forwarding", "1"),
        ]);
    })
}

/// A bridge of somebody else's: no link, no address, and its own answer to "who has the gateway?".
fn existing_bridge() -> Case {
    let case = Case::new().network(4, |spec| {
        spec.options = options(&[
            ("com.docker.network.bridge.name", "docker0"),
            ("hawser.bridge.existing", "true"),
        ]);
    });
    case.sandbox(1, nothing).connect(1, 4, nothing)
}

fn with_options(pairs: &[(&str, &str)]) -> Case {
    let dual = |spec: &mut NetworkSpec| {
        dual_stack(spec);
        spec.options = options(pairs);
    };
    Case::new().network(4, dual).two_on_it()
}

fn modes(v4: &str, v6: &str) -> Case {
    with_options(&[
        ("com.docker.network.bridge.gateway_mode_ipv4", v4),
        ("com.docker.network.bridge.gateway_mode_ipv6", v6),
    ])
}

/// Also without any gateway: an internal network where the host takes no part.
fn mode_isolated() -> Case {
    let case = Case::new().network(4, |spec| {
        dual_stack(spec);
        spec.internal = true;
        spec.options = options(&[
            ("com.docker.network.bridge.gateway_mode_ipv4", "isolated"),
            ("com.docker.network.bridge.gateway_mode_ipv6", "isolated"),
        ]);
    });
    case.two_on_it()
}

/// The first IPv4 subnet is full with the first endpoint.
fn several_pools(change: impl FnOnce(&mut NetworkSpec)) -> Case {
    let case = Case::new().network(4, |spec| {
        dual_stack(spec);
        let subnets = ["10.8.0.0/30", "10.9.0.0/24", "fd00:8::/64", "fd00:9::/64"];
        spec.pools = subnets.map(pool).to_vec();
        change(spec);
    });
    case.two_on_it()
}

fn smallest_subnets() -> Case {
    let case = Case::new().network(4, |spec| {
        dual_stack(spec);
        spec.pools = ["10.8.0.0/31", "fd00:8::/127"].map(pool).to_vec();
    });
    case.sandbox(1, nothing).connect(1, 4, nothing)
}

fn link_local_addresses() -> Case {
    let case = Case::new().network(4, nothing).sandbox(1, nothing);
    case.connect(1, 4, |spec| {
        spec.link_local = vec!["169.254.8.8".parse().unwrap(), "fe80::8".parse().unwrap()];
    })
}

fn interface_options() -> Case {
    let case = Case::new().network(4, dual_stack).sandbox(1, nothing);
    case.connect(1, 4, |spec| {
        spec.driver_opts = options(&[
            ("com.docker.network.endpoint.ifname", "lan.5"),
            (
                "com.docker.network.endpoint.sysctls",
                "net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.accept_ra=2",
            ),
        ]);
    })
}

/// IPAM driver `null`: a wire and nothing on it, of one family and of both.
fn addresses_of_others() -> Case {
    let case = Case::new().network(4, |spec| spec.ipam_driver = IpamDriver::Null);
    let case = case.network(5, |spec| {
        dual_stack(spec);
        spec.ipam_driver = IpamDriver::Null;
    });
    let case = case.sandbox(1, |s| s.publications = vec![publish("0.0.0.0", 8080, 80)]);
    case.connect(1, 4, nothing).connect(1, 5, nothing)
}

/// The network lets some in, the container others at one of its ports, and all at another.
fn publish_from_some() -> Case {
    let case = Case::new().network(4, |spec| {
        dual_stack(spec);
        spec.options = options(&[("hawser.publish_from", "10.0.0.0/8,fd00:7::/64,iface:wan0")]);
    });
    let case = case.network(5, nothing);
    let case = case.sandbox(1, |s| {
        s.publications = ["0.0.0.0", "::"].map(|host| publish(host, 8080, 80)).to_vec();
        s.publications.extend([publish("192.0.2.1", 8081, 81), publish("0.0.0.0", 8082, 82)]);
        s.publish_from.ports.insert("81/tcp".into(), "192.0.2.0/24".parse().unwrap());
        s.publish_from.ports.insert("82/tcp".into(), "any".parse().unwrap());
    });
    let case = case.connect(1, 4, nothing);
    // What comes over IPv6 is relayed.
    let case = case.sandbox(2, |s| {
        s.publications = vec![publish("::", 8090, 80)];
        s.publish_from.all = Some("2001:db8::/32".parse().unwrap());
    });
    case.connect(2, 5, nothing)
}

fn publish_from_local(v4: &str, v6: &str) -> Case {
    with_options(&[
        ("com.docker.network.bridge.gateway_mode_ipv4", v4),
        ("com.docker.network.bridge.gateway_mode_ipv6", v6),
        ("hawser.publish_from", "local"),
    ])
}

/// One links to another, which exposes a port; a third may not.
pub fn links_without_icc() -> Case {
    let case = Case::new().network(4, |spec| {
        dual_stack(spec);
        spec.options = options(&[("com.docker.network.bridge.enable_icc", "false")]);
    });
    let case = case.sandbox(1, |s| s.exposed = vec![(Transport::Tcp, 80)]).connect(1, 4, nothing);
    let link = |e: &mut EndpointSpec| _ = e.links.insert("db".into(), "c1".into());
    case.sandbox(2, nothing).connect(2, 4, link).sandbox(3, nothing).connect(3, 4, nothing)
}

fn only_a_template() -> Case {
    Case::new().network(4, |spec| {
        spec.config_only = true;
        spec.pools = vec![pool("10.8.0.0/24")];
    })
}
