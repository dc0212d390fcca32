//! `hawser login`.

use std::io::{self, BufRead, Read};

use clap::Args;
use serde_json::json;

use super::config::Config;
use super::{Login, address};
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::{self, RawMode, signals};

/// Flags of `login`.
#[derive(Args)]
pub struct LoginArgs {
    /// Password, or an access token
    #[arg(short, long)]
    password: Option<String>,
    /// Take the password from the standard input
    #[arg(long)]
    password_stdin: bool,
    /// Name of the user
    #[arg(short, long)]
    username: Option<String>,
    /// The registry [default: docker.io]
    #[arg(value_name = "SERVER")]
    server: Option<String>,
}

/// `hawser login`.
pub async fn run(context: &Context, args: LoginArgs) -> Outcome {
    let server = address(args.server.as_deref().unwrap_or_default()).to_owned();
    // Reading the terminal blocks; signals must still be heard.
    let asked = server.clone();
    let login = tokio::task::spawn_blocking(move || ask(&args, &asked)).await;
    let login = login.map_err(|error| Failure::new(error.to_string()))??;
    let mut config = Config::read()?;
    let body = json!({
        "username": login.username, "password": login.password,
        "identitytoken": login.identity_token, "serveraddress": server,
    });
    let answer = context.client.post("/auth", &Query::new(), Some(&body)).await?;
    match config.helper(&server) {
        Some(helper) => helper.store(&server, &login)?,
        None => {
            config.put(&server, &login)?;
            output::complain(&format!(
                "WARNING! Your password will be stored unencrypted in {}.\n\
                 Configure a credential helper (credsStore) to remove this warning.",
                config.path().display()
            ));
        }
    }
    output::println(answer["Status"].as_str().unwrap_or("Login Succeeded"));
    Ok(())
}

/// Name and password: of the flags, kept ones, or typed.
fn ask(args: &LoginArgs, server: &str) -> Result<Login, Failure> {
    if args.password.is_some() && args.password_stdin {
        return Err(Failure::new("--password and --password-stdin are mutually exclusive"));
    }
    if args.password.is_some() {
        output::complain(
            "WARNING! Using --password via the CLI is insecure. Use --password-stdin.",
        );
    }
    let username = args.username.clone().filter(|name| !name.is_empty());
    if args.password_stdin && username.is_none() {
        return Err(Failure::new("Must provide --username with --password-stdin"));
    }
    if username.is_none()
        && args.password.is_none()
        && let Some(kept) = Config::read()?.login(server)?
    {
        output::println("Authenticating with existing credentials...");
        return Ok(kept);
    }
    let terminal = terminal::stdin_is_terminal();
    if !terminal && !args.password_stdin && (username.is_none() || args.password.is_none()) {
        return Err(Failure::new("Cannot perform an interactive login from a non TTY device"));
    }
    let username = username.map_or_else(|| line("Username: "), Ok)?;
    let password = match &args.password {
        Some(password) => password.clone(),
        None if args.password_stdin => whole_input()?,
        None => hidden_line("Password: ")?,
    };
    if username.is_empty() || password.is_empty() {
        return Err(Failure::new("username and password must not be empty"));
    }
    Ok(Login { username, password, identity_token: String::new() })
}

fn whole_input() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin().lock().take(1 << 20).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn line(prompt: &str) -> Result<String, Failure> {
    output::print(prompt);
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text)?;
    Ok(text.trim().to_owned())
}

/// A line that does not show; a signal meanwhile leaves the terminal as it was.
fn hidden_line(prompt: &str) -> Result<String, Failure> {
    signals::end_at_signal();
    let hidden = RawMode::hide()?;
    let typed = line(prompt);
    drop(hidden);
    // The line's end did not show either.
    output::println("");
    typed
}
