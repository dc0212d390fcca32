//! The promises, held against a report.

use crate::hosts::{CROWDED, DOCKER, HAWSER};
use crate::publishing;
use crate::report::{BARE, Report, mebibytes};

/// How many times quicker than Docker a start on the bridge is.
const TIMES_QUICKER: f64 = 4.0;
/// What the engine may add to bare conmon and crun, in milliseconds.
const OVERHEAD_MS: f64 = 15.0;
/// The most memory of an idle daemon, and the largest program.
const MEBIBYTES: f64 = 25.0;

/// How many times quicker than Docker each verb of networks is: about half of what is measured.
const VERBS_QUICKER: [(&str, f64); 4] = [
    ("network create", 20.0),
    ("network connect", 6.0),
    ("network disconnect", 12.0),
    ("network rm", 50.0),
];
/// How many times as long a verb may take among a thousand networks, and what comes on top of it:
/// the kernel walks all routes when a link goes down, and all elements of a set of intervals when
/// one changes.
pub const CROWDED_TIMES: f64 = 1.5;
/// See [`CROWDED_TIMES`]; in milliseconds.
pub const CROWDED_MORE: f64 = 0.75;

/// The promises that are not kept, with the figures.
pub fn broken(report: &Report) -> Vec<String> {
    let mut broken = broken_of_engines(report);
    broken.extend(publishing::broken(report));
    broken
}

/// Those of starts and networks, beside Docker and bare programs, and of sizes.
fn broken_of_engines(report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    let of = |what: &str, engine: &str| report.median(what, engine).unwrap_or(f64::NAN);
    let (start, bare) = (of("start, bridge", HAWSER), of("create + start", BARE));
    for (verb, times) in [("start, bridge", TIMES_QUICKER)].iter().chain(&VERBS_QUICKER) {
        let (own, docker) = (of(verb, HAWSER), of(verb, DOCKER));
        if !at_most(own * times, docker) {
            broken.push(format!("{verb} {times} times quicker: {own:.2} against {docker:.2} ms"));
        }
    }
    // The best of each: all network namespaces of a machine share one lock, and what others do with
    // it has nothing to do with how many networks there are.
    let best = |what: &str, engine: &str| report.best(what, engine).unwrap_or(f64::NAN);
    for (verb, _) in VERBS_QUICKER {
        let (own, crowded) = (best(verb, HAWSER), best(verb, CROWDED));
        if !at_most(crowded, own * CROWDED_TIMES + CROWDED_MORE) {
            broken.push(format!("{verb} among many as alone: {crowded:.2} against {own:.2} ms"));
        }
    }
    if !at_most(start - bare, OVERHEAD_MS) {
        broken.push(format!("within {OVERHEAD_MS} ms of {BARE}: {start:.1} against {bare:.1} ms"));
    }
    let idle = report.resident.iter().filter(|(name, _)| *name == format!("{HAWSER} (idle)"));
    for (name, bytes) in idle.chain(&report.programs) {
        if mebibytes(*bytes) >= MEBIBYTES {
            broken.push(format!("{name} below {MEBIBYTES} MiB: {:.1}", mebibytes(*bytes)));
        }
    }
    broken
}

/// Whether a figure keeps to a limit. A missing one is NaN, which keeps to none.
pub fn at_most(figure: f64, limit: f64) -> bool {
    figure <= limit
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report(hawser: u64, docker: u64, bare: u64, idle: u64) -> Report {
        let mut report = Report::default();
        report.add("start, bridge", HAWSER, Duration::from_millis(hawser));
        report.add("start, bridge", DOCKER, Duration::from_millis(docker));
        report.add("create + start", BARE, Duration::from_millis(bare));
        report.resident.push((format!("{HAWSER} (idle)"), idle << 20));
        report
    }

    fn with_verbs(mut report: Report, docker: u64, crowded: u64) -> Report {
        for (verb, _) in VERBS_QUICKER {
            report.add(verb, HAWSER, Duration::from_millis(1));
            report.add(verb, DOCKER, Duration::from_millis(docker));
            report.add(verb, CROWDED, Duration::from_micros(crowded));
        }
        report
    }

    #[test]
    fn promises() {
        let of = |start, docker, bare, idle| {
            let report = with_verbs(report(start, docker, bare, idle), 60, 2200);
            broken_of_engines(&report)
        };
        assert_eq!(of(30, 140, 22, 15), Vec::<String>::new());
        assert_eq!(of(30, 100, 22, 15).len(), 1);
        assert_eq!(of(30, 140, 10, 30).len(), 2);
        assert_eq!(broken_of_engines(&Report::default()).len(), 10);
    }

    #[test]
    fn promises_of_networks() {
        let of = |docker, crowded| {
            broken_of_engines(&with_verbs(report(30, 140, 22, 15), docker, crowded))
        };
        assert_eq!(of(15, 2200).len(), 2, "create and rm are not quick enough");
        assert_eq!(of(60, 2300).len(), 4, "none is as quick among many");
    }
}
