//! `hawser load`.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use clap::Args;

use super::{progress, upload};
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::env::unreadable;
use crate::terminal;

/// Flags of `load`.
#[derive(Args)]
pub struct LoadArgs {
    /// Read from this file, not from the standard input
    #[arg(short, long)]
    input: Option<PathBuf>,
    /// Load this platform only
    #[arg(long)]
    platform: Option<String>,
    /// Say less
    #[arg(short, long)]
    quiet: bool,
}

/// `hawser load`.
pub async fn run(context: &Context, args: LoadArgs) -> Outcome {
    let body = match &args.input {
        Some(path) => {
            let file = File::open(path)
                .map_err(|error| unreadable(&path.display().to_string(), &error))?;
            upload::body(file)
        }
        None if terminal::stdin_is_terminal() => {
            return Err(Failure::new("requested load from stdin, but stdin is empty"));
        }
        None => upload::body(io::stdin()),
    };
    let query = Query::new()
        .with("quiet", if args.quiet { "1" } else { "0" })
        .maybe("platform", args.platform);
    let answer = context.client.upload("/images/load", &query, body).await?;
    progress::show(answer, args.quiet).await
}
