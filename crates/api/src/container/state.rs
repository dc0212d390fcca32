//! The state of a container, as `inspect` and as `ps` show it.
//!
//! In: a record's state. Out: Docker's flags, and the words under `STATUS`.

use chrono::{DateTime, Utc};
use hawser_engine::container::Health;
use hawser_engine::record::{State, Status};
use serde::Serialize;

use crate::time;

/// `State` of `inspect`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StateView<'a> {
    status: &'static str,
    running: bool,
    paused: bool,
    restarting: bool,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    dead: bool,
    pid: i32,
    exit_code: i32,
    error: &'a str,
    started_at: String,
    finished_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<HealthView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HealthView<'a> {
    status: &'a str,
    failing_streak: u32,
    log: Vec<HealthLine<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HealthLine<'a> {
    start: String,
    end: String,
    exit_code: i32,
    output: &'a str,
}

impl<'a> StateView<'a> {
    pub fn new(state: &'a State, health: Option<&'a Health>) -> Self {
        use Status::{Dead, Paused, Restarting, Running};
        Self {
            status: word(state.status),
            // Docker counts a paused or restarting container as running.
            running: matches!(state.status, Running | Paused | Restarting),
            paused: state.status == Paused,
            restarting: state.status == Restarting,
            oom_killed: state.oom_killed,
            dead: state.status == Dead,
            pid: state.pid.unwrap_or(0),
            exit_code: state.exit_code,
            error: &state.error,
            started_at: time::rfc3339_or_zero(state.started_at),
            finished_at: time::rfc3339_or_zero(state.finished_at),
            health: health.map(HealthView::new),
        }
    }
}

impl<'a> HealthView<'a> {
    fn new(health: &'a Health) -> Self {
        let line = |result: &'a hawser_engine::container::HealthResult| HealthLine {
            start: time::rfc3339(result.start),
            end: time::rfc3339(result.end),
            exit_code: result.exit_code,
            output: &result.output,
        };
        Self {
            status: &health.status,
            failing_streak: health.failing_streak,
            log: health.log.iter().map(line).collect(),
        }
    }
}

/// The phase, in Docker's word.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Restarting => "restarting",
        Status::Removing => "removing",
        Status::Exited => "exited",
        Status::Dead => "dead",
    }
}

/// What `ps` shows under `STATUS`.
pub fn sentence(state: &State, health: Option<&Health>, now: DateTime<Utc>) -> String {
    let since = |point: Option<DateTime<Utc>>| {
        time::rough(point.map_or(0, |point| (now - point).num_seconds()))
    };
    match state.status {
        Status::Created => "Created".to_owned(),
        Status::Running => match health.map(|health| health.status.as_str()) {
            None => format!("Up {}", since(state.started_at)),
            Some("starting") => format!("Up {} (health: starting)", since(state.started_at)),
            Some(health) => format!("Up {} ({health})", since(state.started_at)),
        },
        Status::Paused => format!("Up {} (Paused)", since(state.started_at)),
        Status::Restarting => {
            format!("Restarting ({}) {} ago", state.exit_code, since(state.finished_at))
        }
        Status::Removing => "Removal In Progress".to_owned(),
        Status::Exited => format!("Exited ({}) {} ago", state.exit_code, since(state.finished_at)),
        Status::Dead => "Dead".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn sentences_are_dockers() {
        let state = |status| State {
            status,
            exit_code: 137,
            started_at: Some(at(0)),
            finished_at: Some(at(60)),
            ..State::default()
        };
        let of = |status| sentence(&state(status), None, at(180));
        assert_eq!(of(Status::Created), "Created");
        assert_eq!(of(Status::Running), "Up 3 minutes");
        assert_eq!(of(Status::Paused), "Up 3 minutes (Paused)");
        assert_eq!(of(Status::Restarting), "Restarting (137) 2 minutes ago");
        assert_eq!(of(Status::Exited), "Exited (137) 2 minutes ago");
        let healthy = Health { status: "healthy".into(), ..Health::default() };
        let state = state(Status::Running);
        assert_eq!(sentence(&state, Some(&healthy), at(180)), "Up 3 minutes (healthy)");
    }

    #[test]
    fn a_created_container_has_dockers_zero_times() {
        let state = State::default();
        let json = serde_json::to_string(&StateView::new(&state, None)).unwrap();
        assert_eq!(
            json,
            "{\"Status\":\"created\",\"Running\":false,\"Paused\":false,\"Restarting\":false,\
             \"OOMKilled\":false,\"Dead\":false,\"Pid\":0,\"ExitCode\":0,\"Error\":\"\",\
             \"StartedAt\":\"0001-01-01T00:00:00Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"}"
        );
    }

    #[test]
    fn a_paused_container_counts_as_running() {
        let state = State { status: Status::Paused, pid: Some(7), ..State::default() };
        let json = serde_json::to_value(StateView::new(&state, None)).unwrap();
        assert_eq!((&json["Running"], &json["Paused"]), (&true.into(), &true.into()));
        assert_eq!(json["Pid"], 7);
    }
}
