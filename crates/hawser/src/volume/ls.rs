//! `hawser volume ls`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::listing::{self, Kind, Line};
use crate::output::{self, natural};
use crate::parse::filter;

/// Flags of `volume ls`.
#[derive(Args)]
pub struct LsArgs {
    /// Only those that match (dangling=…, driver=…, label=…, name=…)
    #[arg(short, long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// How to show them: table, table TEMPLATE, json, or a Go template
    #[arg(long)]
    format: Option<String>,
    /// Only the names
    #[arg(short, long)]
    quiet: bool,
}

static KIND: Kind = Kind {
    type_name: "*volume.volumeContext",
    headings: &[
        ("Name", "VOLUME NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("Availability", "AVAILABILITY"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Group", "GROUP"),
        ("Status", "STATUS"),
    ],
};

const TABLE: &str = "table {{.Driver}}\t{{.Name}}";
const RAW: &str = "name: {{.Name}}\ndriver: {{.Driver}}\n";
/// What the list does not tell.
const UNKNOWN: &str = "N/A";

/// `hawser volume ls`.
pub async fn run(context: &Context, args: LsArgs) -> Outcome {
    let query = Query::new().maybe("filters", filter::to_query(&args.filter));
    let answer = context.client.get("/volumes", &query).await?;
    let mut volumes: Vec<&Value> = answer["Volumes"].as_array().into_iter().flatten().collect();
    let name = |volume: &Value| volume["Name"].as_str().unwrap_or_default().to_owned();
    volumes.sort_by(|a, b| natural::compare(&name(a), &name(b)));
    let lines = volumes.into_iter().map(line).collect();
    let format = match args.format.as_deref().unwrap_or_default() {
        "" | "table" if args.quiet => "{{.Name}}",
        "" | "table" => TABLE,
        "raw" if args.quiet => "name: {{.Name}}",
        "raw" => RAW,
        other => other,
    };
    output::print(&listing::render(&KIND, format, lines)?);
    Ok(())
}

fn line(volume: &Value) -> Line {
    let text = |key: &str| volume[key].as_str().unwrap_or_default().to_owned();
    let labels = volume["Labels"].as_object().into_iter().flatten();
    let labels: BTreeMap<String, String> = labels
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let joined: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut line = Line::default();
    line.set("Name", text("Name"));
    line.set("Driver", text("Driver"));
    line.set("Scope", text("Scope"));
    line.set("Mountpoint", text("Mountpoint"));
    line.set("Labels", joined.join(","));
    for field in ["Availability", "Links", "Size", "Group", "Status"] {
        line.set(field, UNKNOWN);
    }
    line.labels = Some(labels);
    line
}
