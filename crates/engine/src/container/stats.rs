//! `stats`.
//!
//! In: a container. Out: samples of what it uses, one a second, each with the one before, so that
//! whoever reads them can tell rates. Of a container that does not run: one sample of nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::Stream;
use futures_util::stream;
use hawser_runtime::Usage;
use tokio::time::{Instant, sleep_until};

use super::registry::Entry;
use crate::Engine;
use crate::engine::blocking;
use crate::error::Result;

/// How often there is a sample, as in Docker.
const INTERVAL: Duration = Duration::from_secs(1);

/// How samples are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatsOptions {
    /// One after the other until the container is removed; else one.
    pub stream: bool,
    /// Of one sample: at once, without one before it.
    pub one_shot: bool,
}

/// What a container used up to a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken; none of a container that does not run.
    pub time: Option<DateTime<Utc>>,
    /// What the container uses.
    pub usage: Usage,
    /// Processor time of the whole host since it started, in nanoseconds, idle time included.
    pub host_cpu: u64,
    /// Processors that are on.
    pub processors: u64,
    /// Memory of the host, in bytes.
    pub host_memory: u64,
}

/// A sample and the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Name of the container.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Now.
    pub now: Sample,
    /// Before; nothing if there is none.
    pub before: Sample,
}

impl Engine {
    /// What a container uses.
    ///
    /// # Errors
    /// NotFound.
    pub fn container_stats(
        self: &Arc<Self>,
        reference: &str,
        options: StatsOptions,
    ) -> Result<impl Stream<Item = Stats> + Send + use<>> {
        let entry = self.containers.find(reference)?;
        let samples = Samples {
            engine: Arc::clone(self),
            entry,
            before: Sample::default(),
            next_at: Instant::now(),
            left: if options.stream { None } else { Some(1) },
            primed: options.stream || options.one_shot,
        };
        Ok(stream::unfold(samples, Samples::next))
    }
}

struct Samples {
    engine: Arc<Engine>,
    entry: Arc<Entry>,
    before: Sample,
    next_at: Instant,
    /// How many are to come; `None` for no end.
    left: Option<usize>,
    /// Whether the next sample is shown without waiting for one after it.
    primed: bool,
}

impl Samples {
    async fn next(mut self) -> Option<(Stats, Self)> {
        if self.left == Some(0) {
            return None;
        }
        loop {
            sleep_until(self.next_at).await;
            self.next_at += INTERVAL;
            self.engine.containers.get(&self.entry.id)?;
            let now = self.sample().await;
            let before = std::mem::replace(&mut self.before, now.clone());
            if !std::mem::replace(&mut self.primed, true) && now.time.is_some() {
                continue;
            }
            self.left = self.left.map(|left| left - 1);
            let record = self.entry.record();
            let (name, id) = (record.name.clone(), record.id.to_string());
            return Some((Stats { name, id, now, before }, self));
        }
    }

    async fn sample(&self) -> Sample {
        if !self.entry.record().state.is_running() {
            return Sample::default();
        }
        let (engine, id) = (Arc::clone(&self.engine), self.entry.id.clone());
        let read = blocking(move || {
            let usage = engine.runtime.usage(id.as_str());
            // It has ended just now.
            Ok(usage.map_or_else(|_| Sample::default(), of_host))
        });
        read.await.unwrap_or_default()
    }
}

/// What was used, beside what the host has.
fn of_host(usage: Usage) -> Sample {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (host_cpu, processors) = processor_time(&stat);
    let host_memory = total_memory(&memory);
    Sample { time: Some(Utc::now()), usage, host_cpu, processors, host_memory }
}

/// Nanoseconds of all processors together, and how many there are: `cpu  user nice system …` in
/// hundredths of a second (USER_HZ), guests left out, which are in `user` already.
fn processor_time(stat: &str) -> (u64, u64) {
    let mut lines = stat.lines();
    let all = lines.next().unwrap_or_default().split_whitespace().skip(1).take(8);
    let ticks: u64 = all.filter_map(|word| word.parse::<u64>().ok()).sum();
    let each = lines.take_while(|line| line.starts_with("cpu"));
    (ticks.saturating_mul(10_000_000), each.count() as u64)
}

fn total_memory(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_has() {
        let stat = "cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 1\ncpu1 1 1\nintr 5\n";
        assert_eq!(processor_time(stat), (360_000_000, 2));
        assert_eq!(total_memory("MemTotal:       2 kB\nMemFree: 1 kB\n"), 2048);
    }
}
