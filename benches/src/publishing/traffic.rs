//! New connections and throughput from a neighbour to a published port, against a rule written by
//! hand.
//!
//! One container is asked in two ways: by a port that is published, and by one that a rule written
//! by hand leads to it; all the rest is the same. Another host has the same container on the same
//! bridge, made by the same engine, but the daemon is gone with all its rules, and there are only
//! those that who has no engine would write: what is less there is what isolation costs. A third host
//! on their segment is the client, of all in turns.
//! All of it is pinned to one processor, and what counts is the processor time that it had: so the
//! figures say what a packet costs, not where the kernel puts it nor what else the machine does.

use anyhow::{Result, bail, ensure};
use hawser_testkit::{EngineKind, Options, Running, Segment, TestHost};
use serde_json::json;

use super::site::Site;
use crate::hosts::HAWSER;
use crate::report::{Report, Unit};
use crate::runner::Runner;

/// What the report calls the connections.
pub const CONNECTIONS: &str = "connections to a published port";
/// What it calls the throughput.
pub const THROUGHPUT: &str = "throughput of a published port";
/// What it calls the rule beside ours.
pub const BY_HAND: &str = "rule by hand";
/// The same where nothing else is.
const ALONE: &str = "by hand, alone";

/// Connections made at a time: some dozen milliseconds' worth.
const AT_A_TIME: u32 = 400;
/// So many times in a round.
const TIMES: usize = 5;
/// Port of the greeter, and of iperf3.
const GREETER: u16 = 80;
/// See [`GREETER`].
const IPERF: u16 = 81;
/// Where the two are published.
const PUBLISHED: [u16; 2] = [8088, 8081];
/// Where rules by hand lead to them.
const LED: [u16; 2] = [9088, 9081];

/// A host whose container is asked.
struct Served {
    host: TestHost,
    address: &'static str,
    /// Of the container.
    to: String,
    _servers: [Running; 2],
}

/// A way to ask it.
struct Way {
    name: &'static str,
    address: &'static str,
    ports: [u16; 2],
}

/// Runs one round that does not count, then `rounds` that do.
///
/// # Errors
/// When something does not answer.
pub fn measure(image: &str, rounds: usize, report: &mut Report) -> Result<()> {
    let segment = Segment::new();
    let client = TestHost::with(Options { engine: EngineKind::Hawser, ..Options::default() });
    client.join_segment(&segment, "wan0", "10.99.0.9/24");
    let served = [
        Served::start("10.99.0.2", &segment, image)?,
        Served::start("10.99.0.3", &segment, image)?,
    ];
    served[0].lead();
    served[1].host.kill_daemon();
    served[1].host.sh("nft flush ruleset").ok();
    served[1].lead();
    let ways = [
        Way { name: HAWSER, address: served[0].address, ports: PUBLISHED },
        Way { name: BY_HAND, address: served[0].address, ports: LED },
        Way { name: ALONE, address: served[1].address, ports: LED },
    ];
    let mut loads = ways.iter().map(|way| way.load(&client)).collect::<Result<Vec<_>>>()?;
    for round in 0..=rounds {
        for turn in 0..TIMES * ways.len() {
            let at = (turn + round) % ways.len();
            let took = loads[at].tell(&AT_A_TIME.to_string())?;
            if round > 0 {
                let rate = f64::from(AT_A_TIME) / took.as_secs_f64();
                report.add_figure(CONNECTIONS, ways[at].name, Unit::PerSecond, rate);
            }
        }
        for turn in 0..ways.len() {
            let way = &ways[(turn + round) % ways.len()];
            let rate = way.throughput(&client)?;
            if round > 0 {
                report.add_figure(THROUGHPUT, way.name, Unit::Throughput, rate);
            }
        }
    }
    Ok(())
}

impl Way {
    /// A program on `client` that connects there.
    fn load(&self, client: &TestHost) -> Result<Runner> {
        let to = format!("{}:{}", self.address, self.ports[0]);
        let program = std::env::current_exe()?.display().to_string();
        Ok(Runner::new(client.spawn(pinned(&[&program, "connect", &to]))))
    }

    /// Gigabits that the container got in a second of the processor.
    fn throughput(&self, client: &TestHost) -> Result<f64> {
        let port = self.ports[1].to_string();
        let words = ["iperf3", "--json", "--time", "1", "--client", self.address, "--port", &port];
        let output = client.run(pinned(&words));
        ensure!(output.status == 0, "{output}");
        let end = &output.json()["end"];
        let used = &end["cpu_utilization_percent"];
        let figures = (
            end["sum_received"]["bits_per_second"].as_f64(),
            used["host_total"].as_f64().zip(used["remote_total"].as_f64()),
        );
        let (Some(rate), Some((client, server))) = figures else { bail!("no figures: {output}") };
        Ok(rate / 1e9 / ((client + server) / 100.0))
    }
}

/// The same words, to run on the first processor alone.
fn pinned<'w>(words: &[&'w str]) -> Vec<&'w str> {
    [&["taskset", "--cpu-list", "0"], words].concat()
}

impl Served {
    fn start(address: &'static str, segment: &Segment, image: &str) -> Result<Served> {
        let host = TestHost::with(Options { engine: EngineKind::Hawser, ..Options::default() });
        host.join_segment(segment, "wan0", &format!("{address}/24"));
        host.start_daemon(&[]);
        host.load_busybox();
        let published = |port: u16| json!([{ "HostPort": port.to_string() }]);
        let ports = json!({ "80/tcp": published(PUBLISHED[0]), "81/tcp": published(PUBLISHED[1]) });
        let id = {
            let mut site = Site::open(HAWSER, &host, image)?;
            let id = site.create("bridge", &ports)?;
            site.start(&id)?;
            id
        };
        let of = |format: &str| host.docker().inspect(&id, format);
        let inside = format!("nsenter -t {} -n", of("{{.State.Pid}}"));
        let to = of("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
        let program = std::env::current_exe()?.display().to_string();
        let start = |words: &str| {
            let line = format!("exec {inside} taskset --cpu-list 0 {words}");
            host.spawn(["sh", "-c", &line])
        };
        let servers = [
            start(&format!("{program} greet {GREETER}")),
            start(&format!("iperf3 --server --forceflush --port {IPERF}")),
        ];
        servers[0].expect("ready");
        servers[1].expect("listening");
        Ok(Served { host, address, to, _servers: servers })
    }

    /// Leads ports to the container by hand: like ours, from every address of the host.
    fn lead(&self) {
        let to = &self.to;
        let rules = format!(
            "table ip by_hand {{
               chain prerouting {{
                 type nat hook prerouting priority dstnat - 1
                 tcp dport {greeter} fib daddr type local dnat to {to}:{GREETER}
                 tcp dport {iperf} fib daddr type local dnat to {to}:{IPERF}
               }}
               chain postrouting {{
                 type nat hook postrouting priority srcnat - 1
                 ip saddr {to} oifname \"wan0\" masquerade
               }}
             }}",
            greeter = LED[0],
            iperf = LED[1],
        );
        self.host.run_with_input(["nft", "-f", "-"], Some(rules.as_bytes())).ok();
    }
}
