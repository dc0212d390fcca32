//! `hawser logs`.

use chrono::Utc;
use clap::Args;
use http::Method;
use http_body_util::BodyExt;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::quantity;
use crate::terminal::session::Screen;

/// Flags of `logs`.
#[derive(Args)]
pub struct LogsArgs {
    /// Show extra details
    #[arg(long)]
    details: bool,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Only what was written since (2013-01-02T13:23:37Z, 42m)
    #[arg(long)]
    since: Option<String>,
    /// Only so many lines from the end
    #[arg(short = 'n', long, default_value = "all")]
    tail: String,
    /// Show when each line was written
    #[arg(short, long)]
    timestamps: bool,
    /// Only what was written until (2013-01-02T13:23:37Z, 42m)
    #[arg(long)]
    until: Option<String>,
    /// The container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// `hawser logs`.
pub async fn run(context: &Context, args: LogsArgs) -> Outcome {
    let container = context.client.get(&path(&args.container, "/json"), &Query::new()).await?;
    let moment = |name: &str, text: &Option<String>| match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => quantity::moment(text, Utc::now())
            .map(Some)
            .map_err(|error| Failure::new(format!("invalid value for {name:?}: {error}"))),
    };
    let query = Query::new()
        .flag("stdout", true)
        .flag("stderr", true)
        .flag("details", args.details)
        .flag("follow", args.follow)
        .flag("timestamps", args.timestamps)
        .maybe("since", moment("since", &args.since)?)
        .maybe("until", moment("until", &args.until)?)
        .with("tail", args.tail.as_str());
    let logs = path(container["Id"].as_str().unwrap_or(&args.container), "/logs");
    let answer = context.client.open_json(Method::GET, &logs, &query, None).await?;
    let mut body = answer.into_body();
    let mut screen = Screen::new(container["Config"]["Tty"] == true);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            screen.show(&data).await?;
        }
    }
    Ok(())
}
