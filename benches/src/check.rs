//! The promises, held against a report.

use crate::hosts::{DOCKER, HAWSER};
use crate::report::{BARE, Report, mebibytes};

/// How many times quicker than Docker a start on the bridge is.
const TIMES_QUICKER: f64 = 4.0;
/// What the engine may add to bare conmon and crun, in milliseconds.
const OVERHEAD_MS: f64 = 15.0;
/// The most memory of an idle daemon, and the largest program.
const MEBIBYTES: f64 = 25.0;

/// The promises that are not kept, with the figures.
pub fn broken(report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    let of = |what: &str, engine: &str| report.median(what, engine).unwrap_or(f64::NAN);
    let start = of("start, bridge", HAWSER);
    let (docker, bare) = (of("start, bridge", DOCKER), of("create + start", BARE));
    // A missing figure is NaN, and no promise holds of that.
    if !matches!((docker / start).partial_cmp(&TIMES_QUICKER), Some(order) if order.is_ge()) {
        broken.push(format!(
            "start on the bridge {TIMES_QUICKER} times quicker: {start:.1} against {docker:.1} ms"
        ));
    }
    if !matches!((start - bare).partial_cmp(&OVERHEAD_MS), Some(order) if order.is_le()) {
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

    #[test]
    fn promises() {
        assert_eq!(broken(&report(30, 140, 22, 15)), Vec::<String>::new());
        assert_eq!(broken(&report(30, 100, 22, 15)).len(), 1);
        assert_eq!(broken(&report(30, 140, 10, 30)).len(), 2);
        assert_eq!(broken(&Report::default()).len(), 2);
    }
}
