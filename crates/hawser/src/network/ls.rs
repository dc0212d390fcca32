//! `hawser network ls`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::listing::{self, Kind, Line};
use crate::output::{self, human, natural, short_id};
use crate::parse::filter;

/// Flags of `network ls`.
#[derive(Args)]
pub struct LsArgs {
    /// Only those that match (driver=…, id=…, label=…, name=…, scope=…, type=…, dangling=…)
    #[arg(short, long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// How to show them: table, table TEMPLATE, json, or a Go template
    #[arg(long)]
    format: Option<String>,
    /// Do not shorten the ids
    #[arg(long)]
    no_trunc: bool,
    /// Only the ids
    #[arg(short, long)]
    quiet: bool,
}

static KIND: Kind = Kind {
    type_name: "*network.networkContext",
    headings: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
};

const TABLE: &str = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";
const RAW: &str = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n";

/// `hawser network ls`.
pub async fn run(context: &Context, args: LsArgs) -> Outcome {
    let query = Query::new().maybe("filters", filter::to_query(&args.filter));
    let answer = context.client.get("/networks", &query).await?;
    let mut networks: Vec<&Value> = answer.as_array().into_iter().flatten().collect();
    let name = |network: &Value| network["Name"].as_str().unwrap_or_default().to_owned();
    networks.sort_by(|a, b| natural::compare(&name(a), &name(b)));
    let lines = networks.into_iter().map(|network| line(network, args.no_trunc)).collect();
    let format = match args.format.as_deref().unwrap_or_default() {
        "" | "table" if args.quiet => "{{.ID}}",
        "" | "table" => TABLE,
        "raw" if args.quiet => "network_id: {{.ID}}",
        "raw" => RAW,
        other => other,
    };
    output::print(&listing::render(&KIND, format, lines)?);
    Ok(())
}

fn line(network: &Value, full: bool) -> Line {
    let text = |key: &str| network[key].as_str().unwrap_or_default().to_owned();
    let flag = |key: &str| (network[key] == true).to_string();
    let labels: BTreeMap<String, String> = network["Labels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let joined: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut line = Line::default();
    line.set("ID", if full { text("Id") } else { short_id(&text("Id")) });
    line.set("Name", text("Name"));
    line.set("Driver", text("Driver"));
    line.set("Scope", text("Scope"));
    line.set("IPv4", flag("EnableIPv4"));
    line.set("IPv6", flag("EnableIPv6"));
    line.set("Internal", flag("Internal"));
    line.set("Labels", joined.join(","));
    line.set("CreatedAt", human::rewritten_time(&text("Created")));
    line.labels = Some(labels);
    line
}
