//! `GET /hawser/metrics`: numbers, for Prometheus.
//!
//! In: the engine's numbers. Out: text of exposition format 0.0.4. Upstreams are labels: those that
//! are asked least are put together when there are many, since the words of a user make them.

use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use hawser_engine::system::{Metrics, Tally, UpstreamTally};
use http::header;

use crate::Shared;

/// How many upstreams are told apart.
const UPSTREAMS: usize = 100;

pub async fn handle(State(engine): Shared) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, text(&engine.metrics())).into_response()
}

fn text(metrics: &Metrics) -> String {
    let mut page = Page::default();
    engine(&mut page, metrics);
    names(&mut page, &metrics.names);
    upstreams(&mut page, &metrics.names);
    page.0
}

/// Lines, metric by metric.
#[derive(Default)]
struct Page(String);

impl Page {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let labels: Vec<_> =
            labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A metric of one line.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.begin(name, kind, help);
        self.line(name, &[], value);
    }
}

/// The first two have Docker's names: dashboards made for it find them.
fn engine(page: &mut Page, metrics: &Metrics) {
    let name = "engine_daemon_engine_info";
    page.begin(name, "gauge", "The engine.");
    page.line(name, &[("version", &metrics.version)], 1);
    let name = "engine_daemon_container_states_containers";
    page.begin(name, "gauge", "Containers, by state.");
    let counts = metrics.containers;
    let states =
        [("paused", counts.paused), ("running", counts.running), ("stopped", counts.stopped)];
    for (state, count) in states {
        page.line(name, &[("state", &state)], count);
    }
    page.one("hawser_networks", "gauge", "Networks.", metrics.networks);
    page.one("hawser_endpoints", "gauge", "Endpoints of running containers.", metrics.endpoints);
    page.one("hawser_held_ports", "gauge", "Ports of the host that are held.", metrics.held_ports);
    let help = "Sandboxes in which names are answered.";
    page.one("hawser_dns_sandboxes", "gauge", help, metrics.name_services);
}

fn names(page: &mut Page, tally: &Tally) {
    let help = "Questions of containers.";
    page.one("hawser_dns_queries_total", "counter", help, tally.queries);
    let name = "hawser_dns_answers_total";
    page.begin(name, "counter", "How they were answered.");
    for (by, count) in [
        ("names", tally.local),
        ("cache", tally.cached),
        ("upstream", tally.forwarded),
        ("same_question", tally.coalesced),
        ("limit", tally.limited),
        ("malformed", tally.malformed),
    ] {
        page.line(name, &[("by", &by)], count);
    }
    let help = "Questions that no upstream gave a good answer to.";
    page.one("hawser_dns_failures_total", "counter", help, tally.failed);
}

fn upstreams(page: &mut Page, tally: &Tally) {
    let all = told_apart(tally);
    let name = "hawser_dns_upstream_queries_total";
    page.begin(name, "counter", "Questions sent to an upstream.");
    for (upstream, one) in &all {
        page.line(name, &[("upstream", upstream)], one.asked);
    }
    let name = "hawser_dns_upstream_answers_total";
    page.begin(name, "counter", "Good answers of an upstream.");
    for (upstream, one) in &all {
        page.line(name, &[("upstream", upstream)], one.answered);
    }
    let name = "hawser_dns_upstream_failures_total";
    page.begin(name, "counter", "Questions that an upstream did not answer well.");
    for (upstream, one) in &all {
        for (reason, count) in [
            ("error", one.errors),
            ("refused", one.refused),
            ("servfail", one.servfail),
            ("timeout", one.timeouts),
        ] {
            page.line(name, &[("upstream", upstream), ("reason", &reason)], count);
        }
    }
    let name = "hawser_dns_upstream_latency_seconds";
    page.begin(name, "gauge", "How long an upstream takes to answer.");
    let known = all.iter().filter_map(|(upstream, one)| Some((upstream, one.latency?)));
    for (upstream, latency) in known {
        page.line(name, &[("upstream", upstream)], latency.as_secs_f64());
    }
    let name = "hawser_dns_upstream_healthy";
    page.begin(name, "gauge", "Whether an upstream is asked in its turn.");
    for (upstream, one) in &all {
        page.line(name, &[("upstream", upstream)], u8::from(one.healthy));
    }
}

