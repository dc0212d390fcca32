//! `hawser volume create`.

use clap::Args;
use serde_json::json;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output;
use crate::parse::{env, process};

/// Flags of `volume create`.
#[derive(Args)]
pub struct CreateArgs {
    /// What makes it: local
    #[arg(short, long, default_value = "local")]
    driver: String,
    /// Set a label (KEY=VALUE)
    #[arg(long, value_parser = env::label)]
    label: Vec<String>,
    /// Option for the driver: type=, device=, o= as for mount
    #[arg(short, long)]
    opt: Vec<String>,
    /// Its name; a random one if not given
    #[arg(value_name = "VOLUME", default_value = "", hide_default_value = true)]
    name: String,
}

/// `hawser volume create`.
pub async fn run(context: &Context, args: CreateArgs) -> Outcome {
    let body = json!({
        "Name": args.name,
        "Driver": args.driver,
        "DriverOpts": process::pairs(&args.opt),
        "Labels": process::pairs(&args.label),
    });
    let created = context.client.post("/volumes/create", &Query::new(), Some(&body)).await?;
    output::println(created["Name"].as_str().unwrap_or_default());
    Ok(())
}
