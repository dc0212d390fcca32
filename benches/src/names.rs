//! The name service, as a container meets it: how many questions for a container's name a second,
//! how long one takes, and what is left of that while another container floods it.
//!
//! In: test hosts with engines. Out: [`Figures`], the engines taking turns. `dnsperf` (and, for
//! single questions, a client of our own) runs in the network namespace of a container and asks
//! 127.0.0.11; beside it a bare echo of datagrams in the same namespace, which no name server can
//! beat. The flood is once one of names, and once one of the other container's own echo: that costs
//! the machine as much and the name service nothing.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hawser_testkit::{Running, TestHost};
use serde_json::{Value, json};

use crate::hosts::{DOCKER, HAWSER};

/// What the report calls the bare echo.
const ECHO: &str = "bare echo";
/// Where the echo listens.
const ECHO_PORT: u16 = 5300;
/// How long each flood of `dnsperf` takes, in seconds.
const SECONDS: u32 = 2;
/// Single questions of one round.
const QUESTIONS: usize = 2000;
/// Rounds are long here: no more of them, however many others have.
const MOST_ROUNDS: usize = 5;

/// Rows of the table.
const RATE: &str = "questions/s";
const LOST: &str = "lost of them";
const MEDIAN: &str = "one question, median µs";
const TAIL: &str = "one question, p99 µs";
const BUSY: &str = "p99 µs, busy machine";
const FLOODED: &str = "p99 µs, flooded";

/// How many times as many questions a second as Docker answers.
const TIMES_DOCKER: f64 = 3.0;
/// Or which part of what the echo reaches.
const OF_ECHO: f64 = 0.85;
/// How many times as long the slowest of a hundred may take under a flood.
const TIMES_FLOODED: f64 = 2.0;

