//! `hawser inspect`, and the same for containers, images, networks and volumes alone.
//!
//! What the engine sends is shown as it is: all fields, in its order. A template is tried on
//! what Docker's own types make of it first ([`shape`]), then on the bare JSON: so templates
//! written for docker's client print what they print there.

pub(super) mod shape;

use clap::Args;
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::client::{Client, Error, Query, escape};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::template::{Functions, Missing, Template, Value};

/// Flags of `inspect`.
#[derive(Args)]
pub struct InspectArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
    /// Show the sizes of containers
    #[arg(short, long)]
    size: bool,
    /// Look for things of this type only: container, image, network or volume
    #[arg(long = "type")]
    kind: Option<String>,
    /// Names or ids
    #[arg(value_name = "NAME|ID [NAME|ID...]", required = true)]
    names: Vec<String>,
}

/// Flags of `container inspect`.
#[derive(Args)]
pub struct ContainerArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
    /// Show the sizes
    #[arg(short, long)]
    size: bool,
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    names: Vec<String>,
}

/// Flags of `image inspect`.
#[derive(Args)]
pub struct ImageArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
    /// Show this platform's
    #[arg(long)]
    platform: Option<String>,
    /// The images
    #[arg(value_name = "IMAGE [IMAGE...]", required = true)]
    names: Vec<String>,
}

/// Flags of `network inspect`.
#[derive(Args)]
pub struct NetworkArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
    /// Show more for diagnosis
    #[arg(short, long)]
    verbose: bool,
    /// The networks
    #[arg(value_name = "NETWORK [NETWORK...]", required = true)]
    names: Vec<String>,
}

/// Flags of `volume inspect`.
#[derive(Args)]
pub struct VolumeArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
    /// The volumes
    #[arg(value_name = "VOLUME [VOLUME...]", required = true)]
    names: Vec<String>,
}

/// What can be inspected.
#[derive(Clone, Copy)]
enum Kind {
    Container { size: bool },
    Image,
    Network { verbose: bool },
    Volume,
}

impl Kind {
    async fn get(self, client: &Client, name: &str) -> Result<Json, Error> {
        let name = escape(name.trim());
        let (path, query) = match self {
            Self::Container { size } => {
                (format!("/containers/{name}/json"), Query::new().flag("size", size))
            }
            Self::Image => (format!("/images/{name}/json"), Query::new()),
            Self::Volume => (format!("/volumes/{name}"), Query::new()),
            Self::Network { verbose } => (
                format!("/networks/{name}"),
                Query::new().maybe("verbose", verbose.then_some("true")),
            ),
        };
        client.get(&path, &query).await
    }

    fn shape(self) -> &'static str {
        match self {
            Self::Container { .. } => "Container",
            Self::Image => "Image",
            Self::Network { .. } => "Network",
            Self::Volume => "Volume",
        }
    }
}

/// `hawser inspect`.
pub async fn run(context: &Context, args: InspectArgs) -> Outcome {
    let container = Kind::Container { size: args.size };
    let network = Kind::Network { verbose: false };
    let kinds = match args.kind.as_deref() {
        None | Some("") => vec![container, Kind::Image, network, Kind::Volume],
        Some("container") => vec![container],
        Some("image") => vec![Kind::Image],
        Some("network") => vec![network],
        Some("volume") => vec![Kind::Volume],
        Some(other) => {
            return Err(Failure::new(format!(
                "unknown type: {other:?}: must be one of \"container\", \"image\", \"network\", \"volume\""
            )));
        }
    };
    show(context, args.format.as_deref(), &args.names, &kinds).await
}

/// `hawser container inspect`.
pub async fn containers(context: &Context, args: ContainerArgs) -> Outcome {
    let kinds = [Kind::Container { size: args.size }];
    show(context, args.format.as_deref(), &args.names, &kinds).await
}

/// `hawser image inspect`.
pub async fn images(context: &Context, args: ImageArgs) -> Outcome {
    if args.platform.is_some() {
        output::complain("WARNING: --platform is ignored: images here have one platform");
    }
    show(context, args.format.as_deref(), &args.names, &[Kind::Image]).await
}

