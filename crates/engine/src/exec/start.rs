//! `exec`: starting one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use hawser_runtime::{self as runtime, CreateError, ExecSession, ExecSpec, Execed, TerminalSize};

use super::create::{check_runs, exec_event};
use super::registry::{Exec, Stage};
use crate::Engine;
use crate::container::events::container_event;
use crate::container::{Attachment, StreamKind, Wants, detach, not_running, to_the_end};
use crate::error::{Error, Kind, Result};
use crate::record::{Container, ContainerId};
use crate::spec::ExecConfig;

/// How to start an exec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecStart {
    /// Without streams.
    pub detach: bool,
    /// With a terminal; must be as at its creation.
    pub tty: bool,
    /// Height and width of the terminal.
    pub console_size: Option<[u16; 2]>,
}

impl Engine {
    /// Starts it; without `detach` the answer is its streams. A process that cannot be started is
    /// told there, as Docker does, and by the exit code.
    ///
    /// # Errors
    /// NotFound, Conflict if it was started or its container does not run; with `detach` also
    /// Invalid or System if the process cannot be started.
    pub async fn exec_start(
        self: &Arc<Self>,
        id: &str,
        options: ExecStart,
    ) -> Result<Option<Attachment>> {
        let exec = self.execs.find(id)?;
        let container = self.containers.find(exec.container.as_str())?;
        let record = container.settled().await;
        check_runs(&record)?;
        exec.begin()?;
        exec_event(self, &record, &exec, "exec_start");
        let engine = Arc::clone(self);
        to_the_end(async move { engine.run_exec(&exec, &options).await }).await
    }

    async fn run_exec(
        self: &Arc<Self>,
        exec: &Arc<Exec>,
        options: &ExecStart,
    ) -> Result<Option<Attachment>> {
        let container = self.containers.find(exec.container.as_str())?.record();
        let mut spec = spec(&exec.config, options);
        spec.env.splice(0..0, self.current_links(&container));
        match self.runtime.exec(exec.container.as_str(), spec).await {
            Ok(session) => Ok(self.started(exec, session, options.detach)),
            Err(e) => {
                exec.set_stage(Stage::Failed(exit_code(&e)));
                if let CreateError::Host(
                    runtime::Error::Unknown(_) | runtime::Error::NotRunning(_),
                ) = e
                {
                    return Err(not_running(exec.container.as_str()));
                }
                if options.detach {
                    let kind = if e.exit_code() == 128 { Kind::System } else { Kind::Invalid };
                    return Err(Error::new(kind, e.to_string()));
                }
                Ok(Some(told(exec.config.tty, &e)))
            }
        }
    }

    /// The variables of links as they are now; those that the container was given itself stay.
    pub(crate) fn current_links(&self, container: &Container) -> Vec<String> {
        let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
        let own: Vec<_> = container.config.env.iter().flatten().map(|v| name(v)).collect();
        let mut linked = self.networks.linked_env(self, container);
        linked.retain(|variable| !own.contains(&name(variable)));
        linked
    }

    fn started(
        self: &Arc<Self>,
        exec: &Arc<Exec>,
        session: ExecSession,
        detached: bool,
    ) -> Option<Attachment> {
        exec.set_stage(Stage::Started(session.exec.clone()));
        let (engine, container, id) = (Arc::clone(self), exec.container.clone(), exec.id.clone());
        let ends = session.exec.clone();
        tokio::spawn(async move {
            let code = ends.wait().await;
            engine.tell_exec(&container, "exec_die", &id, Some(code));
        });
        if detached {
            return None;
        }
        let (engine, container, id) = (Arc::clone(self), exec.container.clone(), exec.id.clone());
        let config = &exec.config;
        let left = Arc::new(AtomicBool::new(false));
        let leaves = Arc::clone(&left);
        let wants = Wants {
            tty: config.tty,
            stdin: config.attach_stdin,
            stdout: config.attach_stdout,
            stderr: config.attach_stderr,
            close_stdin: !config.tty,
            // They were checked when it was made.
            detach_keys: detach::parse(Some(&config.detach_keys)).unwrap_or_default(),
            on_detach: Box::new(move || {
                leaves.store(true, Ordering::Relaxed);
                engine.tell_exec(&container, "exec_detach", &id, None);
            }),
        };
        let mut attachment = Attachment::joined(wants, session.attachment);
        let end = end_known(session.exec, left);
        attachment.output = Box::pin(attachment.output.chain(end));
        Some(attachment)
    }

    fn tell_exec(&self, container: &ContainerId, action: &str, id: &str, code: Option<i32>) {
        let Some(entry) = self.containers.get(container) else { return };
        let exec_id = ("execID", id.to_owned());
        match code {
            Some(code) => {
                let more = [exec_id, ("exitCode", code.to_string())];
                container_event(self, &entry.record(), action, more);
            }
            None => container_event(self, &entry.record(), action, [exec_id]),
        }
    }
}

/// Clients ask for the exit code as soon as the output ends, so it ends when the code is known; a
/// process that closed its output and works on is not waited for long, a client that left not at all.
fn end_known(
    exec: Execed,
    left: Arc<AtomicBool>,
) -> impl Stream<Item = io::Result<(StreamKind, Bytes)>> {
    let wait = async move {
        if !left.load(Ordering::Relaxed) {
            let _ = tokio::time::timeout(Duration::from_secs(2), exec.wait()).await;
        }
        None
    };
    stream::once(wait).filter_map(std::future::ready)
}

/// What the runtime is asked to run.
fn spec(config: &ExecConfig, options: &ExecStart) -> ExecSpec {
    let size = options.console_size.or(config.console_size);
    let size = size.filter(|[height, width]| *height > 0 && *width > 0);
    ExecSpec {
        args: config.cmd.clone().unwrap_or_default(),
        env: config.env.clone().unwrap_or_default(),
        cwd: config.working_dir.clone(),
        user: config.user.clone(),
        tty: config.tty,
        size: size.map(|[height, width]| TerminalSize { width, height }),
        stdin: config.attach_stdin && !options.detach,
        privileged: config.privileged,
    }
}

/// Docker's code for a process that cannot be started: 127 if there is no such program, else 126.
fn exit_code(error: &CreateError) -> i32 {
    match error.exit_code() {
        127 => 127,
        _ => 126,
    }
}

/// A failure as the only output.
fn told(tty: bool, error: &CreateError) -> Attachment {
    let line = Bytes::from(format!("{error}\r\n"));
    let output = stream::iter([Ok((StreamKind::Stdout, line))]);
    Attachment { tty, output: Box::pin(output), input: None }
}
