//! `hawser port`.

mod all;

use clap::Args;
use serde_json::Value;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{self, natural, ports};
use crate::parse::flags;

/// Flags of `port`.
#[derive(Args)]
pub struct PortArgs {
    /// The container
    #[arg(value_name = "CONTAINER", required = true)]
    container: Option<String>,
    /// One of its ports
    #[arg(value_name = "PRIVATE_PORT[/PROTO]")]
    port: Option<String>,
    /// Ports of all containers, and who can reach them; --all=FORMAT: json or a Go template
    #[arg(long, value_name = "FORMAT", exclusive = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "table")]
    all: Option<String>,
}

/// `hawser port`.
pub async fn run(context: &Context, args: PortArgs) -> Outcome {
    if let Some(format) = &args.all {
        return all::run(context, format).await;
    }
    let name = args.container.as_deref().unwrap_or_default();
    let container = context.client.get(&path(name, "/json"), &Query::new()).await?;
    let published = &container["NetworkSettings"]["Ports"];
    let lines = match &args.port {
        Some(port) => {
            let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            flags::small(number).map_err(|error| {
                Failure::new(format!("Error: invalid port ({number}): {error}"))
            })?;
            let wanted = format!("{number}/{protocol}");
            let bindings: Vec<String> = bindings(&published[&wanted]).collect();
            if bindings.is_empty() {
                let message = format!("Error: No public port '{port}' published for {name}");
                return Err(Failure::new(message));
            }
            bindings
        }
        None => every(published),
    };
    for line in lines {
        output::println(&line);
    }
    Ok(())
}

fn every(published: &Value) -> Vec<String> {
    let mut lines: Vec<String> = published
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(port, list)| bindings(list).map(move |host| format!("{port} -> {host}")))
        .collect();
    lines.sort_by(|a, b| natural::compare(a, b));
    lines
}

fn bindings(list: &Value) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().map(|binding| {
        let part = |key: &str| binding[key].as_str().unwrap_or_default();
        ports::join(part("HostIp"), part("HostPort"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_are_in_the_order_of_their_numbers() {
        let published = json!({
            "443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8443"}],
            "80/tcp": [{"HostIp": "::", "HostPort": "8080"}, {"HostIp": "0.0.0.0", "HostPort": "8080"}],
            "90/tcp": null
        });
        assert_eq!(
            every(&published),
            ["80/tcp -> 0.0.0.0:8080", "80/tcp -> [::]:8080", "443/tcp -> 0.0.0.0:8443"]
        );
    }
}
