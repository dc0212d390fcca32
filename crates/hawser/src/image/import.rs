//! `hawser import`.

use std::fs::File;
use std::io;

use clap::Args;

use super::{progress, upload};
use crate::client::{self, Query};
use crate::context::Context;
use crate::failure::Outcome;
use crate::parse::env::unreadable;
use crate::parse::reference;

/// Flags of `import`.
#[derive(Args)]
pub struct ImportArgs {
    /// Apply a line of a Dockerfile to the image, such as 'CMD ["sh"]'
    #[arg(short, long)]
    change: Vec<String>,
    /// Say what the image is for
    #[arg(short, long)]
    message: Option<String>,
    /// Platform of the image
    #[arg(long)]
    platform: Option<String>,
    /// A file, an address, or - for the standard input
    #[arg(value_name = "file|URL|-")]
    source: String,
    /// Name of the image
    #[arg(value_name = "[REPOSITORY[:TAG]]")]
    reference: Option<String>,
}

/// `hawser import`.
pub async fn run(context: &Context, args: ImportArgs) -> Outcome {
    let remote = ["http://", "https://"].iter().any(|scheme| args.source.starts_with(scheme));
    let (source, body) = match args.source.as_str() {
        "-" => ("-", upload::body(io::stdin())),
        address if remote => (address, client::empty()),
        file => ("-", upload::body(File::open(file).map_err(|error| unreadable(file, &error))?)),
    };
    let mut query = Query::new().with("fromSrc", source).maybe("message", args.message);
    if let Some(reference) = &args.reference {
        reference::check(reference)?;
        query = query.with("repo", reference.as_str());
    }
    for change in args.change {
        query = query.with("changes", change);
    }
    let query = query.maybe("platform", args.platform);
    let answer = context.client.upload("/images/create", &query, body).await?;
    progress::show(answer, false).await
}
