//! `hawser events`.

use chrono::{DateTime, Local, SecondsFormat, Utc};
use clap::Args;
use http::Method;
use serde_json::Value as Json;

use crate::client::{Lines, Query};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::parse::{filter, quantity};
use crate::template::{Functions, Missing, Template, Value};

/// Flags of `events`.
#[derive(Args)]
pub struct EventsArgs {
    /// Only those that match (type=…, event=…, container=…, network=…)
    #[arg(short, long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// How to show them: json, or a Go template
    #[arg(long)]
    format: Option<String>,
    /// Also what happened since (2013-01-02T13:23:37Z, 42m)
    #[arg(long)]
    since: Option<String>,
    /// Until when (2013-01-02T13:23:37Z, 42m)
    #[arg(long)]
    until: Option<String>,
}

/// `hawser events`.
pub async fn run(context: &Context, args: EventsArgs) -> Outcome {
    let template = match args.format.as_deref() {
        None | Some("") => None,
        Some("json") => Some(Template::parse("{{json .}}")),
        Some(text) => Some(Template::parse(text)),
    };
    let template = template
        .transpose()
        .map_err(|error| Failure::new(format!("Error parsing format: {error}")).with_code(64))?;
    let moment = |text: &Option<String>| match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => quantity::moment(text, Utc::now()).map(Some),
    };
    let query = Query::new()
        .maybe("since", moment(&args.since)?)
        .maybe("until", moment(&args.until)?)
        .maybe("filters", filter::to_query(&args.filter));
    let answer = context.client.open_json(Method::GET, "/events", &query, None).await?;
    let mut lines = Lines::new(answer);
    while let Some(event) = lines.next().await? {
        match &template {
            None => output::println(&line(&event)),
            Some(template) => output::println(&formatted(template, &event)?),
        }
    }
    Ok(())
}

fn formatted(template: &Template, event: &Json) -> Result<String, Failure> {
    // `json .` of the whole event is what the engine sent, in its order.
    template
        .execute(&Value::verbatim(event), Missing::NoValue, Functions::Usual)
        .map_err(|error| Failure::new(error.to_string()))
}

/// An event in one line: when, what, to whom, and the attributes in order.
fn line(event: &Json) -> String {
    let actor = &event["Actor"];
    let mut attributes: Vec<String> = actor["Attributes"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    attributes.sort();
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let attributes = match attributes.is_empty() {
        true => String::new(),
        false => format!(" ({})", attributes.join(", ")),
    };
    let (kind, action, id) = (text(&event["Type"]), text(&event["Action"]), text(&actor["ID"]));
    format!("{} {kind} {action} {id}{attributes}", time(event))
}

fn time(event: &Json) -> String {
    let nanoseconds = event["timeNano"].as_i64().unwrap_or(0);
    let nanoseconds = match nanoseconds {
        0 => event["time"].as_i64().unwrap_or(0).saturating_mul(1_000_000_000),
        nanoseconds => nanoseconds,
    };
    let time = DateTime::from_timestamp_nanos(nanoseconds).with_timezone(&Local);
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_line_each() {
        let event = json!({
            "Type": "network", "Action": "connect", "timeNano": 1_795_228_247_605_388_141_i64,
            "Actor": {"ID": "1015", "Attributes": {"type": "bridge", "container": "b06e"}}
        });
        let shown = line(&event);
        let (time, rest) = shown.split_once(' ').unwrap();
        assert!(time.contains(".605388141"), "{time}");
        assert_eq!(rest, "network connect 1015 (container=b06e, type=bridge)");
    }

    #[test]
    fn templates_see_the_fields_by_gos_names() {
        let event = json!({"Type": "image", "Actor": {"ID": "x"}, "Action": "tag"});
        let shown = |text: &str| formatted(&Template::parse(text).unwrap(), &event).ok().unwrap();
        assert_eq!(shown("{{.Type}} {{.Actor.ID}}"), "image x");
        assert_eq!(
            shown("{{json .}}"),
            "{\"Type\":\"image\",\"Actor\":{\"ID\":\"x\"},\"Action\":\"tag\"}"
        );
    }
}
