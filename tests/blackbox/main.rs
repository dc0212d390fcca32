//! Black-box tests: an engine on a test host, driven by real clients through its socket.
//!
//! One module for each section of the walkthroughs (what people do with container networks, command
//! by command), and one for each part of the engine. Every promise is checked from outside: what the
//! client prints, what the container sees, what the host has. `HAWSER_TEST_ENGINE=docker` runs the
//! same tests against Debian's dockerd 20.10, which shows that the tests ask for what Docker does;
//! where hawser follows a later Docker or does more, the test says so and why.

#![expect(clippy::unwrap_used, reason = "all of it is tests")]

/// Makes of a function `fn name(cli: Cli)` two tests, `name::with_docker` and `name::with_hawser`:
/// the same steps with the real `docker` client and with hawser's own.
macro_rules! with_both_clients {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[test]
            fn with_docker() {
                super::$name(hawser_testkit::Cli::Docker);
            }

            #[test]
            fn with_hawser() {
                super::$name(hawser_testkit::Cli::Hawser);
            }
        })+
    };
}

mod attach;
mod bad_input;
mod cgroups;
mod daemon_flags;
mod daemon_restart;
mod etc_files;
mod exec;
mod firewall;
mod hostile_archives;
mod images;
mod isolation_documents;
mod isolation_firewalls;
mod isolation_links;
mod isolation_neighbours;
mod isolation_networks;
mod isolation_outside;
mod isolation_street;
mod lifecycle;
mod logs;
mod name_server;
mod network_again;
mod network_beyond;
mod network_crash;
mod network_create;
mod network_dns;
mod network_endpoints;
mod network_events;
mod network_ipam;
mod network_ipv6;
mod network_links;
mod network_modes;
mod network_names;
mod network_names_follow;
mod network_refusals;
mod network_refusals_in_use;
mod network_resolvers;
mod network_resolvers_host;
mod own_port_53;
mod publish_from;
mod publishing;
mod refused;
mod registry;
mod registry_broken;
mod registry_hostile;
mod run;
mod seen;
mod source_guard;
mod stats;
mod volumes;
mod walkthrough1_modes;
mod walkthrough2_default_bridge;
mod walkthrough3_user_bridges;
mod walkthrough4_publishing;
mod walkthrough5_shared_namespace;
mod walkthrough6_by_hand;
mod walkthrough7_networks;
