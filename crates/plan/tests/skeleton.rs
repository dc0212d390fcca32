//! The skeleton and the words for its elements belong together.

use hawser_hoststate::{SetName, TableFamily};
use hawser_plan::{BRIDGE_SKELETON, SKELETON, SKELETONS};

fn text(family: TableFamily) -> &'static str {
    match family {
        TableFamily::Inet => SKELETON,
        TableFamily::Bridge => BRIDGE_SKELETON,
    }
}

#[test]
fn every_set_is_declared_once_and_used() {
    for set in SetName::ALL {
        let (name, text) = (set.as_str(), text(set.family()));
        let declared = |kind: &str| text.matches(&format!("\t{kind} {name} {{")).count();
        assert_eq!(declared("set") + declared("map"), 1, "{name}");
        let used = text.split(|c: char| c.is_whitespace()).any(|w| w == format!("@{name}"));
        assert!(used, "{name}");
    }
}

#[test]
fn no_other_set_is_declared() {
    let declared = |line: &&str| line.starts_with("\tset ") || line.starts_with("\tmap ");
    let lines = SKELETONS.iter().flat_map(|text| text.lines());
    assert_eq!(lines.filter(declared).count(), SetName::ALL.len());
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
        let states = ["elements", "counter", "quota", "last"];
        assert!(!words.iter().any(|word| states.contains(word)), "{line}");
    }
}

#[test]
fn loading_keeps_the_elements() {
    for family in [TableFamily::Inet, TableFamily::Bridge] {
        let lines = text(family).lines();
        let commands = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '\t']));
        let table = format!("table {} hawser", family.as_str());
        assert_eq!(
            commands.collect::<Vec<_>>(),
            [
                format!("add {table}"),
                format!("flush {table}"),
                format!("{table} {{"),
                "}".to_owned()
            ]
        );
    }
}

/// Connections are not looked at in bridges: the kernel would begin to track all that they forward.
#[test]
fn bridges_know_of_no_connections() {
    for line in BRIDGE_SKELETON.lines() {
        assert!(!line.split_whitespace().any(|word| word == "ct"), "{line}");
    }
}
