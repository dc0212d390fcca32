//! The skeleton and the words for its elements belong together.

use hawser_hoststate::SetName;
use hawser_plan::{SKELETON, SKELETON_MARK};

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

#[test]
fn the_mark_is_made_from_the_text() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in SKELETON.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    assert_eq!(SKELETON_MARK, format!("{hash:016x}"));
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
