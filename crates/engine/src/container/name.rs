//! Names of containers: what is one, and random ones for those who give none.

use rand::seq::IndexedRandom;

use crate::error::{Error, Result};

/// Refuses what is no name.
///
/// # Errors
/// Invalid, in Docker's words.
pub(crate) fn check(name: &str) -> Result<()> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let good = name.len() >= 2
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && name.bytes().skip(1).all(inner);
    if good {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    )))
}

/// A random name of two words; after some tries in vain with a number behind.
pub(crate) fn random(attempt: u32) -> String {
    let mut rng = rand::rng();
    let first = FIRST.choose(&mut rng).copied().unwrap_or("calm");
    let second = SECOND.choose(&mut rng).copied().unwrap_or("harbour");
    match attempt {
        0..4 => format!("{first}_{second}"),
        _ => format!("{first}_{second}{}", rand::random_range(0..1_000_000)),
    }
}

const FIRST: [&str; 64] = [
    "able", "agile", "amber", "ample", "apt", "azure", "bold", "brave", "breezy", "bright",
    "brisk", "calm", "candid", "clear", "clever", "coral", "cosy", "crisp", "daring", "deft",
    "eager", "early", "even", "fair", "fleet", "fresh", "gentle", "glad", "golden", "grand",
    "happy", "hardy", "honest", "humble", "jolly", "keen", "kind", "lively", "loyal", "lucid",
    "lunar", "mellow", "merry", "mild", "neat", "nimble", "noble", "patient", "placid", "polar",
    "proud", "quick", "quiet", "rapid", "ready", "salty", "silver", "smooth", "steady", "sturdy",
    "sunny", "swift", "tidy", "warm",
];

const SECOND: [&str; 64] = [
    "anchor", "atoll", "ballast", "bay", "beacon", "berth", "boom", "bow", "breeze", "brig",
    "buoy", "cabin", "canal", "canoe", "capstan", "cleat", "clipper", "compass", "coxswain",
    "cutter", "deck", "dinghy", "dock", "dory", "estuary", "ferry", "fjord", "galley", "gull",
    "harbour", "haven", "helm", "hull", "inlet", "island", "jetty", "keel", "ketch", "lagoon",
    "lantern", "lock", "lugger", "mast", "mooring", "oar", "pier", "pilot", "port", "quay", "raft",
    "reef", "rigging", "rudder", "sail", "schooner", "sextant", "skiff", "sloop", "spar", "tide",
    "tiller", "trawler", "wharf", "yawl",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        for name in ["ab", "web-1", "A_b.c", "0x"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", "a", "-a", "a b", "ä1", "a/b", "_ab"] {
            let text = check(name).unwrap_err().to_string();
            let wanted = format!(
                "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            );
            assert_eq!(text, wanted);
        }
    }

    #[test]
    fn random_names_are_names() {
        for attempt in 0..6 {
            check(&random(attempt)).unwrap();
        }
    }
}