/// The upstreams by their addresses, those that are asked least together as `others`.
fn told_apart(tally: &Tally) -> Vec<(String, UpstreamTally)> {
    let mut all: Vec<(&SocketAddr, &UpstreamTally)> = tally.upstreams.iter().collect();
    all.sort_by_key(|(_, one)| std::cmp::Reverse(one.asked));
    let (most, rest) = all.split_at(all.len().min(UPSTREAMS));
    let mut told: Vec<_> = most.iter().map(|(at, one)| (at.to_string(), (*one).clone())).collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    if !rest.is_empty() {
        let others = rest.iter().fold(UpstreamTally::default(), |sum, (_, one)| together(sum, one));
        told.push(("others".to_owned(), others));
    }
    told
}

fn together(sum: UpstreamTally, one: &UpstreamTally) -> UpstreamTally {
    UpstreamTally {
        asked: sum.asked + one.asked,
        answered: sum.answered + one.answered,
        timeouts: sum.timeouts + one.timeouts,
        servfail: sum.servfail + one.servfail,
        refused: sum.refused + one.refused,
        errors: sum.errors + one.errors,
        latency: None::<Duration>,
        healthy: sum.healthy | one.healthy,
    }
}

#[cfg(test)]
mod tests {
    use hawser_engine::system::ContainerCounts;

    use super::*;

    fn metrics(upstreams: u16) -> Metrics {
        let one = |n: u16| UpstreamTally {
            asked: u64::from(n),
            latency: Some(Duration::from_micros(1500)),
            healthy: true,
            ..UpstreamTally::default()
        };
        let address = |n: u16| SocketAddr::from(([10, 0, 0, 1], n));
        let upstreams = (1..=upstreams).map(|n| (address(n), one(n))).collect();
        Metrics {
            version: "1.2.3",
            containers: ContainerCounts { total: 3, running: 2, paused: 0, stopped: 1 },
            networks: 4,
            endpoints: 2,
            held_ports: 1,
            name_services: 2,
            names: Tally { queries: 7, local: 5, forwarded: 2, upstreams, ..Tally::default() },
        }
    }

    #[test]
    fn it_reads_as_prometheus_wants_it() {
        let text = text(&metrics(1));
        for line in [
            "engine_daemon_engine_info{version=\"1.2.3\"} 1",
            "engine_daemon_container_states_containers{state=\"running\"} 2",
            "# TYPE hawser_dns_queries_total counter",
            "hawser_dns_queries_total 7",
            "hawser_dns_answers_total{by=\"names\"} 5",
            "hawser_dns_upstream_queries_total{upstream=\"10.0.0.1:1\"} 1",
            "hawser_dns_upstream_failures_total{upstream=\"10.0.0.1:1\",reason=\"timeout\"} 0",
            "hawser_dns_upstream_latency_seconds{upstream=\"10.0.0.1:1\"} 0.0015",
            "hawser_dns_upstream_healthy{upstream=\"10.0.0.1:1\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line}:\n{text}");
        }
        // Each metric is told of once, before its lines.
        let mut told: Vec<_> = text.lines().filter(|l| l.starts_with("# TYPE ")).collect();
        let all = told.len();
        told.dedup();
        assert_eq!(told.len(), all);
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn many_upstreams_are_put_together() {
        let told = told_apart(&metrics(103).names);
        assert_eq!(told.len(), 101);
        let (name, others) = &told[100];
        assert_eq!((name.as_str(), others.asked, others.latency), ("others", 6, None));
    }
}