/// What was measured: by row and engine, a figure for each round.
#[derive(Debug, Default)]
pub struct Figures(BTreeMap<(usize, &'static str), Vec<f64>>);

const ROWS: [&str; 6] = [RATE, LOST, MEDIAN, TAIL, BUSY, FLOODED];

impl Figures {
    fn add(&mut self, row: &str, engine: &'static str, figure: f64) {
        let row = ROWS.iter().position(|name| *name == row).unwrap_or_default();
        self.0.entry((row, engine)).or_default().push(figure);
    }

    /// The median; NaN of what was not measured.
    fn median(&self, row: &str, engine: &'static str) -> f64 {
        let sorted = self.sorted(row, engine);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The least; NaN of what was not measured.
    fn least(&self, row: &str, engine: &'static str) -> f64 {
        self.sorted(row, engine).first().copied().unwrap_or(f64::NAN)
    }

    fn sorted(&self, row: &str, engine: &'static str) -> Vec<f64> {
        let row = ROWS.iter().position(|name| *name == row).unwrap_or_default();
        let mut sorted = self.0.get(&(row, engine)).cloned().unwrap_or_default();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The rows for people; nothing if nothing was measured.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (row, engine) in self.0.keys() {
            let what = ROWS.get(*row).copied().unwrap_or_default();
            let (median, least) = (self.median(what, engine), self.least(what, engine));
            text += &format!("{what:<24} {engine:<14} {median:>9.0} {least:>9.0}\n");
        }
        text
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let figures = self.0.iter().map(|((row, engine), all)| {
            let what = ROWS.get(*row).copied().unwrap_or_default();
            let median = self.median(what, engine);
            let least = self.least(what, engine);
            let runs = all.len();
            json!({ "what": what, "engine": engine, "runs": runs, "median": median, "min": least })
        });
        figures.collect()
    }

    /// The promises that are not kept, with the figures.
    pub fn broken(&self) -> Vec<String> {
        let of = |row: &str, engine| self.median(row, engine);
        let (own, docker, echo) = (of(RATE, HAWSER), of(RATE, DOCKER), of(RATE, ECHO));
        let mut broken = Vec::new();
        // A missing figure is NaN, which keeps no promise.
        let kept = own >= docker * TIMES_DOCKER || own >= echo * OF_ECHO;
        if !kept {
            broken.push(format!(
                "names: {TIMES_DOCKER} times Docker's or {OF_ECHO} of the echo's questions/s: \
                 {own:.0} against {docker:.0} and {echo:.0}"
            ));
        }
        let lost = self.median(LOST, HAWSER);
        if lost.is_nan() || lost > 0.0 {
            broken.push(format!("names: no question is lost: {lost:.0} were"));
        }
        // The best round of each: what others do on the machine is in all the rest.
        let least = |row| self.least(row, HAWSER);
        let (alone, flooded) = (least(TAIL).max(least(BUSY)), least(FLOODED));
        let kept = flooded <= alone * TIMES_FLOODED;
        if !kept {
            broken.push(format!(
                "names: p99 under a flood within {TIMES_FLOODED} times: {flooded:.0} against \
                 {alone:.0} µs"
            ));
        }
        broken
    }
}

/// A host whose containers ask: one that is measured, one that floods.
struct Member<'a> {
    name: &'static str,
    host: &'a TestHost,
    asker: String,
    flooder: String,
    /// The echoes in both.
    _echoes: [Running; 2],
}

/// Measures, in turns.
///
/// # Errors
/// When a program can't be run, or says something unexpected.
pub fn measure(hosts: [(&'static str, &TestHost); 2], rounds: usize) -> Result<Figures> {
    let [first, second] = hosts;
    let members = [Member::start(first)?, Member::start(second)?];
    let mut figures = Figures::default();
    for _ in 0..rounds.min(MOST_ROUNDS) {
        for member in &members {
            member.measure(&mut figures)?;
        }
    }
    Ok(figures)
}

impl<'a> Member<'a> {
    fn start((name, host): (&'static str, &'a TestHost)) -> Result<Self> {
        let docker = host.docker();
        docker.ok("network create names");
        let mut pids = Vec::new();
        for container in ["server", "asker", "flooder"] {
            docker.ok(&format!("run -d --name {container} --network names busybox sleep 100000"));
            pids.push(docker.inspect(container, "{{.State.Pid}}"));
        }
        let [_, asker, flooder] = <[String; 3]>::try_from(pids).unwrap_or_default();
        let input = host.files().join("names");
        std::fs::write(&input, "server A\n").context("write the names to ask for")?;
        let program = std::env::current_exe()?.display().to_string();
        let port = ECHO_PORT.to_string();
        let echo = |pid: &str| {
            let echo = host.spawn(["nsenter", &net(pid), &program, "echo", &port]);
            echo.expect("ready");
            echo
        };
        let echoes = [echo(&asker), echo(&flooder)];
        Ok(Self { name, host, asker, flooder, _echoes: echoes })
    }

    fn measure(&self, figures: &mut Figures) -> Result<()> {
        let (rate, lost) = self.rate("127.0.0.11", 53)?;
        figures.add(RATE, self.name, rate);
        figures.add(LOST, self.name, lost);
        let (median, tail) = self.single()?;
        figures.add(MEDIAN, self.name, median);
        figures.add(TAIL, self.name, tail);
        for (row, server, port) in [(BUSY, "127.0.0.1", ECHO_PORT), (FLOODED, "127.0.0.11", 53)] {
            // It ends with this value, or by itself long after.
            let _flood = self.host.spawn(self.dnsperf(&self.flooder, server, port, 30));
            std::thread::sleep(Duration::from_millis(300));
            figures.add(row, self.name, self.single()?.1);
        }
        if self.name == HAWSER {
            figures.add(RATE, ECHO, self.rate("127.0.0.1", ECHO_PORT)?.0);
        }
        Ok(())
    }

    /// Questions a second, and how many were lost.
    fn rate(&self, server: &str, port: u16) -> Result<(f64, f64)> {
        let said = self.host.run(self.dnsperf(&self.asker, server, port, SECONDS)).ok().stdout;
        let figure = |label: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(label));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            let number = word.and_then(|word| word.parse().ok());
            number.with_context(|| format!("no `{label}` from dnsperf: {said}"))
        };
        Ok((figure("Queries per second:")?, figure("Queries lost:")?))
    }

    fn dnsperf(&self, pid: &str, server: &str, port: u16, seconds: u32) -> Vec<String> {
        let input = self.host.files().join("names").display().to_string();
        let (port, seconds) = (port.to_string(), seconds.to_string());
        let words = ["nsenter", &net(pid), "dnsperf", "-s", server, "-p", &port, "-d", &input];
        let load = ["-l", &seconds, "-c", "4", "-q", "20"];
        words.iter().chain(&load).map(|word| (*word).to_owned()).collect()
    }

    /// Median and 99th percentile of single questions, in microseconds.
    fn single(&self) -> Result<(f64, f64)> {
        let program = std::env::current_exe()?.display().to_string();
        let words = ["nsenter", &net(&self.asker), &program, "ask", "127.0.0.11:53", "server"];
        let said = self.host.run(words).ok().text();
        let figures: Vec<f64> = said.split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let [median, tail] = figures[..] else { anyhow::bail!("single questions: {said}") };
        Ok((median, tail))
    }
}

fn net(pid: &str) -> String {
    format!("--net=/proc/{pid}/ns/net")
}

/// The program in a container's namespace that sends every datagram back, as a response.
///
/// # Errors
/// When the socket can't be had.
pub fn echo(port: u16) -> Result<()> {
    let socket = UdpSocket::bind(("127.0.0.1", port))?;
    println!("ready");
    let mut buffer = [0; 512];
    loop {
        let (length, client) = socket.recv_from(&mut buffer)?;
        buffer[2] |= 0x80;
        socket.send_to(buffer.get(..length).unwrap_or_default(), client)?;
    }
}

/// The program in a container's namespace that asks one question after the other, a thousand a
/// second, and writes median and 99th percentile of their times in microseconds.
///
/// # Errors
/// When a question is not answered.
pub fn ask(server: SocketAddr, name: &str) -> Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut packet = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.push(u8::try_from(name.len())?);
    packet.extend(name.as_bytes());
    packet.extend([0, 0, 1, 0, 1]);
    let mut times = Vec::new();
    let mut buffer = [0; 512];
    for id in 0..u16::try_from(QUESTIONS)? {
        packet[..2].copy_from_slice(&id.to_be_bytes());
        let begin = Instant::now();
        socket.send(&packet)?;
        let length = socket.recv(&mut buffer).context("a question was lost")?;
        times.push(begin.elapsed());
        let answered = buffer.get(..length).and_then(|b| b.get(3..8)).map(|b| (b[0] & 15, b[4]));
        ensure!(buffer[..2] == packet[..2] && answered == Some((0, 1)), "not the answer");
        std::thread::sleep(Duration::from_millis(1).saturating_sub(begin.elapsed()));
    }
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_micros);
    println!("{} {}", at(50), at(99));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(own: f64, docker: f64, lost: f64, flooded: f64) -> Figures {
        let mut figures = Figures::default();
        figures.add(RATE, HAWSER, own);
        figures.add(RATE, DOCKER, docker);
        figures.add(RATE, ECHO, 100_000.0);
        figures.add(LOST, HAWSER, lost);
        figures.add(TAIL, HAWSER, 100.0);
        figures.add(BUSY, HAWSER, 200.0);
        figures.add(FLOODED, HAWSER, flooded);
        figures
    }

    #[test]
    fn promises() {
        let none = Vec::<String>::new();
        assert_eq!(figures(60_000.0, 20_000.0, 0.0, 400.0).broken(), none);
        assert_eq!(figures(85_000.0, 80_000.0, 0.0, 400.0).broken(), none);
        assert_eq!(figures(59_999.0, 20_000.0, 0.0, 400.0).broken().len(), 1);
        assert_eq!(figures(60_000.0, 20_000.0, 1.0, 401.0).broken().len(), 2);
        assert_eq!(Figures::default().broken().len(), 3, "what was not measured is not kept");
        assert_eq!(figures(60_000.0, 20_000.0, 0.0, 400.0).table().lines().count(), 7);
    }
}
