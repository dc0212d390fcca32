//! `GET /exec/{id}/json`.

use axum::extract::{Path, State};
use hawser_engine::exec::ExecView;
use serde::Serialize;

use crate::Shared;
use crate::answer;
use crate::error::Result;

pub async fn handle(State(engine): Shared, Path(id): Path<String>) -> Result {
    Ok(answer::ok(&Details::new(&engine.exec_inspect(&id).await?)))
}

/// The shape of the answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    running: bool,
    exit_code: Option<i32>,
    process_config: Process<'a>,
    open_stdin: bool,
    open_stderr: bool,
    open_stdout: bool,
    can_remove: bool,
    #[serde(rename = "ContainerID")]
    container_id: &'a str,
    detach_keys: &'a str,
    pid: i32,
}

#[derive(Serialize)]
struct Process<'a> {
    tty: bool,
    entrypoint: &'a str,
    arguments: &'a [String],
    privileged: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
}

impl<'a> Details<'a> {
    fn new(exec: &'a ExecView) -> Self {
        let config = &exec.config;
        let words = config.cmd.as_deref().unwrap_or_default();
        let (entrypoint, arguments) = words.split_first().map_or(("", words), |(e, a)| (e, a));
        Self {
            id: &exec.id,
            running: exec.running,
            exit_code: exec.exit_code,
            process_config: Process {
                tty: config.tty,
                entrypoint,
                arguments,
                privileged: config.privileged,
                user: &config.user,
            },
            open_stdin: config.attach_stdin,
            open_stderr: config.attach_stderr,
            open_stdout: config.attach_stdout,
            can_remove: false,
            container_id: exec.container.as_str(),
            detach_keys: &config.detach_keys,
            pid: exec.pid,
        }
    }
}

#[cfg(test)]
mod tests {
    use hawser_engine::spec::ExecConfig;

    use super::*;

    #[test]
    fn the_shape_is_dockers() {
        let view = ExecView {
            id: "e1".into(),
            container: "ab".repeat(32).parse().unwrap(),
            config: ExecConfig {
                cmd: Some(vec!["ls".into(), "-l".into()]),
                attach_stdout: true,
                ..ExecConfig::default()
            },
            running: false,
            exit_code: None,
            pid: 0,
        };
        let json = serde_json::to_string(&Details::new(&view)).unwrap();
        let wanted = format!(
            "{{\"ID\":\"e1\",\"Running\":false,\"ExitCode\":null,\"ProcessConfig\":{{\
             \"tty\":false,\"entrypoint\":\"ls\",\"arguments\":[\"-l\"],\"privileged\":false}},\
             \"OpenStdin\":false,\"OpenStderr\":false,\"OpenStdout\":true,\"CanRemove\":false,\
             \"ContainerID\":\"{}\",\"DetachKeys\":\"\",\"Pid\":0}}",
            "ab".repeat(32)
        );
        assert_eq!(json, wanted);
    }
}
