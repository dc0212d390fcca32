//! `hawser run`.
//!
//! The order is Docker's, and matters: attach and wait before the start, so that neither the
//! first byte nor the exit of a short-lived container is missed.

use clap::{ArgAction, Args};
use serde_json::json;

use super::create::{self, CreateError};
use super::options::{ContainerOptions, CreateOptions};
use super::path;
use super::spec::Spec;
use super::wait::{Condition, Waiting};
use crate::client::{Client, Hijacked, Query};
use crate::context::{Context, detach_keys};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::parse::flags;
use crate::terminal::session::{End, Session};
use crate::terminal::{self, RawMode, signals, size};

/// Flags of `run`.
#[derive(Args)]
pub struct RunArgs {
    /// Run in the background and print the id of the container
    #[arg(short, long)]
    detach: bool,
    /// Keys that detach from the container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Hand signals on to the process
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "true",
          default_missing_value = "true", value_parser = flags::boolean)]
    sig_proxy: bool,
    #[command(flatten)]
    create: CreateOptions,
    #[command(flatten)]
    container: ContainerOptions,
}

/// `hawser run`.
pub async fn run(context: &Context, args: RunArgs) -> Outcome {
    let mut spec =
        Spec::new(&args.container).map_err(|error| context.refused(&error.to_string()))?;
    if args.detach {
        background(&args, &mut spec)?;
    } else {
        check_terminal(spec.is_set("AttachStdin"), spec.is_set("Tty"))?;
    }
    if let Some((rows, columns)) = size::current().filter(|_| spec.is_set("Tty")) {
        spec.host["ConsoleSize"] = json!([rows, columns]);
    }
    if args.create.dry_run {
        return create::preview(context, &args.create, &spec).await.map_err(|f| f.with_code(125));
    }
    let cidfile = &args.container.process.cidfile;
    let id = create::create(context, &args.create, cidfile, &spec).await.map_err(|error| {
        context.refused(&match error {
            CreateError::Invalid(error) => error.to_string(),
            CreateError::Client(error) => error.to_string(),
            CreateError::Pull(message) => message,
        })
    })?;
    if args.detach {
        start(context, &id).await.map_err(|message| not_started(context, &message))?;
        output::println(&id);
        return Ok(());
    }
    foreground(context, &args, &spec, &id).await
}

fn background(args: &RunArgs, spec: &mut Spec) -> Outcome {
    if !args.container.process.attach.is_empty() {
        return Err(Failure::new("conflicting options: cannot specify both --attach and --detach"));
    }
    for key in ["AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"] {
        spec.config[key] = false.into();
    }
    Ok(())
}

/// A terminal in the container that is to read from something else would be of no use.
pub fn check_terminal(stdin: bool, tty: bool) -> Outcome {
    if stdin && tty && !terminal::stdin_is_terminal() {
        return Err(Failure::new("the input device is not a TTY"));
    }
    Ok(())
}

async fn foreground(context: &Context, args: &RunArgs, spec: &Spec, id: &str) -> Outcome {
    let signals = args.sig_proxy.then(signals::catch);
    let stdin = spec.is_set("AttachStdin");
    let (out, err) = (spec.is_set("AttachStdout"), spec.is_set("AttachStderr"));
    let tty = spec.is_set("Tty");
    let attached = match stdin || out || err {
        true => Some(attach(context, args, id, [stdin, out, err]).await?),
        false => None,
    };
    let removed = spec.host["AutoRemove"] == true;
    let condition = if removed { Condition::Removed } else { Condition::NextExit };
    let waiting = Waiting::open(&context.client, id, condition).await?;
    let raw = enter_raw(stdin && tty && attached.is_some(), !args.sig_proxy)?;
    if let Err(message) = start(context, id).await {
        drop(raw);
        if removed {
            // The engine removes what did not start; not before does the name come free.
            waiting.code().await;
        }
        return Err(not_started(context, &message));
    }
    let keys = if tty && stdin { detach_keys(args.detach_keys.as_deref())? } else { Vec::new() };
    let session = Session { stdin, output: out || err, tty, detach_keys: keys };
    let resize = path(id, "/resize");
    let live = async {
        match attached {
            Some(connection) => session.run(connection).await,
            None => Ok(End::Closed),
        }
    };
    let (kill, follow) = (forward(&context.client, id, signals), follow(context, &resize, tty));
    let code = tokio::select! {
        code = async {
            match live.await {
                Ok(End::Detached) => None,
                Ok(End::Closed) => Some(waiting.code().await),
                // What became of the container is more interesting than our output.
                Err(error) => {
                    output::complain(&format!("Error: {error}"));
                    Some(waiting.code().await)
                }
            }
        } => code,
        () = kill => None,
        () = follow => None,
    };
    drop(raw);
    match code {
        None | Some(0) => Ok(()),
        Some(code) => Err(Failure::silent(code)),
    }
}

