//! `hawser port --all`: every published port, and who can reach it.
//!
//! Docker has no such command; the route is hawserd's own.

use http::Method;
use serde_json::Value;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::listing::{self, Kind, Line};
use crate::output::{self, ports};

static KIND: Kind = Kind {
    type_name: "port",
    headings: &[
        ("Container", "CONTAINER"),
        ("ContainerID", "CONTAINER ID"),
        ("Port", "PORT"),
        ("Address", "ADDRESS"),
        ("From", "REACHED FROM"),
        ("Relayed", "RELAYED"),
    ],
};

const TABLE: &str = "table {{.Container}}\t{{.Port}}\t{{.Address}}\t{{.From}}";

/// Lists them, in `format`.
pub async fn run(context: &Context, format: &str) -> Outcome {
    let answer = context.client.own(Method::GET, "/ports", &Query::new(), None).await?;
    let lines = answer["Ports"].as_array().into_iter().flatten().map(line).collect();
    let format = if format == "table" { TABLE } else { format };
    output::print(&listing::render(&KIND, format, lines)?);
    for warning in texts(&answer["Warnings"]) {
        output::complain(&format!("WARNING: {warning}"));
    }
    Ok(())
}

fn line(port: &Value) -> Line {
    let text = |key: &str| port[key].as_str().unwrap_or_default();
    let mut line = Line::default();
    line.set("Container", text("Container"));
    line.set("ContainerID", output::short_id(text("ContainerId")));
    line.set("Port", format!("{}/{}", port["ContainerPort"], text("Protocol")));
    line.set("Address", address(text("Address"), &port["Port"]));
    line.set("From", from(port));
    line.set("Relayed", (port["Relayed"] == true).to_string());
    line
}

fn address(host: &str, port: &Value) -> String {
    match host {
        "" => "-".to_owned(),
        host => ports::join(host, &port.to_string()),
    }
}

/// `any`, or who; behind it the links that packets have to come in by.
fn from(port: &Value) -> String {
    let from: Vec<&str> = texts(&port["From"]).collect();
    let by: Vec<&str> = texts(&port["By"]).collect();
    match (from.is_empty(), by.is_empty()) {
        (true, _) => "nowhere".to_owned(),
        (false, true) => from.join(", "),
        (false, false) => format!("{} by {}", from.join(", "), by.join(", ")),
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_reaches_a_port_is_told() {
        let of = |from_: &[&str], by: &[&str]| from(&json!({"From": from_, "By": by}));
        assert_eq!(of(&["any"], &[]), "any");
        assert_eq!(of(&["local", "10.0.0.0/8"], &[]), "local, 10.0.0.0/8");
        assert_eq!(of(&["any"], &["wan0", "wan1"]), "any by wan0, wan1");
        assert_eq!(of(&[], &[]), "nowhere");
        assert_eq!(address("::", &json!(80)), "[::]:80");
        assert_eq!(address("", &json!(80)), "-");
    }
}
