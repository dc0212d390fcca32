//! `hawser exec`.

use clap::Args;
use serde_json::{Value, json};

use super::path;
use super::run::{check_terminal, enter_raw, follow};
use crate::client::{Query, escape};
use crate::context::{Context, detach_keys};
use crate::failure::{Failure, Outcome};
use crate::parse::env;
use crate::terminal::session::{End, Session};
use crate::terminal::size;

/// Flags of `exec`.
#[derive(Args)]
pub struct ExecArgs {
    /// Run in the background
    #[arg(short, long)]
    detach: bool,
    /// Keys that detach from the command
    #[arg(long)]
    detach_keys: Option<String>,
    /// Set an environment variable (NAME alone takes yours)
    #[arg(short, long, value_parser = env::variable)]
    env: Vec<String>,
    /// Read environment variables from a file
    #[arg(long)]
    env_file: Vec<String>,
    /// Keep the standard input open
    #[arg(short, long)]
    interactive: bool,
    /// Let the command do what root of the host can do
    #[arg(long)]
    privileged: bool,
    /// Give the command a terminal
    #[arg(short, long)]
    tty: bool,
    /// User (and group) of the command: NAME|UID[:GROUP|GID]
    #[arg(short, long, default_value = "")]
    user: String,
    /// Working directory of the command
    #[arg(short, long, default_value = "")]
    workdir: String,
    /// Container, command and arguments
    #[arg(value_name = "CONTAINER COMMAND [ARG...]", required = true, num_args = 2..,
          trailing_var_arg = true)]
    container_and_command: Vec<String>,
}

/// `hawser exec`: exits with the command's code.
pub async fn run(context: &Context, args: ExecArgs) -> Outcome {
    let body = body(&args)?;
    let Some(container) = args.container_and_command.first() else { return Ok(()) };
    // Before anything is made, as Docker does: a container that is not there is not found.
    context.client.get(&path(container, "/json"), &Query::new()).await?;
    if !args.detach {
        check_terminal(args.interactive, args.tty)?;
    }
    let created =
        context.client.post(&path(container, "/exec"), &Query::new(), Some(&body)).await?;
    let Some(id) = created["Id"].as_str().filter(|id| !id.is_empty()) else {
        return Err(Failure::new("exec ID empty"));
    };
    if args.detach {
        let start = json!({"Detach": true, "Tty": args.tty});
        context.client.post(&exec_path(id, "/start"), &Query::new(), Some(&start)).await?;
        return Ok(());
    }
    attached(context, &args, id).await
}

fn exec_path(id: &str, rest: &str) -> String {
    format!("/exec/{}{rest}", escape(id))
}

fn body(args: &ExecArgs) -> Result<Value, Failure> {
    let mut variables = Vec::new();
    for file in &args.env_file {
        variables.extend(env::variables_of(file)?);
    }
    variables.extend(args.env.iter().cloned());
    let mut body = json!({
        "User": args.user,
        "Privileged": args.privileged,
        "Tty": args.tty,
        "AttachStdin": args.interactive && !args.detach,
        "AttachStderr": !args.detach,
        "AttachStdout": !args.detach,
        "Detach": args.detach,
        "Env": variables,
        "WorkingDir": args.workdir,
        "Cmd": args.container_and_command.get(1..).unwrap_or_default(),
    });
    if let Some(keys) = &args.detach_keys {
        body["DetachKeys"] = keys.as_str().into();
    }
    if let Some((rows, columns)) = size::current().filter(|_| args.tty) {
        body["ConsoleSize"] = json!([rows, columns]);
    }
    Ok(body)
}

async fn attached(context: &Context, args: &ExecArgs, id: &str) -> Outcome {
    let mut start = json!({"Detach": false, "Tty": args.tty});
    if let Some((rows, columns)) = size::current().filter(|_| args.tty) {
        start["ConsoleSize"] = json!([rows, columns]);
    }
    let terminal = args.tty && args.interactive;
    let keys = if terminal { detach_keys(args.detach_keys.as_deref())? } else { Vec::new() };
    let connection =
        context.client.hijack(&exec_path(id, "/start"), &Query::new(), Some(&start)).await?;
    let raw = enter_raw(terminal, true)?;
    let session =
        Session { stdin: args.interactive, output: true, tty: args.tty, detach_keys: keys };
    let resize = exec_path(id, "/resize");
    let end = tokio::select! {
        end = session.run(connection) => end?,
        () = follow(context, &resize, args.tty) => End::Closed,
    };
    drop(raw);
    if end == End::Detached {
        return Err(Failure::new("read escape sequence"));
    }
    let state = context.client.get(&exec_path(id, "/json"), &Query::new()).await?;
    match i32::try_from(state["ExitCode"].as_i64().unwrap_or(0)).unwrap_or(1) {
        0 => Ok(()),
        code => Err(Failure::silent(code)),
    }
}
