//! `attach`.

use std::sync::Arc;

use futures_util::StreamExt;

use super::events::container_event;
use super::registry::Entry;
use super::stream::{Attachment, Wants};
use super::{LogOptions, detach};
use crate::Engine;
use crate::error::{Error, Result};
use crate::record::{Container, Status};

/// What to attach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// What comes.
    pub stream: bool,
    /// Before that, what was logged.
    pub logs: bool,
    /// Keys that detach (`ctrl-p,ctrl-q` if none).
    pub detach_keys: Option<String>,
}

impl Engine {
    /// Joins a container's streams. Before its start this is valid as well: the streams join when
    /// it starts, before the first byte.
    ///
    /// # Errors
    /// NotFound, Invalid for keys that are none, Conflict if it is paused or restarting.
    pub async fn container_attach(
        self: &Arc<Self>,
        reference: &str,
        options: AttachOptions,
    ) -> Result<Attachment> {
        let keys = detach::parse(options.detach_keys.as_deref())?;
        let entry = self.containers.find(reference)?;
        let record = entry.record();
        check_attachable(&record)?;
        let mut attachment = if options.stream {
            self.attach_stream(&entry, &options, keys).await?
        } else {
            let output = Box::pin(futures_util::stream::empty());
            Attachment { tty: record.config.tty, output, input: None }
        };
        if options.logs {
            let logs = LogOptions {
                stdout: options.stdout,
                stderr: options.stderr,
                ..LogOptions::default()
            };
            let past = self.read_logs(&record, &logs).await?;
            attachment.output = Box::pin(past.chain(attachment.output));
        }
        container_event(self, &record, "attach", []);
        Ok(attachment)
    }

    async fn attach_stream(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        options: &AttachOptions,
        detach_keys: Vec<u8>,
    ) -> Result<Attachment> {
        let record = entry.record();
        let (engine, id) = (Arc::clone(self), entry.id.clone());
        let config = &record.config;
        let wants = Wants {
            tty: config.tty,
            stdin: options.stdin && config.open_stdin,
            stdout: options.stdout,
            stderr: options.stderr,
            close_stdin: config.stdin_once && !config.tty,
            detach_keys,
            on_detach: Box::new(move || {
                if let Some(entry) = engine.containers.get(&id) {
                    container_event(&engine, &entry.record(), "detach", []);
                }
            }),
        };
        let (waiting, attachment) = Attachment::new(wants);
        {
            // Under this lock a start either takes the client along or has put the process where
            // it is found below.
            let mut clients = entry.waiting();
            if !clients.joined {
                clients.queue.push(waiting);
                return Ok(attachment);
            }
        }
        match self.runtime.attach(entry.id.as_str(), waiting.wants_input()).await {
            Ok(connection) => waiting.join(connection),
            // It ended just now: the client gets empty streams, as if it had come in time.
            Err(e) => tracing::debug!(container = %entry.id, error = %e, "cannot attach"),
        }
        Ok(attachment)
    }

    /// Connects the clients that attached before the start.
    pub(super) async fn join_waiting(&self, entry: &Entry) -> Result<()> {
        let waiting = {
            let mut clients = entry.waiting();
            clients.joined = true;
            std::mem::take(&mut clients.queue)
        };
        for client in waiting {
            let connection = self.runtime.attach(entry.id.as_str(), client.wants_input()).await;
            client.join(connection.map_err(|e| crate::engine::system("attach a client", e))?);
        }
        Ok(())
    }
}

fn check_attachable(record: &Container) -> Result<()> {
    match record.state.status {
        Status::Paused => Err(Error::conflict(format!(
            "container {} is paused, unpause the container before attach",
            record.id
        ))),
        Status::Restarting => Err(Error::conflict(format!(
            "container {} is restarting, wait until the container is running",
            record.id
        ))),
        _ => Ok(()),
    }
}
