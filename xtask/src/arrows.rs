//! Which crate may use which: arrows point down only, and the pure storey reaches no I/O.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::Finding;

/// What each of our crates may use of our own; the table is DESIGN.md §2 in code.
const ALLOWED: &[(&str, &[&str])] = &[
    ("hawser-hoststate", &[]),
    ("hawser-model", &["hawser-hoststate"]),
    ("hawser-plan", &["hawser-model", "hawser-hoststate"]),
    ("hawser-kernel", &["hawser-hoststate"]),
    ("hawser-store", &[]),
    ("hawser-dns", &["hawser-hoststate"]),
    ("hawser-relay", &["hawser-hoststate"]),
    ("hawser-runtime", &[]),
    ("hawser-images", &[]),
    ("hawser-registry", &[]),
    (
        "hawser-engine",
        &[
            "hawser-dns",
            "hawser-hoststate",
            "hawser-images",
            "hawser-kernel",
            "hawser-model",
            "hawser-plan",
            "hawser-registry",
            "hawser-relay",
            "hawser-runtime",
            "hawser-store",
        ],
    ),
    ("hawser-api", &["hawser-engine"]),
    ("hawserd", &["hawser-api", "hawser-engine"]),
    ("hawser", &[]),
    ("hawser-testkit", &[]),
    ("hawser-tests", &["hawser-testkit"]),
    ("hawser-bench", &["hawser-testkit"]),
    ("xtask", &[]),
];

/// The pure storey, and the only foreign crates it may use.
const PURE: &[&str] = &["hawser-hoststate", "hawser-model", "hawser-plan"];
const PURE_MAY_USE: &[&str] = &["ipnet", "rpds", "serde", "thiserror"];

/// Checks the dependencies that `cargo metadata` reports (not those of tests).
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut findings = Vec::new();
    for package in packages(root)? {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(ours) = allowed.get(name) else {
            findings.push(finding(
                name,
                "crate is not in the table of xtask/src/arrows.rs: place it on a storey",
            ));
            continue;
        };
        for used in normal_dependencies(&package) {
            let own = allowed.contains_key(used);
            if own && !ours.contains(&used) {
                findings.push(finding(name, &format!("uses {used}: arrows point down only, and adapters don't know one another (DESIGN.md §2)")));
            }
            if PURE.contains(&name) && !own && !PURE_MAY_USE.contains(&used) {
                findings.push(finding(name, &format!("uses {used}: a pure crate does no I/O and knows no clock, environment or randomness; pass the value in")));
            }
        }
    }
    Ok(findings)
}

fn packages(root: &Path) -> Result<Vec<Value>> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output()
        .context("run cargo metadata")?;
    anyhow::ensure!(
        out.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let all: Value = serde_json::from_slice(&out.stdout).context("read cargo metadata")?;
    Ok(all["packages"].as_array().cloned().unwrap_or_default())
}

fn normal_dependencies(package: &Value) -> Vec<&str> {
    let list = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter(|d| d["kind"].is_null()).filter_map(|d| d["name"].as_str()).collect()
}

fn finding(name: &str, what: &str) -> Finding {
    Finding { place: format!("{name} (Cargo.toml)"), what: what.to_owned() }
}
