//! `hawser version`.

use clap::Args;
use serde_json::{Value as Json, json};

use super::inspect::shape;
use crate::client::{API_VERSION, Query};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::template::{Functions, Missing, Template};

/// Flags of `version`.
#[derive(Args)]
pub struct VersionArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
}

/// `hawser version`: the client's is shown even if there is no engine.
pub async fn run(context: &Context, args: VersionArgs) -> Outcome {
    let template = match args.format.as_deref() {
        None | Some("") => None,
        Some("json") => Some(Template::parse("{{json .}}")),
        Some(text) => Some(Template::parse(text)),
    };
    let template = template
        .transpose()
        .map_err(|error| Failure::new(format!("template parsing error: {error}")).with_code(64))?;
    let server = context.client.get("/version", &Query::new()).await;
    let api = context.client.version().await.unwrap_or(API_VERSION);
    let both = json!({
        "Client": {
            "Version": env!("CARGO_PKG_VERSION"),
            "ApiVersion": api,
            "DefaultAPIVersion": API_VERSION,
            "Os": std::env::consts::OS,
            "Arch": architecture(),
        },
        "Server": server.as_ref().ok(),
    });
    match template {
        None => output::print(&text(&both)),
        Some(template) => {
            let value = shape::typed("Versions", &both);
            let shown = template.execute(&value, Missing::NoValue, Functions::Usual);
            output::println(&shown.map_err(|error| Failure::new(error.to_string()))?);
        }
    }
    server.map(drop).map_err(Failure::from)
}

/// The name that Go, and so the engine, has for our architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn text(both: &Json) -> String {
    let (client, server) = (&both["Client"], &both["Server"]);
    let word = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let mut out = String::from("Client:\n");
    let field = |out: &mut String, indent: &str, name: &str, value: String| {
        if !value.is_empty() {
            let width = 20 - indent.len();
            out.push_str(&format!("{indent}{name:width$}{value}\n"));
        }
    };
    let mut api = word(&client["ApiVersion"]);
    if api != word(&client["DefaultAPIVersion"]) {
        api = format!("{api} (downgraded from {})", word(&client["DefaultAPIVersion"]));
    }
    let platform = |json: &Json| format!("{}/{}", word(&json["Os"]), word(&json["Arch"]));
    field(&mut out, " ", "Version:", word(&client["Version"]));
    field(&mut out, " ", "API version:", api);
    field(&mut out, " ", "OS/Arch:", platform(client));
    if server.is_null() {
        return out;
    }
    let name = word(&server["Platform"]["Name"]);
    out.push_str(&format!("\nServer:{}{name}\n", if name.is_empty() { "" } else { " " }));
    for component in server["Components"].as_array().into_iter().flatten() {
        out.push_str(&format!(" {}:\n", word(&component["Name"])));
        let details = &component["Details"];
        field(&mut out, "  ", "Version:", word(&component["Version"]));
        let oldest = word(&details["MinAPIVersion"]);
        if !oldest.is_empty() {
            let api = format!("{} (minimum version {oldest})", word(&details["ApiVersion"]));
            field(&mut out, "  ", "API version:", api);
        }
        field(&mut out, "  ", "Go version:", word(&details["GoVersion"]));
        field(&mut out, "  ", "Git commit:", word(&details["GitCommit"]));
        field(&mut out, "  ", "Built:", word(&details["BuildTime"]));
        if !word(&details["Os"]).is_empty() {
            field(&mut out, "  ", "OS/Arch:", platform(details));
        }
        field(&mut out, "  ", "Experimental:", word(&details["Experimental"]));
    }
    out
}
