//! `hawser network create`.

use clap::Args;
use serde_json::json;

use super::ipam;
use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output;
use crate::parse::{env, flags, process};

/// Flags of `network create`.
#[derive(Args)]
pub struct CreateArgs {
    /// Let containers be connected by hand (overlay)
    #[arg(long)]
    attachable: bool,
    /// Addresses that are somebody else's (NAME=ADDRESS)
    #[arg(long)]
    aux_address: Vec<String>,
    /// Take the configuration from another network
    #[arg(long, default_value = "")]
    config_from: String,
    /// Make a configuration for other networks only
    #[arg(long)]
    config_only: bool,
    /// Driver of the network
    #[arg(short, long, default_value = "bridge")]
    driver: String,
    /// Gateway of the subnet
    #[arg(long)]
    gateway: Vec<String>,
    /// Make the routing mesh's network (swarm)
    #[arg(long, hide = true)]
    ingress: bool,
    /// No way to the outside
    #[arg(long)]
    internal: bool,
    /// Give containers addresses of this part of the subnet only
    #[arg(long)]
    ip_range: Vec<String>,
    /// Driver of the address management
    #[arg(long, default_value = "default")]
    ipam_driver: String,
    /// Option for the address management (KEY=VALUE)
    #[arg(long)]
    ipam_opt: Vec<String>,
    /// Give containers IPv4 addresses
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = flags::boolean)]
    ipv4: Option<bool>,
    /// Give containers IPv6 addresses
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = flags::boolean)]
    ipv6: Option<bool>,
    /// Set a label (KEY=VALUE)
    #[arg(long, value_parser = env::label)]
    label: Vec<String>,
    /// Option for the driver (KEY=VALUE)
    #[arg(short, long)]
    opt: Vec<String>,
    /// Where the network is: local or global
    #[arg(long, default_value = "")]
    scope: String,
    /// Subnet, such as 10.1.0.0/24
    #[arg(long)]
    subnet: Vec<String>,
    /// Name of the network
    #[arg(value_name = "NETWORK")]
    name: String,
}

/// `hawser network create`.
pub async fn run(context: &Context, args: CreateArgs) -> Outcome {
    let pair = |text: &String| {
        let (name, address) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), address.to_owned())
    };
    let auxiliary: Vec<_> = args.aux_address.iter().map(pair).collect();
    let config = ipam::config(&args.subnet, &args.ip_range, &args.gateway, &auxiliary)?;
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
    let created = context.client.post("/networks/create", &Query::new(), Some(&body)).await?;
    if let Some(warning) = created["Warning"].as_str().filter(|warning| !warning.is_empty()) {
        output::complain(&format!("WARNING: {warning}"));
    }
    output::println(created["Id"].as_str().unwrap_or_default());
    Ok(())
}
