//! New connections and throughput from a neighbour to a published port, against a rule written by
//! hand.
//!
//! Two hosts on one segment have the same container on the same bridge, made by the same engine. On
//! one, our tables lead to it; on the other the daemon is gone, and with it all its rules: instead
//! there are those that who has no engine would write. A third host is the client of both, in turns.
//! All of it is pinned to one processor, and what counts is the processor time that it had: so the
//! figures say what a packet costs, not where the kernel puts it nor what else the machine does.

use anyhow::{Result, bail, ensure};
use hawser_testkit::{EngineKind, Options, Running, Segment, TestHost};
use serde_json::json;

use super::site::Site;
use crate::report::{Report, Unit};
use crate::runner::Runner;

/// What the report calls the connections.
pub const CONNECTIONS: &str = "connections to a published port";
/// What it calls the throughput.
pub const THROUGHPUT: &str = "throughput of a published port";
/// What it calls the rule beside ours.
pub const BY_HAND: &str = "rule by hand";

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

/// A host whose container is asked.
struct Served {
    name: &'static str,
    host: TestHost,
    address: &'static str,
    _servers: [Running; 2],
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
        Served::start("hawser", "10.99.0.2", &segment, image)?,
        Served::start(BY_HAND, "10.99.0.3", &segment, image)?,
    ];
    served[1].write_by_hand();
    let connect = |host: &Served| {
        let to = format!("{}:{}", host.address, PUBLISHED[0]);
        let program = std::env::current_exe()?.display().to_string();
        Ok(Runner::new(client.spawn(pinned(&[&program, "connect", &to]))))
    };
    let mut loads = served.iter().map(connect).collect::<Result<Vec<_>>>()?;
    for round in 0..=rounds {
        for turn in 0..TIMES * 2 {
            let at = (turn + round) % 2;
            let took = loads[at].tell(&AT_A_TIME.to_string())?;
            if round > 0 {
                let rate = f64::from(AT_A_TIME) / took.as_secs_f64();
                report.add_figure(CONNECTIONS, served[at].name, Unit::PerSecond, rate);
            }
        }
        for turn in 0..2 {
            let host = &served[(turn + round) % 2];
            let rate = throughput(&client, host.address)?;
            if round > 0 {
                report.add_figure(THROUGHPUT, host.name, Unit::Throughput, rate);
            }
        }
    }
    Ok(())
}

/// Gigabits that the container got in a second of the processor.
fn throughput(client: &TestHost, address: &str) -> Result<f64> {
    let port = PUBLISHED[1].to_string();
    let words = ["iperf3", "--json", "--time", "1", "--client", address, "--port", &port];
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

/// The same words, to run on the first processor alone.
fn pinned<'w>(words: &[&'w str]) -> Vec<&'w str> {
    [&["taskset", "--cpu-list", "0"], words].concat()
}

impl Served {
    fn start(
        name: &'static str,
        address: &'static str,
        segment: &Segment,
        image: &str,
    ) -> Result<Served> {
        let host = TestHost::with(Options { engine: EngineKind::Hawser, ..Options::default() });
        host.join_segment(segment, "wan0", &format!("{address}/24"));
        host.start_daemon(&[]);
        host.load_busybox();
        let published = |port: u16| json!([{ "HostPort": port.to_string() }]);
        let ports = json!({ "80/tcp": published(PUBLISHED[0]), "81/tcp": published(PUBLISHED[1]) });
        let id = {
            let mut site = Site::open(name, &host, image)?;
            let id = site.create("bridge", &ports)?;
            site.start(&id)?;
            id
        };
        let inside = format!("nsenter -t {} -n", host.docker().inspect(&id, "{{.State.Pid}}"));
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
        Ok(Served { name, host, address, _servers: servers })
    }

    /// Takes the engine and its rules away, and leads the ports to the container by hand: like ours,
    /// from every address of the host. It protects nothing, and knows no second container.
    fn write_by_hand(&self) {
        let host = &self.host;
        let container = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let ids = host.docker().ok("ps -q");
        let to = host.docker().inspect(&ids, container);
        host.kill_daemon();
        let rules = format!(
            "flush ruleset
             table ip by_hand {{
               chain prerouting {{
                 type nat hook prerouting priority dstnat
                 tcp dport {greeter} fib daddr type local dnat to {to}:{GREETER}
                 tcp dport {iperf} fib daddr type local dnat to {to}:{IPERF}
               }}
               chain postrouting {{
                 type nat hook postrouting priority srcnat
                 ip saddr {to} oifname \"wan0\" masquerade
               }}
             }}",
            greeter = PUBLISHED[0],
            iperf = PUBLISHED[1],
        );
        host.run_with_input(["nft", "-f", "-"], Some(rules.as_bytes())).ok();
    }
}
