//! `hawser start`.

use clap::Args;

use super::attach::Joined;
use super::path;
use super::run::{check_terminal, forward};
use super::wait::{Condition, Waiting};
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::session::End;
use crate::terminal::signals;

/// Flags of `start`.
#[derive(Args)]
pub struct StartArgs {
    /// Show the output and hand signals on
    #[arg(short, long)]
    attach: bool,
    /// Keys that detach from the container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Send the standard input
    #[arg(short, long)]
    interactive: bool,
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    containers: Vec<String>,
}

/// `hawser start`.
pub async fn run(context: &Context, args: StartArgs) -> Outcome {
    if !args.attach && !args.interactive {
        return start_all(context, &args.containers).await;
    }
    match &args.containers[..] {
        [container] => start_attached(context, &args, container).await,
        _ => Err(Failure::new("you cannot start and attach multiple containers at once")),
    }
}

async fn start_all(context: &Context, containers: &[String]) -> Outcome {
    let mut failed = Vec::new();
    for container in containers {
        match context.client.post(&path(container, "/start"), &Query::new(), None).await {
            Ok(_) => output::println(container),
            Err(error) => {
                output::complain(&error.to_string());
                failed.push(container.as_str());
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => {
            Err(Failure::new(format!("Error: failed to start containers: {}", failed.join(", "))))
        }
    }
}

async fn start_attached(context: &Context, args: &StartArgs, container: &str) -> Outcome {
    let client = &context.client;
    let inspected = client.get(&path(container, "/json"), &Query::new()).await?;
    let id = inspected["Id"].as_str().unwrap_or(container).to_owned();
    let tty = inspected["Config"]["Tty"] == true;
    let stdin = args.interactive && inspected["Config"]["OpenStdin"] == true;
    check_terminal(stdin, tty)?;
    let signals = (!tty).then(signals::catch);
    let joined = Joined { stdin, tty, detach_keys: args.detach_keys.clone() };
    let connection = joined.attach(context, &id, false).await?;
    let removed = inspected["HostConfig"]["AutoRemove"] == true;
    let condition = if removed { Condition::Removed } else { Condition::NextExit };
    let waiting = Waiting::open(client, &id, condition).await?;
    if let Err(error) = client.post(&path(&id, "/start"), &Query::new(), None).await {
        if removed {
            waiting.code().await;
        }
        return Err(error.into());
    }
    let end = tokio::select! {
        end = joined.run(context, &id, connection) => end?,
        () = forward(client, &id, signals) => End::Closed,
    };
    if end == End::Detached {
        return Ok(());
    }
    match waiting.code().await {
        0 => Ok(()),
        code => Err(Failure::silent(code)),
    }
}
