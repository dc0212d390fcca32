//! `hawser network connect`.

use clap::Args;
use serde_json::{Value, json};

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::endpoint::{Attachment, driver_option};
use crate::parse::flags;

/// Flags of `network connect`.
#[derive(Args)]
pub struct ConnectArgs {
    /// Another name of the container on the network
    #[arg(long)]
    alias: Vec<String>,
    /// Option for the network's driver (KEY=VALUE)
    #[arg(long)]
    driver_opt: Vec<String>,
    /// Who gives the default gateway: the highest
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    gw_priority: i64,
    /// IPv4 address
    #[arg(long, default_value = "")]
    ip: String,
    /// IPv6 address
    #[arg(long, default_value = "")]
    ip6: String,
    /// Reach another container by name (CONTAINER[:ALIAS])
    #[arg(long, value_parser = flags::link)]
    link: Vec<String>,
    /// Link-local address
    #[arg(long)]
    link_local_ip: Vec<String>,
    /// The network
    #[arg(value_name = "NETWORK")]
    network: String,
    /// The container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// `hawser network connect`.
pub async fn run(context: &Context, args: ConnectArgs) -> Outcome {
    let mut attachment = Attachment {
        aliases: args.alias,
        links: args.link,
        ipv4: args.ip,
        ipv6: args.ip6,
        link_local: args.link_local_ip,
        gateway_priority: args.gw_priority,
        ..Attachment::default()
    };
    for option in &args.driver_opt {
        let (key, value) = driver_option(option)
            .map_err(|_| Failure::new("invalid key/value pair format in driver options"))?;
        attachment.driver_options.insert(key, value);
    }
    let body = json!({
        "Container": args.container,
        "EndpointConfig": Value::Object(attachment.to_json()),
    });
    context.client.post(&path(&args.network, "/connect"), &Query::new(), Some(&body)).await?;
    Ok(())
}