/// Lets the container's terminal follow ours, for ever.
pub async fn follow(context: &Context, resize: &str, tty: bool) {
    if tty && terminal::stdout_is_terminal() {
        size::follow(&context.client, resize).await;
    }
    std::future::pending().await
}

/// Puts the terminal into raw mode if it is wanted and there is one.
pub fn enter_raw(wanted: bool, end_at_signal: bool) -> Result<Option<RawMode>, Failure> {
    if !wanted || !terminal::stdin_is_terminal() {
        return Ok(None);
    }
    if end_at_signal {
        signals::end_at_signal();
    }
    Ok(Some(RawMode::enter()?))
}

async fn attach(
    context: &Context,
    args: &RunArgs,
    id: &str,
    [stdin, out, err]: [bool; 3],
) -> Result<Hijacked, Failure> {
    let query = Query::new()
        .with("stream", "1")
        .flag("stdin", stdin)
        .flag("stdout", out)
        .flag("stderr", err)
        .maybe("detachKeys", args.detach_keys.clone());
    Ok(context.client.hijack(&path(id, "/attach"), &query, None).await?)
}

/// Starts the container, or says why it does not start.
async fn start(context: &Context, id: &str) -> Result<(), String> {
    let started = context.client.post(&path(id, "/start"), &Query::new(), None).await;
    started.map(drop).map_err(|error| error.to_string())
}

/// The failure of a container that did not start: 127 if there is no such program, 126 if it
/// cannot be run, 125 for everything else.
fn not_started(context: &Context, message: &str) -> Failure {
    context.refused(message).with_code(start_code(message))
}

fn start_code(message: &str) -> i32 {
    let has = |part: &str| message.contains(part);
    if has("executable file not found") || has("no such file or directory") {
        return 127;
    }
    if has("permission denied") || has("is a directory") {
        return 126;
    }
    125
}

/// Hands the signals that we get on to the container, for ever.
pub async fn forward(
    client: &Client,
    id: &str,
    signals: Option<tokio::sync::mpsc::UnboundedReceiver<&'static str>>,
) {
    if let Some(mut signals) = signals {
        while let Some(name) = signals.recv().await {
            let query = Query::new().with("signal", name);
            // A container that is gone needs no signal.
            let _ = client.post(&path(id, "/kill"), &query, None).await;
        }
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_handed_on_unless_told_not_to() {
        use clap::{CommandFactory, FromArgMatches, Parser};
        #[derive(Parser)]
        struct Flags {
            #[command(flatten)]
            run: RunArgs,
        }
        let parse = |words: &[&str]| {
            let command = crate::cli::dress(Flags::command());
            let matches = command.try_get_matches_from([&["run"], words].concat()).unwrap();
            Flags::from_arg_matches(&matches).unwrap().run
        };
        assert!(parse(&["busybox"]).sig_proxy);
        assert!(!parse(&["--sig-proxy=false", "busybox"]).sig_proxy);
        assert!(parse(&["-d", "busybox"]).detach && !parse(&["busybox"]).detach);
    }

    #[test]
    fn codes_say_why_it_did_not_start() {
        assert_eq!(start_code("exec: \"x\": executable file not found in $PATH: unknown"), 127);
        assert_eq!(start_code("stat /x: no such file or directory"), 127);
        assert_eq!(start_code("exec: \"/tmp\": permission denied: unknown"), 126);
        assert_eq!(start_code("exec: \"/tmp\": is a directory"), 126);
        assert_eq!(start_code("network nosuch not found"), 125);
    }
}
