//! The skeleton and the words for its elements belong together.

use hawser_hoststate::SetName;
use hawser_plan::{SKELETON, SKELETONS};

#[test]
fn every_set_is_declared_once_and_used() {
    for set in SetName::ALL {
        let name = set.as_str();
        let declared = |kind: &str| SKELETON.matches(&format!("\t{kind} {name} {{")).count();
        assert_eq!(declared("set") + declared("map"), 1, "{name}");
        let used = SKELETON.split(|c: char| c.is_whitespace()).any(|w| w == format!("@{name}"));
        assert!(used, "{name}");
    }
}

#[test]
fn no_other_set_is_declared() {
    let declared = |line: &&str| line.starts_with("\tset ") || line.starts_with("\tmap ");
    assert_eq!(SKELETON.lines().filter(declared).count(), SetName::ALL.len());
}

/// What was loaded is read back and compared, rule by rule: it must not have what changes by itself,
/// nor what has no name to be found by.
#[test]
fn it_reads_back_as_it_is() {
    for line in SKELETONS.iter().flat_map(|text| text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let opens = line.matches('{').count();
        assert!(opens == 0 || line.trim_end().ends_with('{'), "a set without a name: {line}");
        assert!(
            !words.iter().any(|w| ["elements", "counter", "quota", "last"].contains(w)),
            "{line}"
        );
    }
}

#[test]
fn loading_keeps_the_elements() {
    let commands: Vec<&str> = SKELETON
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '\t']))
        .collect();
    assert_eq!(
        commands,
        ["add table inet hawser", "flush table inet hawser", "table inet hawser {", "}"]
    );
}
