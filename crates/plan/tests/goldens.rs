//! Goldens of the plan: a model in, `ip`/`nft` lines out, for the options that matter.
//! `INSTA_UPDATE=always cargo test -p hawser-plan` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

mod scenarios;

use std::path::PathBuf;

use hawser_hoststate::{Change, HostState, NamespaceName, commands, diff};
use hawser_model::{EndpointId, EndpointSpec};
use hawser_plan::{Settings, plan, plan_all};

use scenarios::{Case, Step, changes, net, sandbox, states};

fn lines(changes: &[Change]) -> String {
    let pin = |ns: &NamespaceName| PathBuf::from(format!("/run/hawser/netns/{ns}"));
    commands(changes, &pin).iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_a_model_needs_of_the_host() {
    for (name, model) in states() {
        let state = plan_all(&model, &Settings::default());
        insta::assert_snapshot!(name, lines(&diff(&HostState::default(), &state)));
    }
}

#[test]
fn what_a_change_does_to_the_host() {
    let settings = Settings::default();
    for Step { name, before, after, touched } in changes() {
        let (old, new) = (plan(&before, &touched, &settings), plan(&after, &touched, &settings));
        insta::assert_snapshot!(name, lines(&diff(&old, &new)));
    }
}

/// Fragments add up: what an operation plans for what it touched is all that changes.
#[test]
fn fragments_add_up() {
    let settings = Settings::default();
    for Step { name, before, after, touched } in changes() {
        let whole = diff(&plan_all(&before, &settings), &plan_all(&after, &settings));
        let (old, new) = (plan(&before, &touched, &settings), plan(&after, &touched, &settings));
        assert_eq!(whole, diff(&old, &new), "{name}");
    }
    let case = Case::predefined().sandbox(1, |_| {});
    let mut model = case.model.clone();
    let spec = EndpointSpec::new(EndpointId::from_bytes([7; 32]), net(1), sandbox(1));
    let touched = model.connect(spec).unwrap();
    let whole = diff(&plan_all(&case.model, &settings), &plan_all(&model, &settings));
    let (old, new) = (plan(&case.model, &touched, &settings), plan(&model, &touched, &settings));
    assert_eq!(whole, diff(&old, &new));
    assert!(!whole.is_empty());
}
