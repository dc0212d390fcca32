//! `hawser attach`, and the joining of streams that `start` shares.

use clap::{ArgAction, Args};
use serde_json::Value;

use super::path;
use super::run::{check_terminal, enter_raw, follow, forward};
use super::wait::Waiting;
use crate::client::{Hijacked, Query};
use crate::context::{Context, detach_keys};
use crate::failure::{Failure, Outcome};
use crate::parse::flags;
use crate::terminal::session::{End, Session};
use crate::terminal::{self, signals, size};

/// Flags of `attach`.
#[derive(Args)]
pub struct AttachArgs {
    /// Keys that detach from the container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Do not send the standard input
    #[arg(long)]
    no_stdin: bool,
    /// Hand signals on to the process
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "true",
          default_missing_value = "true", value_parser = flags::boolean)]
    sig_proxy: bool,
    /// The container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// `hawser attach`: exits with the container's code if it ends.
pub async fn run(context: &Context, args: AttachArgs) -> Outcome {
    let container = context.client.get(&path(&args.container, "/json"), &Query::new()).await?;
    check_running(&container)?;
    let id = container["Id"].as_str().unwrap_or(&args.container).to_owned();
    let tty = container["Config"]["Tty"] == true;
    let stdin = !args.no_stdin && container["Config"]["OpenStdin"] == true;
    check_terminal(stdin, tty)?;
    let waiting = Waiting::open(&context.client, &id, super::wait::Condition::NextExit).await?;
    let signals = (args.sig_proxy && !tty).then(signals::catch);
    let joined = Joined { stdin, tty, detach_keys: args.detach_keys };
    let connection = joined.attach(context, &id, false).await?;
    if tty && terminal::stdout_is_terminal() {
        size::redraw(&context.client, &path(&id, "/resize")).await;
    }
    let end = tokio::select! {
        end = joined.run(context, &id, connection) => end?,
        () = forward(&context.client, &id, signals) => End::Closed,
    };
    if end == End::Detached {
        return Err(Failure::new("read escape sequence"));
    }
    match waiting.code().await {
        0 => Ok(()),
        code => Err(Failure::silent(code)),
    }
}

fn check_running(container: &Value) -> Outcome {
    let state = &container["State"];
    let problem = match () {
        () if state["Running"] != true => {
            "You cannot attach to a stopped container, start it first"
        }
        () if state["Paused"] == true => {
            "You cannot attach to a paused container, unpause it first"
        }
        () if state["Restarting"] == true => {
            "You cannot attach to a restarting container, wait until it is running"
        }
        () => return Ok(()),
    };
    Err(Failure::new(problem))
}

/// How streams are joined to a container that there is already.
pub struct Joined {
    /// Send the standard input.
    pub stdin: bool,
    /// The container has a terminal.
    pub tty: bool,
    /// What `--detach-keys` says.
    pub detach_keys: Option<String>,
}

impl Joined {
    /// Asks for the connection; `logs` for what was written before as well.
    pub async fn attach(
        &self,
        context: &Context,
        id: &str,
        logs: bool,
    ) -> Result<Hijacked, Failure> {
        let query = Query::new()
            .flag("logs", logs)
            .with("stream", "1")
            .flag("stdin", self.stdin)
            .with("stdout", "1")
            .with("stderr", "1")
            .maybe("detachKeys", self.detach_keys.clone());
        Ok(context.client.hijack(&path(id, "/attach"), &query, None).await?)
    }

    /// Joins the streams until the container ends or the user detaches.
    pub async fn run(
        &self,
        context: &Context,
        id: &str,
        connection: Hijacked,
    ) -> Result<End, Failure> {
        let terminal = self.tty && self.stdin;
        let keys = if terminal { detach_keys(self.detach_keys.as_deref())? } else { Vec::new() };
        let session = Session { stdin: self.stdin, output: true, tty: self.tty, detach_keys: keys };
        let _raw = enter_raw(terminal, true)?;
        let resize = path(id, "/resize");
        tokio::select! {
            end = session.run(connection) => Ok(end?),
            () = follow(context, &resize, self.tty) => Ok(End::Closed),
        }
    }
}
