//! `hawser ps`, which is `hawser container ls`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::listing::{self, Kind, Line, ListingError};
use crate::output::{self, ellipsis, human, ports, short_id};
use crate::parse::{filter, flags};

/// Flags of `ps`.
#[derive(Args)]
pub struct LsArgs {
    /// Show all containers, not only running ones
    #[arg(short, long)]
    all: bool,
    /// Only those that match (name=…, status=…, label=…, network=…)
    #[arg(short, long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// How to show them: table, table TEMPLATE, json, or a Go template
    #[arg(long)]
    format: Option<String>,
    /// Only so many of the newest
    #[arg(short = 'n', long, default_value = "-1", value_parser = flags::integer)]
    last: i64,
    /// Only the newest
    #[arg(short, long)]
    latest: bool,
    /// Do not shorten anything
    #[arg(long)]
    no_trunc: bool,
    /// Only the ids
    #[arg(short, long)]
    quiet: bool,
    /// Show the sizes
    #[arg(short, long)]
    size: bool,
}

static KIND: Kind = Kind {
    type_name: "*formatter.ContainerContext",
    headings: &[
        ("ID", "CONTAINER ID"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
};

const TABLE: &str =
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
const RAW: &str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\nlabels: {{- if .Labels}} {{.Labels}}{{end}}\nports: {{- if .Ports}} {{.Ports}}{{end}}\n";

/// `hawser ps`.
pub async fn run(context: &Context, args: LsArgs) -> Outcome {
    let format = args.format.as_deref().unwrap_or_default();
    if args.quiet && !format.is_empty() {
        output::complain(
            "WARNING: Ignoring custom format, because both --format and --quiet are set.",
        );
    }
    let last = if args.latest { 1 } else { args.last };
    // Sizes take the engine long: they are asked for only if they are shown.
    let shows_size = format.contains(".Size") || format.contains("json .");
    let query = Query::new()
        .flag("all", args.all || last > 0)
        .maybe("limit", (last > 0).then(|| last.to_string()))
        .flag("size", args.size || (shows_size && !args.quiet))
        .maybe("filters", filter::to_query(&args.filter));
    let answer = context.client.get("/containers/json", &query).await?;
    let containers = answer.as_array().into_iter().flatten();
    let lines = containers.map(|container| line(container, args.no_trunc)).collect();
    let text = listing::render(&KIND, &resolve(format, &args), lines).map_err(failure)?;
    output::print(&text);
    Ok(())
}

/// Docker's client reads this command's templates twice, and stumbles the first time.
fn failure(error: ListingError) -> Failure {
    Failure::new(match error {
        ListingError::Parse(error) => format!("failed to parse template: {error}"),
        ListingError::Execute(error) => format!("failed to execute template: {error}"),
    })
}

fn resolve(format: &str, args: &LsArgs) -> String {
    let sized = |format: &str, size: &str| match args.size {
        true => format!("{format}{size}"),
        false => format.to_owned(),
    };
    match format {
        _ if args.quiet => "{{.ID}}".to_owned(),
        "" | "table" => sized(TABLE, "\t{{.Size}}"),
        "raw" => sized(RAW, "size: {{.Size}}\n"),
        other => other.to_owned(),
    }
}

fn line(container: &Value, full: bool) -> Line {
    let text = |key: &str| container[key].as_str().unwrap_or_default().to_owned();
    let created = container["Created"].as_i64().unwrap_or(0);
    let labels = labels(&container["Labels"]);
    let mut line = Line::default();
    let id = text("Id");
    line.set("ID", if full { id } else { short_id(&id) });
    line.set("Names", names(&container["Names"], full));
    line.set("Image", image(container, full));
    let command = text("Command");
    line.set("Command", quoted(&if full { command } else { ellipsis(&command, 20) }));
    line.set("CreatedAt", human::local_time(created));
    line.set("RunningFor", human::ago(created));
    line.set("Ports", ports::column(&container["Ports"]));
    line.set("State", text("State"));
    line.set("Status", text("Status"));
    line.set("Size", size(container));
    line.set("Labels", joined(labels.iter().map(|(key, value)| format!("{key}={value}"))));
    line.set("Mounts", mounts(&container["Mounts"], full));
    line.set("LocalVolumes", local_volumes(&container["Mounts"]));
    let networks = container["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let mut networks: Vec<String> = networks.map(|(name, _)| name.clone()).collect();
    networks.sort();
    line.set("Networks", networks.join(","));
    line.set("Platform", Value::Null);
    line.labels = Some(labels);
    line
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

fn labels(json: &Value) -> BTreeMap<String, String> {
    let labels = json.as_object().into_iter().flatten();
    labels
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// The container's names; those that others gave it by a link have another slash in them.
fn names(json: &Value, full: bool) -> String {
    let names = json.as_array().into_iter().flatten().filter_map(Value::as_str);
    let names = names.map(|name| name.strip_prefix('/').unwrap_or(name));
    joined(names.filter(|name| full || !name.contains('/')).map(str::to_owned))
}

fn image(container: &Value, full: bool) -> String {
    let image = container["Image"].as_str().unwrap_or_default();
    if image.is_empty() {
        return "<no image>".to_owned();
    }
    if full {
        return image.to_owned();
    }
    if container["ImageID"].as_str() == Some(image) {
        return short_id(image);
    }
    // The digest is for machines, unless there is nothing else to call it by.
    match image.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => image.to_owned(),
    }
}

/// The text in the quotes of Go.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn size(container: &Value) -> String {
    let bytes = |key: &str| container[key].as_i64().unwrap_or(0);
    let own = human::size(bytes("SizeRw"), 3);
    match bytes("SizeRootFs") {
        0 => own,
        all => format!("{own} (virtual {})", human::size(all, 3)),
    }
}

fn mounts(json: &Value, full: bool) -> String {
    let name = |mount: &Value| {
        let text = |key: &str| mount[key].as_str().unwrap_or_default().to_owned();
        let name = if text("Name").is_empty() { text("Source") } else { text("Name") };
        if full { name } else { ellipsis(&name, 15) }
    };
    joined(json.as_array().into_iter().flatten().map(name))
}

fn local_volumes(json: &Value) -> String {
    let local = |mount: &&Value| mount["Driver"] == "local";
    json.as_array().into_iter().flatten().filter(local).count().to_string()
}
