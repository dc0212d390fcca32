//! What is promised of published ports, held against a report.

use super::curve::{ATTACH, PUBLISH, STEPS_OF_CONTAINERS, STEPS_OF_PORTS};
use super::ranges::{Many, many};
use super::traffic::{BY_HAND, CONNECTIONS, THROUGHPUT};
use crate::check::{CROWDED_MORE, CROWDED_TIMES, at_most};
use crate::hosts::HAWSER;
use crate::report::Report;

/// What a thousand published ports may add to a start, in milliseconds.
const THOUSAND_PORTS_MS: f64 = 20.0;
/// What the thousandth container may take longer to connect than the first, in milliseconds: the kernel
/// walks all ports of a bridge, and a broadcast reaches them all.
const THOUSANDTH_MS: f64 = 6.0;
/// What there must be of the connections and of the throughput of a rule by hand.
const OF_BY_HAND: f64 = 0.95;

/// The promises that are not kept, with the figures.
pub fn broken(report: &Report) -> Vec<String> {
    [of_ranges(report), of_curves(report), of_traffic(report)].concat()
}

fn of_ranges(report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    let of = |what, ports| report.median(&many(what, ports), HAWSER).unwrap_or(f64::NAN);
    let (one, thousand) = (of(Many::Start, 1), of(Many::Start, 1000));
    if !at_most(thousand, one + THOUSAND_PORTS_MS) {
        let limit = THOUSAND_PORTS_MS;
        broken.push(format!("1000 ports within {limit} ms of one: {thousand:.1}, {one:.1} ms"));
    }
    for what in [Many::Processes, Many::Rules] {
        let (one, thousand) = (of(what, 1), of(what, 1000));
        if !at_most(thousand, one) {
            broken.push(format!("{} as with one: {thousand}, {one}", many(what, 1000)));
        }
    }
    broken
}

/// The best of each, as for networks among a thousand.
fn of_curves(report: &Report) -> Vec<String> {
    let last = |what, steps: &[(usize, &'static str)], more| {
        let best = |step: &str| report.best(what, step).unwrap_or(f64::NAN);
        let ((_, first), (_, last)) = (steps.first()?, steps.last()?);
        let (at_first, at_last) = (best(first), best(last));
        let kept = at_most(at_last, at_first * CROWDED_TIMES + more);
        (!kept).then(|| format!("{what}, {last} as {first}: {at_last:.2}, {at_first:.2} ms"))
    };
    let attach = last(ATTACH, &STEPS_OF_CONTAINERS, THOUSANDTH_MS);
    attach.into_iter().chain(last(PUBLISH, &STEPS_OF_PORTS, CROWDED_MORE)).collect()
}

fn of_traffic(report: &Report) -> Vec<String> {
    let of = |what: &str, who: &str| report.median(what, who).unwrap_or(f64::NAN);
    let lacking = |what: &&str| !at_most(of(what, BY_HAND) * OF_BY_HAND, of(what, HAWSER));
    let tell = |what: &str| {
        format!("{what} as of a {BY_HAND}: {:.1}, {:.1}", of(what, HAWSER), of(what, BY_HAND))
    };
    [CONNECTIONS, THROUGHPUT].into_iter().filter(lacking).map(tell).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::Unit;

    /// Figures of one port and the first of all, and of the last, with a rule by hand of 100.
    fn report(thousand: u64, rules: f64, last: u64, traffic: f64) -> Report {
        let mut report = Report::default();
        let ms = Duration::from_millis;
        for (ports, start, count) in [(1, 30, 60.0), (1000, thousand, rules)] {
            report.add(&many(Many::Start, ports), HAWSER, ms(start));
            report.add_figure(&many(Many::Rules, ports), HAWSER, Unit::Count, count);
            report.add_figure(&many(Many::Processes, ports), HAWSER, Unit::Count, 2.0);
        }
        for (what, steps) in [(ATTACH, &STEPS_OF_CONTAINERS), (PUBLISH, &STEPS_OF_PORTS)] {
            report.add(what, steps[0].1, ms(2));
            report.add(what, steps[3].1, ms(last));
        }
        for what in [CONNECTIONS, THROUGHPUT] {
            report.add_figure(what, HAWSER, Unit::PerSecond, traffic);
            report.add_figure(what, BY_HAND, Unit::PerSecond, 100.0);
        }
        report
    }

    #[test]
    fn each_is_told_when_it_is_not_kept() {
        assert_eq!(broken(&report(50, 60.0, 3, 95.0)), Vec::<String>::new());
        assert_eq!(broken(&report(51, 60.0, 3, 95.0)).len(), 1);
        assert_eq!(broken(&report(50, 61.0, 3, 95.0)).len(), 1);
        assert_eq!(broken(&report(50, 60.0, 4, 95.0)).len(), 1);
        assert_eq!(broken(&report(50, 60.0, 10, 95.0)).len(), 2);
        assert_eq!(broken(&report(50, 60.0, 3, 94.9)).len(), 2);
        assert_eq!(broken(&Report::default()).len(), 7);
    }
}
