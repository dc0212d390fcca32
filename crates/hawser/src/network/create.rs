//! `hawser network create`.

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::ipam::{self, PoolOptions};
use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output;
use crate::parse::{Invalid, env, flags, process};

/// Flags of `network create`.
#[derive(Args)]
pub struct CreateArgs {
    /// Let containers be connected by hand (always so here)
    #[arg(long)]
    attachable: bool,
    /// Take addresses and options from a network made with --config-only
    #[arg(long, default_value = "")]
    config_from: String,
    /// Make no network, only addresses and options for others (--config-from)
    #[arg(long)]
    config_only: bool,
    /// Driver of the network: bridge
    #[arg(short, long, default_value = "bridge")]
    driver: String,
    /// Print what would change on the host, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Make the routing mesh of a swarm (there is no swarm)
    #[arg(long)]
    ingress: bool,
    /// Leave no way to the outside
    #[arg(long)]
    internal: bool,
    /// Who gives addresses: default, or null for nobody
    #[arg(long, default_value = "default")]
    ipam_driver: String,
    /// Option for the address management (KEY=VALUE)
    #[arg(long)]
    ipam_opt: Vec<String>,
    /// Give containers IPv4 addresses
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = flags::boolean)]
    ipv4: Option<bool>,
    /// Give containers IPv6 addresses; of a subnet of the engine's own if none is given
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = flags::boolean)]
    ipv6: Option<bool>,
    /// Set a label (KEY=VALUE)
    #[arg(long, value_parser = env::label)]
    label: Vec<String>,
    /// Option for the driver, such as com.docker.network.driver.mtu=1400
    #[arg(short, long)]
    opt: Vec<String>,
    /// Where the network is: local (there is no swarm)
    #[arg(long, default_value = "")]
    scope: String,
    #[command(flatten)]
    pools: PoolOptions,
    /// Name of the network
    #[arg(value_name = "NETWORK")]
    name: String,
}

/// `hawser network create`.
pub async fn run(context: &Context, args: CreateArgs) -> Outcome {
    let dry_run = args.dry_run;
    let body = body(args)?;
    if dry_run {
        let query = Query::new();
        let plan = context.client.own(Method::POST, "/networks/plan", &query, Some(&body)).await?;
        output::commands(&plan);
        return Ok(());
    }
    let created = context.client.post("/networks/create", &Query::new(), Some(&body)).await?;
    if let Some(warning) = created["Warning"].as_str().filter(|warning| !warning.is_empty()) {
        output::complain(&format!("WARNING: {warning}"));
    }
    output::println(created["Id"].as_str().unwrap_or_default());
    Ok(())
}

fn body(args: CreateArgs) -> Result<Value, Invalid> {
    let config = ipam::config(&args.pools)?;
    let mut body = json!({
        "Name": args.name,
        "Driver": args.driver,
        "Scope": args.scope,
        "IPAM": {
            "Driver": args.ipam_driver,
            "Options": process::pairs(&args.ipam_opt),
            "Config": config,
        },
        "Internal": args.internal,
        "Attachable": args.attachable,
        "Ingress": args.ingress,
        "ConfigOnly": args.config_only,
        "Options": process::pairs(&args.opt),
        "Labels": process::pairs(&args.label),
    });
    for (key, wanted) in [("EnableIPv4", args.ipv4), ("EnableIPv6", args.ipv6)] {
        if let Some(wanted) = wanted {
            body[key] = wanted.into();
        }
    }
    if !args.config_from.is_empty() {
        body["ConfigFrom"] = json!({"Network": args.config_from});
    }
    Ok(body)
}
