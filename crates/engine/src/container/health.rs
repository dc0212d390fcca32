//! Health checks: a command run in the container now and then.
//!
//! In: the check of a container that runs. Out: its state (`starting`, `healthy`, `unhealthy`) for
//! `inspect` and `ps`, and events when that changes. It restarts nothing.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use chrono::Utc;
use hawser_runtime::{ExecSession, ExecSpec};

use super::events::container_event;
use super::registry::Entry;
use super::view::{Health, HealthResult};
use crate::Engine;
use crate::spec::Healthcheck;

/// What a check that says nothing else means.
const INTERVAL: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: u32 = 3;
/// How many results are kept, and how much of their output.
const KEPT: usize = 5;
const OUTPUT: usize = 4096;

/// The checks of one run of a container.
pub(crate) struct HealthState {
    shown: Health,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for HealthState {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A check with all values filled in.
struct Check {
    command: Vec<String>,
    interval: Duration,
    timeout: Duration,
    start_period: Duration,
    start_interval: Duration,
    retries: u32,
}

impl Check {
    /// None if there is no check, or it is switched off.
    fn of(spec: &Healthcheck, shell: &[String]) -> Option<Self> {
        let test = spec.test.as_ref()?;
        let (kind, rest) = test.split_first()?;
        let command = match kind.as_str() {
            "CMD" => rest.to_vec(),
            "CMD-SHELL" => shell.iter().cloned().chain(rest.iter().cloned()).collect(),
            _ => return None,
        };
        let or = |nanos: i64, default: Duration| match u64::try_from(nanos) {
            Ok(nanos) if nanos > 0 => Duration::from_nanos(nanos),
            _ => default,
        };
        Some(Self {
            command,
            interval: or(spec.interval, INTERVAL),
            timeout: or(spec.timeout, INTERVAL),
            start_period: or(spec.start_period, Duration::ZERO),
            start_interval: or(spec.start_interval, START_INTERVAL),
            retries: u32::try_from(spec.retries).ok().filter(|n| *n > 0).unwrap_or(RETRIES),
        })
    }
}

impl Entry {
    /// Its health as it is shown, if it has a check.
    pub(crate) fn health(&self) -> Option<Health> {
        let state = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        state.as_ref().map(|state| state.shown.clone())
    }
}

impl Engine {
    /// Begins to check a container that runs.
    pub(super) fn watch_health(self: &Arc<Self>, entry: &Arc<Entry>) {
        let record = entry.record();
        let shell = match &record.config.shell {
            Some(shell) => shell.clone(),
            None => vec!["/bin/sh".to_owned(), "-c".to_owned()],
        };
        let check = record.config.healthcheck.as_ref().and_then(|spec| Check::of(spec, &shell));
        let Some(check) = check else { return };
        let (engine, weak) = (Arc::clone(self), Arc::downgrade(entry));
        let task = tokio::spawn(async move {
            let begin = tokio::time::Instant::now();
            loop {
                let Some(entry) = weak.upgrade() else { return };
                let starting = begin.elapsed() < check.start_period;
                let unproven = entry.health().is_some_and(|health| health.status == "starting");
                let wait = if starting && unproven { check.start_interval } else { check.interval };
                drop(entry);
                tokio::time::sleep(wait).await;
                let Some(entry) = weak.upgrade() else { return };
                let result = engine.check_health(&entry, &check).await;
                engine.note_health(&entry, &check, result, begin.elapsed() < check.start_period);
            }
        });
        let shown = Health { status: "starting".to_owned(), ..Health::default() };
        let state = HealthState { shown, task };
        *entry.health.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// The run has ended.
    pub(super) fn end_health(&self, entry: &Entry) {
        let mut state = entry.health.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = state.as_mut() {
            state.task.abort();
            "unhealthy".clone_into(&mut state.shown.status);
        }
    }

    async fn check_health(&self, entry: &Entry, check: &Check) -> HealthResult {
        let start = Utc::now();
        let env = self.current_links(&entry.record());
        let spec = ExecSpec { args: check.command.clone(), env, ..ExecSpec::default() };
        let (exit_code, output) = match self.runtime.exec(entry.id.as_str(), spec).await {
            Err(e) => (-1, e.to_string()),
            Ok(session) => {
                let exec = session.exec.clone();
                match tokio::time::timeout(check.timeout, result_of(session)).await {
                    Ok(result) => result,
                    Err(_) => {
                        // Else each check would add one more process that hangs.
                        if let Err(e) = exec.kill() {
                            tracing::warn!(container = %entry.id, error = %e, "a health check goes on");
                        }
                        (-1, format!("Health check exceeded timeout ({:?})", check.timeout))
                    }
                }
            }
        };
        HealthResult { start, end: Utc::now(), exit_code, output }
    }

    fn note_health(&self, entry: &Entry, check: &Check, result: HealthResult, starting: bool) {
        let mut state = entry.health.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = state.as_mut() else { return };
        let before = state.shown.status.clone();
        note(&mut state.shown, check.retries, result, starting);
        let now = &state.shown.status;
        if *now != before {
            container_event(self, &entry.record(), format!("health_status: {now}"), []);
        }
    }
}

/// Exit code and output of a check, once it has ended.
async fn result_of(mut session: ExecSession) -> (i32, String) {
    let mut output = Vec::new();
    while let Ok(Some(chunk)) = session.attachment.output.next().await {
        let room = OUTPUT.saturating_sub(output.len());
        output.extend_from_slice(&chunk.data[..chunk.data.len().min(room)]);
    }
    let code = session.exec.wait().await;
    (code, String::from_utf8_lossy(&output).into_owned())
}

/// What a result means: one success is healthy, so many failures one after another are not.
fn note(health: &mut Health, retries: u32, result: HealthResult, starting: bool) {
    if result.exit_code == 0 {
        health.failing_streak = 0;
        "healthy".clone_into(&mut health.status);
    } else if !(starting && health.status == "starting") {
        health.failing_streak += 1;
        if health.failing_streak >= retries {
            "unhealthy".clone_into(&mut health.status);
        }
    }
    if health.log.len() == KEPT {
        health.log.remove(0);
    }
    health.log.push(result);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(exit_code: i32) -> HealthResult {
        HealthResult { start: Utc::now(), end: Utc::now(), exit_code, output: String::new() }
    }

    #[test]
    fn failures_must_follow_one_another() {
        let mut health = Health { status: "starting".into(), ..Health::default() };
        note(&mut health, 2, result(1), true);
        assert_eq!((health.status.as_str(), health.failing_streak), ("starting", 0));
        note(&mut health, 2, result(1), false);
        assert_eq!(health.failing_streak, 1);
        note(&mut health, 2, result(0), false);
        assert_eq!((health.status.as_str(), health.failing_streak), ("healthy", 0));
        note(&mut health, 2, result(1), false);
        note(&mut health, 2, result(1), false);
        assert_eq!(health.status, "unhealthy");
        for _ in 0..KEPT {
            note(&mut health, 2, result(0), false);
        }
        assert_eq!(health.log.len(), KEPT);
    }

    #[test]
    fn a_check_is_filled_in() {
        let shell = ["sh".to_owned(), "-c".to_owned()];
        let spec = |words: &[&str]| Healthcheck {
            test: Some(words.iter().map(|w| (*w).to_owned()).collect()),
            ..Healthcheck::default()
        };
        let check = Check::of(&spec(&["CMD-SHELL", "a b"]), &shell).unwrap();
        assert_eq!(check.command, ["sh", "-c", "a b"]);
        assert_eq!((check.interval, check.retries), (INTERVAL, RETRIES));
        assert!(Check::of(&spec(&["NONE"]), &shell).is_none());
        assert!(Check::of(&Healthcheck::default(), &shell).is_none());
    }
}
