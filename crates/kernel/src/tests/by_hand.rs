//! What `hoststate` prints is what `apply` does: the lines of each golden of the plan, run by a
//! shell, leave the host as `apply` leaves it.

#[path = "../../../plan/tests/scenarios/mod.rs"]
mod scenarios;

use std::process::Command;
use std::sync::mpsc::channel;

use hawser_hoststate::{commands, diff};
use hawser_plan::{Settings, plan, plan_all};

use super::*;
use scenarios::Step;

/// Runs a script that stops at the first line that fails.
fn run(lines: &[String]) {
    let script = format!("set -e\n{}\n", lines.join("\n"));
    let output = Command::new("sh").args(["-xc", &script]).output().expect("sh");
    let said = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = said.lines().rev().take(4).collect();
    assert!(output.status.success(), "{tail:#?}");
}

fn printed(kernel: &Kernel, changes: &[Change]) -> Vec<String> {
    commands(changes, &|name| kernel.namespace_path(name))
}

/// What some models expect to be there: somebody else's bridge, and addresses.
const THERE: [&str; 3] = [
    "ip link add docker0 type bridge",
    "ip address add fd00:9::1/128 dev lo nodad",
    "ip address add 192.0.2.1/32 dev lo",
];

/// What a host of its own, with the real skeleton, looks like after `change`.
fn host_after(change: impl FnOnce(&Kernel) + Send + 'static) -> HostState {
    let (sender, receiver) = channel();
    on_test_host(move |kernel| {
        let none = HostState::default();
        kernel.load_firewall(hawser_plan::SKELETONS, Ownership::Shared, &none).expect("skeleton");
        run(&THERE.map(str::to_owned));
        change(kernel);
        kernel.settle();
        let observed = kernel.observe().expect("observe");
        kernel.apply(&diff(&observed, &HostState::default())).expect("remove all");
        sender.send(visible(&observed)).expect("send");
    });
    receiver.recv().expect("observed")
}

/// What can be observed of a state where no daemon holds ports or answers names.
fn visible(state: &HostState) -> HostState {
    let shown = |object: &Object| {
        !matches!(object, Object::Sysctl(_) | Object::HeldPort(_) | Object::NameServer(_))
    };
    state.iter().map(|(_, object)| object.clone()).filter(shown).collect()
}

#[test]
fn models_are_built_by_hand_as_they_are_applied() {
    for (name, model) in scenarios::states() {
        eprintln!("{name}");
        let state = plan_all(&model, &Settings::default());
        let changes = diff(&HostState::default(), &state);
        let by_hand = changes.clone();
        let applied = host_after(move |kernel| kernel.apply(&changes).expect(name));
        assert_same(&applied, &visible(&state));
        let typed = host_after(move |kernel| run(&printed(kernel, &by_hand)));
        assert_same(&typed, &visible(&state));
    }
}

#[test]
fn changes_are_made_by_hand_as_they_are_applied() {
    for Step { name, before, after, touched } in scenarios::changes() {
        eprintln!("{name}");
        let settings = Settings::default();
        let (old, new) = (plan_all(&before, &settings), plan_all(&after, &settings));
        let first = diff(&HostState::default(), &old);
        let parts = [&before, &after].map(|model| plan(model, &touched, &settings));
        let (there, back) = (diff(&parts[0], &parts[1]), diff(&parts[1], &parts[0]));
        let typing = [first.clone(), there.clone()];
        let typed = host_after(move |kernel| {
            typing.iter().for_each(|changes| run(&printed(kernel, changes)));
        });
        assert_same(&typed, &visible(&new));
        let (sender, receiver) = channel();
        let returned = host_after(move |kernel| {
            kernel.apply(&first).expect(name);
            kernel.apply(&there).expect(name);
            kernel.settle();
            sender.send(kernel.observe().expect("observe")).expect("send");
            kernel.apply(&back).expect(name);
        });
        assert_same(&visible(&receiver.recv().expect("observed")), &visible(&new));
        assert_same(&returned, &visible(&old));
    }
}
