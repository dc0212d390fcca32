//! Changes of a model in use.

use hawser_model::{
    EndpointId, EndpointSpec, Model, NetworkChange, PoolSpec, SandboxSpec, Touched,
};

use super::states::links_without_icc;
use super::{Case, dual_stack, net, nothing, options, pool, publish, sandbox};

/// A change: what was, what is, and what was touched.
pub struct Step {
    pub name: &'static str,
    pub before: Model,
    pub after: Model,
    pub touched: Touched,
}

/// Every change.
pub fn changes() -> Vec<Step> {
    let update = |name, options: &[(&str, &str)]| updated(name, options, &[]);
    vec![
        // Route and ports move to the other network, and nothing else is touched.
        step("disconnect_moves_the_way_out", on_two_networks(), |model| {
            model.disconnect(sandbox(1), net(4)).unwrap()
        }),
        // What the kernel takes along is not listed.
        step("removing_a_sandbox", on_two_networks(), |model| {
            model.remove_sandbox(sandbox(1)).unwrap()
        }),
        update("update_mtu", &[("com.docker.network.driver.mtu", "1400")]),
        update("update_icc", &[("com.docker.network.bridge.enable_icc", "false")]),
        update(
            "update_masquerading",
            &[("com.docker.network.bridge.enable_ip_masquerade", "false")],
        ),
        update("update_source_guard", &[("hawser.source_guard", "false")]),
        updated("update_adds_a_subnet", &[], &["10.9.0.0/24", "fd00:9::/64"]),
        updated(
            "update_all_at_once",
            &[
                ("com.docker.network.driver.mtu", "1400"),
                ("com.docker.network.bridge.enable_icc", "false"),
                ("com.docker.network.bridge.enable_ip_masquerade", "false"),
            ],
            &["10.9.0.0/24"],
        ),
        update("update_publish_from", &[("hawser.publish_from", "10.0.0.0/8")]),
        step("the_end_of_who_is_linked_to", links_without_icc(), |model| {
            model.remove_sandbox(sandbox(1)).unwrap()
        }),
        step("a_name_server_comes_with_the_first_names", on_the_default_bridge(), |model| {
            let endpoint = EndpointId::from_bytes([7; 32]);
            model.connect(EndpointSpec::new(endpoint, net(4), sandbox(1))).unwrap()
        }),
        step("a_sandbox_asks_the_host", on_the_default_bridge(), |model| {
            model.set_asks_host(sandbox(1), true).unwrap()
        }),
        step("a_rename_is_nothing_to_the_host", on_two_networks(), |model| {
            model.rename_network(net(4), "other".parse().unwrap()).unwrap()
        }),
    ]
}

fn step(name: &'static str, case: Case, change: impl FnOnce(&mut Model) -> Touched) -> Step {
    let before = case.model;
    let mut after = before.clone();
    let touched = change(&mut after);
    Step { name, before, after, touched }
}

fn on_the_default_bridge() -> Case {
    Case::predefined().network(4, nothing).sandbox(1, nothing).connect(1, 1, nothing)
}

fn on_two_networks() -> Case {
    let case = Case::predefined().network(4, nothing).network(5, nothing);
    let publishing = |s: &mut SandboxSpec| s.publications = vec![publish("0.0.0.0", 80, 80)];
    let case = case.sandbox(1, publishing).connect(1, 4, nothing);
    case.connect(1, 5, nothing).sandbox(2, nothing).connect(2, 4, nothing)
}

fn updated(name: &'static str, pairs: &[(&str, &str)], subnets: &[&str]) -> Step {
    let case = Case::predefined().network(4, |spec| {
        dual_stack(spec);
        spec.pools = vec![pool("10.8.0.0/24"), pool("fd00:8::/64")];
    });
    let case = case.two_on_it();
    let pools: Vec<PoolSpec> = subnets.iter().map(|subnet| pool(subnet)).collect();
    let options = options(pairs).into_iter().map(|(key, value)| (key, Some(value))).collect();
    let change = NetworkChange { options, pools, ..NetworkChange::default() };
    let around = case.around.clone();
    step(name, case, move |model| model.update_network(net(4), change, &around).unwrap())
}
