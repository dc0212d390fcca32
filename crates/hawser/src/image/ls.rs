//! `hawser images`, which is `hawser image ls`.

use clap::Args;
use serde_json::Value;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::listing::{self, Kind, Line};
use crate::output::{self, human, short_id};
use crate::parse::{filter, reference};

/// Flags of `images`.
#[derive(Args)]
pub struct LsArgs {
    /// Show all images, also those that others are built on
    #[arg(short, long)]
    all: bool,
    /// Show the digests
    #[arg(long)]
    digests: bool,
    /// Only those that match (reference=…, label=…, dangling=…)
    #[arg(short, long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// How to show them: table, table TEMPLATE, json, or a Go template
    #[arg(long)]
    format: Option<String>,
    /// Do not shorten anything
    #[arg(long)]
    no_trunc: bool,
    /// Only the ids
    #[arg(short, long)]
    quiet: bool,
    /// Only this image
    #[arg(value_name = "[REPOSITORY[:TAG]]")]
    reference: Option<String>,
}

static KIND: Kind = Kind {
    type_name: "*formatter.imageContext",
    headings: &[
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
        ("VirtualSize", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
    ],
};

const TABLE: &str = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
const DIGESTS: &str =
    "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
const RAW: &str = "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

/// `hawser images`.
pub async fn run(context: &Context, mut args: LsArgs) -> Outcome {
    if let Some(reference) = args.reference.take() {
        args.filter.push(("reference".to_owned(), reference));
    }
    let query = Query::new().flag("all", args.all).maybe("filters", filter::to_query(&args.filter));
    let answer = context.client.get("/images/json", &query).await?;
    let format = args.format.as_deref().unwrap_or_default();
    let format = match format {
        _ if args.quiet && format.is_empty() => "{{.ID}}",
        "" | "table" if args.digests => DIGESTS,
        "" | "table" => TABLE,
        "raw" => RAW,
        other => other,
    };
    let digests = args.digests || format.contains(".Digest");
    let mut lines = Vec::new();
    for image in answer.as_array().into_iter().flatten() {
        lines.extend(lines_of(image, digests && !args.quiet, args.no_trunc));
    }
    output::print(&listing::render(&KIND, format, lines)?);
    Ok(())
}

/// One line for each name of the image.
fn lines_of(image: &Value, digests: bool, full: bool) -> Vec<Line> {
    let strings = |key: &str| -> Vec<String> {
        let list = image[key].as_array().into_iter().flatten();
        list.filter_map(Value::as_str)
            .filter(|s| !s.starts_with("<none>"))
            .map(str::to_owned)
            .collect()
    };
    let digest_of = |name: &str| {
        let wanted = format!("{name}@");
        strings("RepoDigests").into_iter().find_map(|d| d.strip_prefix(&wanted).map(str::to_owned))
    };
    let none = || "<none>".to_owned();
    let mut names: Vec<(String, String, String)> = strings("RepoTags")
        .iter()
        .map(|name| reference::split_tag(name))
        .map(|(name, tag)| {
            let digest = digest_of(name).filter(|_| digests).unwrap_or_else(none);
            (name.to_owned(), tag.to_owned(), digest)
        })
        .collect();
    if names.is_empty() {
        let digest = strings("RepoDigests").into_iter().next();
        names.push(match digest.as_deref().and_then(|digest| digest.split_once('@')) {
            Some((name, digest)) => {
                (name.to_owned(), none(), if digests { digest.to_owned() } else { none() })
            }
            None => (none(), none(), none()),
        });
    }
    names.into_iter().map(|name| line(image, name, full)).collect()
}

fn line(image: &Value, (name, tag, digest): (String, String, String), full: bool) -> Line {
    let id = image["Id"].as_str().unwrap_or_default();
    let created = image["Created"].as_i64().unwrap_or(0);
    let size = image["Size"].as_i64().unwrap_or(0);
    let known = |key: &str| image[key].as_i64().filter(|value| *value >= 0);
    let missing = || "N/A".to_owned();
    let mut line = Line::default();
    line.set("ID", if full { id.to_owned() } else { short_id(id) });
    line.set("Repository", name);
    line.set("Tag", tag);
    line.set("Digest", digest);
    line.set("CreatedSince", if created > 0 { human::ago(created) } else { missing() });
    line.set("CreatedAt", human::local_time(created));
    line.set("Size", human::size(size, 3));
    line.set("Containers", known("Containers").map_or_else(missing, |n| n.to_string()));
    line.set("VirtualSize", human::size(size, 4));
    let shared = known("SharedSize");
    line.set("SharedSize", shared.map_or_else(missing, |shared| human::size(shared, 4)));
    line.set("UniqueSize", shared.map_or_else(missing, |shared| human::size(size - shared, 4)));
    line
}
