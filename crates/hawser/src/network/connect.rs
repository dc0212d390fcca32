//! `hawser network connect`.

use clap::Args;
use serde_json::{Value, json};

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::endpoint::{Attachment, driver_option, mac};
use crate::parse::flags::{self, Several};

/// Flags of `network connect`.
#[derive(Args)]
pub struct ConnectArgs {
    /// Another name of the container on the network
    #[arg(long, value_parser = flags::several)]
    alias: Vec<Several>,
    /// Option for the network's driver, such as com.docker.network.endpoint.ifname=net0
    #[arg(long, value_parser = flags::several)]
    driver_opt: Vec<Several>,
    /// The network with the highest gives the default route
    #[arg(long, default_value = "0", value_parser = flags::integer)]
    gw_priority: i64,
    /// IPv4 address, such as 172.30.100.104
    #[arg(long, default_value = "")]
    ip: String,
    /// IPv6 address, such as 2001:db8::33
    #[arg(long, default_value = "")]
    ip6: String,
    /// Reach another container by name (CONTAINER[:ALIAS])
    #[arg(long, value_parser = flags::link)]
    link: Vec<String>,
    /// Link-local address
    #[arg(long, value_parser = flags::several)]
    link_local_ip: Vec<Several>,
    /// MAC address
    #[arg(long, default_value = "")]
    mac_address: String,
    /// The network
    #[arg(value_name = "NETWORK")]
    network: String,
    /// The container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// `hawser network connect`.
pub async fn run(context: &Context, args: ConnectArgs) -> Outcome {
    let container = args.container.trim();
    if container.is_empty() {
        return Err(Failure::new("invalid container name or ID: value is empty"));
    }
    if !args.mac_address.is_empty() {
        mac(&args.mac_address)?;
    }
    let mut attachment = Attachment {
        aliases: args.alias.into_iter().flatten().collect(),
        links: args.link,
        ipv4: args.ip,
        ipv6: args.ip6,
        link_local: args.link_local_ip.into_iter().flatten().collect(),
        mac: args.mac_address,
        gateway_priority: args.gw_priority,
        ..Attachment::default()
    };
    for option in args.driver_opt.into_iter().flatten() {
        let (key, value) = driver_option(&option)
            .map_err(|_| Failure::new("invalid key/value pair format in driver options"))?;
        attachment.driver_options.insert(key, value);
    }
    let mut settings = attachment.to_json();
    // An inspect shows whether it was there.
    settings.entry("IPAMConfig").or_insert_with(|| json!({}));
    let body = json!({"Container": container, "EndpointConfig": Value::Object(settings)});
    context.client.post(&path(&args.network, "/connect"), &Query::new(), Some(&body)).await?;
    Ok(())
}
