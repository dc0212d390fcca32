//! `top`.
//!
//! The one place that runs `ps` of the host: its columns and options are what users know.

use std::collections::BTreeSet;

use tokio::process::Command;

use super::pause::not_running;
use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::record::Status;

/// Processes of a container as `ps` shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// Names of the columns.
    pub titles: Vec<String>,
    /// One row per process.
    pub processes: Vec<Vec<String>>,
}

impl Engine {
    /// Lists the processes of a running container; `ps_args` as of ps (`-ef` if empty).
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run, System if `ps` fails.
    pub async fn container_top(&self, reference: &str, ps_args: &str) -> Result<Top> {
        let entry = self.containers.find(reference)?;
        let record = entry.settled().await;
        if record.state.status == Status::Restarting {
            return Err(Error::conflict(format!(
                "container {} is restarting, wait until the container is running",
                entry.id
            )));
        }
        if !record.state.is_running() {
            return Err(not_running(entry.id.as_str()));
        }
        let pids = self.runtime.processes(entry.id.as_str());
        let pids = pids.map_err(|e| system("list the container's processes", e))?;
        let args = if ps_args.trim().is_empty() { "-ef" } else { ps_args };
        let output = Command::new("ps").args(args.split_whitespace()).kill_on_drop(true).output();
        let output = output.await.map_err(|e| system("run ps (package procps)", e))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::new(Kind::System, format!("error running ps: {text}")));
        }
        select(&String::from_utf8_lossy(&output.stdout), &pids.into_iter().collect())
    }
}

/// The rows of `ps`'s output whose process is in the set.
fn select(output: &str, pids: &BTreeSet<i32>) -> Result<Top> {
    let mut lines = output.lines();
    let titles: Vec<String> =
        lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let Some(pid_column) = titles.iter().position(|title| title == "PID") else {
        return Err(Error::invalid("Couldn't find PID field in ps output"));
    };
    let rows = lines.map(|line| fields(line, titles.len()));
    let ours = |row: &Vec<String>| {
        row.get(pid_column).and_then(|pid| pid.parse().ok()).is_some_and(|pid| pids.contains(&pid))
    };
    let processes = rows.filter(ours).collect();
    Ok(Top { titles, processes })
}

/// A line in so many fields; the last may have blanks.
fn fields(line: &str, count: usize) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let split = count.saturating_sub(1).min(words.len());
    let mut fields: Vec<String> = words[..split].iter().map(|w| (*w).to_owned()).collect();
    if split < words.len() {
        fields.push(words[split..].join(" "));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_processes_are_shown() {
        let output = "UID PID CMD\nroot 1 init\nroot 23 sleep 60 x\n";
        let top = select(output, &BTreeSet::from([23])).unwrap();
        assert_eq!(top.titles, ["UID", "PID", "CMD"]);
        assert_eq!(top.processes, [["root", "23", "sleep 60 x"]]);
    }

    #[test]
    fn without_pids_nothing_can_be_said() {
        let error = select("UID CMD\n", &BTreeSet::new()).unwrap_err();
        assert_eq!(error.to_string(), "Couldn't find PID field in ps output");
    }
}
