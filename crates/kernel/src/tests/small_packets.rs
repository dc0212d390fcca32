//! Links with packets too small for IPv6, which take its settings with them: they work, and IPv6
//! does not come in when the packets grow.

use std::process::Command;

use hawser_hoststate::{commands, diff};

use super::attach::connect;
use super::*;

fn with_mtu(state: &HostState, mtu: u32) -> HostState {
    let changed = |object: &Object| match object {
        Object::Link(link) => Object::Link(Link { mtu, ..link.clone() }),
        other => other.clone(),
    };
    state.iter().map(|(_, object)| changed(object)).collect()
}

/// Who has an address of IPv6 in the thread's namespace, but for the loopback.
fn with_ipv6() -> Vec<String> {
    let addresses = std::fs::read_to_string("/proc/thread-self/net/if_inet6").expect("addresses");
    let links = addresses.lines().filter_map(|line| line.split_whitespace().last());
    links.filter(|link| *link != "lo").map(str::to_owned).collect()
}

/// Small packets, large ones, small ones again; each time `change` is what makes it so.
fn resize(kernel: &Kernel, change: impl Fn(&[Change])) {
    let large = union([&network(1), &endpoint(1, 2)]);
    let small = with_mtu(&large, 1000);
    let mut there = HostState::default();
    for wanted in [&small, &large, &small] {
        change(&diff(&there, wanted));
        assert_same(&kernel.observe().expect("observe"), wanted);
        connect(kernel, ip(1, 2), &namespace_of(2));
        let inside = kernel.in_namespace(&namespace_of(2), with_ipv6).expect("enter");
        assert_eq!((with_ipv6(), inside), (vec![], vec![]));
        there = wanted.clone();
    }
}

#[test]
fn packets_shrink_below_ipv6_and_grow_again() {
    on_test_host(|kernel| resize(kernel, |changes| kernel.apply(changes).expect("apply")));
}

#[test]
fn packets_shrink_and_grow_by_hand() {
    on_test_host(|kernel| {
        resize(kernel, |changes| {
            let lines = commands(changes, &|name| kernel.namespace_path(name)).join("\n");
            let typed = Command::new("sh").args(["-exc", &lines]).output().expect("sh");
            assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
        });
    });
}
