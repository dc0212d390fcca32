//! `hawser info`.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{self, human};
use crate::template::{Functions, Missing, Template, Value};

/// Flags of `info`.
#[derive(Args)]
pub struct InfoArgs {
    /// How to show it: json, or a Go template
    #[arg(short, long)]
    format: Option<String>,
}

/// `hawser info`.
pub async fn run(context: &Context, args: InfoArgs) -> Outcome {
    let answer = context.client.get("/info", &Query::new()).await;
    let client = json!({
        "Debug": context.debug,
        "Version": env!("CARGO_PKG_VERSION"),
        "Context": "default",
        "Plugins": [],
        "Warnings": null,
    });
    let text = match args.format.as_deref() {
        None | Some("") => None,
        Some("json") => Some("{{json .}}"),
        Some(text) => Some(text),
    };
    if let Some(text) = text {
        let template = Template::parse(text).map_err(|error| {
            Failure::new(format!("template parsing error: {error}")).with_code(64)
        })?;
        let mut info = answer?;
        info["ClientInfo"] = client;
        let shown = template.execute(&Value::verbatim(&info), Missing::NoValue, Functions::Usual);
        output::println(&shown.map_err(|error| Failure::new(error.to_string()))?);
        return Ok(());
    }
    output::print(&format!(
        "Client:\n Version:    {}\n Context:    default\n Debug Mode: {}\n\nServer:\n",
        env!("CARGO_PKG_VERSION"),
        context.debug
    ));
    let info = answer?;
    output::print(&format!("{}\n", server(&info)));
    for warning in info["Warnings"].as_array().into_iter().flatten() {
        output::complain(warning.as_str().unwrap_or_default());
    }
    Ok(())
}

/// One line of the listing: how deep, what it is called, and where it comes from.
enum Row {
    /// A field, if it is there and says something.
    Field(usize, &'static str, &'static str),
    /// A field, if it is there.
    Number(usize, &'static str, &'static str),
    /// What a function makes of the whole.
    Other(fn(&Json) -> String),
}

const ROWS: [Row; 31] = [
    Row::Number(1, "Containers", "Containers"),
    Row::Number(2, "Running", "ContainersRunning"),
    Row::Number(2, "Paused", "ContainersPaused"),
    Row::Number(2, "Stopped", "ContainersStopped"),
    Row::Number(1, "Images", "Images"),
    Row::Field(1, "Server Version", "ServerVersion"),
    Row::Field(1, "Storage Driver", "Driver"),
    Row::Other(driver_status),
    Row::Field(1, "Logging Driver", "LoggingDriver"),
    Row::Field(1, "Cgroup Driver", "CgroupDriver"),
    Row::Field(1, "Cgroup Version", "CgroupVersion"),
    Row::Other(plugins),
    Row::Other(swarm),
    Row::Other(runtimes),
    Row::Field(1, "Default Runtime", "DefaultRuntime"),
    Row::Field(1, "Init Binary", "InitBinary"),
    Row::Other(commits),
    Row::Other(security),
    Row::Field(1, "Kernel Version", "KernelVersion"),
    Row::Field(1, "Operating System", "OperatingSystem"),
    Row::Field(1, "OSType", "OSType"),
    Row::Field(1, "Architecture", "Architecture"),
    Row::Number(1, "CPUs", "NCPU"),
    Row::Other(memory),
    Row::Field(1, "Name", "Name"),
    Row::Field(1, "ID", "ID"),
    Row::Field(1, "Docker Root Dir", "DockerRootDir"),
    Row::Number(1, "Debug Mode", "Debug"),
    Row::Other(labels),
    Row::Number(1, "Experimental", "ExperimentalBuild"),
    Row::Number(1, "Live Restore Enabled", "LiveRestoreEnabled"),
];

fn server(info: &Json) -> String {
    let mut out = String::new();
    for row in &ROWS {
        match row {
            Row::Field(depth, name, key) => {
                if let Some(value) = info[*key].as_str().filter(|value| !value.is_empty()) {
                    out.push_str(&line(*depth, name, value));
                }
            }
            Row::Number(depth, name, key) if !info[*key].is_null() => {
                out.push_str(&line(*depth, name, &info[*key].to_string()));
            }
            Row::Number(..) => {}
            Row::Other(make) => out.push_str(&make(info)),
        }
    }
    out
}

fn line(depth: usize, name: &str, value: &str) -> String {
    format!("{}{name}: {value}\n", " ".repeat(depth))
}

fn words(json: &Json) -> String {
    let words: Vec<&str> = json.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    words.join(" ")
}

fn driver_status(info: &Json) -> String {
    let pairs = info["DriverStatus"].as_array().into_iter().flatten();
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    pairs.map(|pair| line(2, &text(&pair[0]), &text(&pair[1]))).collect()
}

fn plugins(info: &Json) -> String {
    let plugins = &info["Plugins"];
    let mut out = String::from(" Plugins:\n");
    for kind in ["Volume", "Network", "Authorization", "Log"] {
        let names = words(&plugins[kind]);
        if !names.is_empty() {
            out.push_str(&line(2, kind, &names));
        }
    }
    out
}

fn swarm(info: &Json) -> String {
    let state = info["Swarm"]["LocalNodeState"].as_str().unwrap_or_default();
    if state.is_empty() { String::new() } else { line(1, "Swarm", state) }
}

fn runtimes(info: &Json) -> String {
    let mut names: Vec<&str> =
        info["Runtimes"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.is_empty() { String::new() } else { line(1, "Runtimes", &names.join(" ")) }
}

fn commits(info: &Json) -> String {
    let commit = |name: &str, key: &str| match info[key]["ID"].as_str().filter(|id| !id.is_empty())
    {
        Some(id) => line(1, name, id),
        None => String::new(),
    };
    commit("containerd version", "ContainerdCommit")
        + &commit("runc version", "RuncCommit")
        + &commit("init version", "InitCommit")
}

fn security(info: &Json) -> String {
    let mut out = String::new();
    for option in info["SecurityOptions"].as_array().into_iter().flatten().filter_map(Json::as_str)
    {
        if out.is_empty() {
            out.push_str(" Security Options:\n");
        }
        for (key, value) in option.split(',').filter_map(|part| part.split_once('=')) {
            if key == "name" {
                out.push_str(&format!("  {value}\n"));
            } else {
                let mut letters = key.chars();
                let first: String =
                    letters.next().into_iter().flat_map(char::to_uppercase).collect();
                out.push_str(&line(3, &format!("{first}{}", letters.as_str()), value));
            }
        }
    }
    out
}

fn memory(info: &Json) -> String {
    line(1, "Total Memory", &human::binary_size(info["MemTotal"].as_i64().unwrap_or(0)))
}

fn labels(info: &Json) -> String {
    let labels = info["Labels"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let labels: String = labels.map(|label| format!("  {label}\n")).collect();
    if labels.is_empty() { labels } else { format!(" Labels:\n{labels}") }
}
