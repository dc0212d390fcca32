//! `hawser rm`.

use clap::Args;
use futures_util::future::join_all;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{self, Outcome};
use crate::output;

/// Flags of `rm`.
#[derive(Args)]
pub struct RmArgs {
    /// Remove running containers too, killing them
    #[arg(short, long)]
    force: bool,
    /// Remove the link, not the container
    #[arg(short, long)]
    link: bool,
    /// Remove the anonymous volumes of the container as well
    #[arg(short, long)]
    volumes: bool,
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    containers: Vec<String>,
}

/// `hawser rm`.
pub async fn run(context: &Context, args: RmArgs) -> Outcome {
    let query =
        &Query::new().flag("v", args.volumes).flag("link", args.link).flag("force", args.force);
    let requests = args.containers.iter().map(|container| async move {
        context.client.delete(&path(container.trim_matches('/'), ""), query).await
    });
    let mut errors = Vec::new();
    for (container, answer) in args.containers.iter().zip(join_all(requests).await) {
        match answer {
            Ok(_) => output::println(container),
            // What is to be gone and is gone is no failure of the force.
            Err(error) if args.force && error.is_not_found() => {
                output::complain(&error.to_string());
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    failure::all(errors)
}