/// `hawser network inspect`.
pub async fn networks(context: &Context, args: NetworkArgs) -> Outcome {
    let kinds = [Kind::Network { verbose: args.verbose }];
    show(context, args.format.as_deref(), &args.names, &kinds).await
}

/// `hawser volume inspect`.
pub async fn volumes(context: &Context, args: VolumeArgs) -> Outcome {
    show(context, args.format.as_deref(), &args.names, &[Kind::Volume]).await
}

async fn show(
    context: &Context,
    format: Option<&str>,
    names: &[String],
    kinds: &[Kind],
) -> Outcome {
    let template = match format.unwrap_or_default() {
        "" | "json" => None,
        text => Some(Template::parse(text).map_err(|error| {
            Failure::new(format!("template parsing error: {error}")).with_code(64)
        })?),
    };
    let (mut found, mut printed, mut errors) = (Vec::new(), String::new(), Vec::new());
    for name in names {
        match (find(&context.client, name, kinds).await, &template) {
            (Err(error), _) => errors.push(error),
            (Ok((_, json)), None) => found.push(json),
            (Ok((kind, json)), Some(template)) => match execute(template, kind, &json) {
                Ok(text) => printed.push_str(&(text + "\n")),
                Err(error) => errors.push(error),
            },
        }
    }
    match format {
        Some("json") => output::println(&Json::Array(found).to_string()),
        _ if template.is_none() => output::println(&indented(&Json::Array(found))),
        _ => output::print(if printed.is_empty() { "\n" } else { &printed }),
    }
    crate::failure::all(errors)
}

async fn find(client: &Client, name: &str, kinds: &[Kind]) -> Result<(Kind, Json), String> {
    for kind in kinds {
        match kind.get(client, name).await {
            Ok(json) => return Ok((*kind, json)),
            Err(error) if error.is_not_found() && kinds.len() > 1 => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("Error: No such object: {name}"))
}

fn execute(template: &Template, kind: Kind, json: &Json) -> Result<String, String> {
    let typed = shape::typed(kind.shape(), json);
    if let Ok(text) = template.execute(&typed, Missing::NoValue, Functions::Usual) {
        return Ok(text);
    }
    template
        .execute(&Value::from(json), Missing::Error, Functions::Usual)
        .map_err(|error| format!("template parsing error: {error}"))
}

/// With four blanks to a level, as Docker's client writes it.
fn indented(json: &Json) -> String {
    let mut out = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"    "));
    // Writing a value to memory does not fail.
    let _ = json.serialize(&mut serializer);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(template: &str, json: &Json) -> Result<String, String> {
        execute(&Template::parse(template).unwrap(), Kind::Container { size: false }, json)
    }

    #[test]
    fn json_is_indented_as_go_does() {
        assert_eq!(
            indented(&json!([{"b": [], "a": {"x": 1}, "c": {}}])),
            "[\n    {\n        \"b\": [],\n        \"a\": {\n            \"x\": 1\n        },\n        \"c\": {}\n    }\n]"
        );
    }

    #[test]
    fn what_docker_has_types_for_may_be_missing() {
        let container = json!({"Id": "abc", "State": {"Status": "running", "Pid": 3}});
        assert_eq!(shown("{{.State.Health}}", &container).unwrap(), "<nil>");
        assert_eq!(shown("{{if .State.Health}}h{{else}}n{{end}}", &container).unwrap(), "n");
        assert_eq!(
            shown("{{.ID}} {{printf \"%05d\" .State.Pid}}", &container).unwrap(),
            "abc 00003"
        );
    }

    #[test]
    fn what_docker_has_no_name_for_is_looked_up_in_the_json() {
        let container = json!({"Id": "abc", "New": {"Thing": 1}});
        assert_eq!(shown("{{.Id}} {{.New.Thing}}", &container).unwrap(), "abc 1");
        assert_eq!(
            shown("{{.Nosuch}}", &container).unwrap_err(),
            "template parsing error: template: :1:2: executing \"\" at <.Nosuch>: \
             map has no entry for key \"Nosuch\""
        );
    }
}
