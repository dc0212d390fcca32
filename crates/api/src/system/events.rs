//! `GET /events`: JSON lines, the past first if asked for, then what happens.

use axum::extract::State;
use futures_util::StreamExt;
use hawser_engine::events::{Event, EventQuery};
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::error::{ApiError, Result};
use crate::query::Query;
use crate::stream::Lines;
use crate::time;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let point = |key| query.word(key).map(|text| time::nanoseconds(key, text)).transpose();
    let (since, until) = (point("since")?, point("until")?);
    if since.zip(until).is_some_and(|(since, until)| since > until) {
        return Err(ApiError::bad_request("`since` time cannot be after `until` time"));
    }
    let events = engine.events(EventQuery { since, until, filters: query.filters()? })?;
    Ok(Lines::stream(events.map(|event| encode(&event))))
}

fn encode(event: &Event) -> Value {
    let mut line = Map::new();
    // Fields from before events had a type; clients still read them.
    if matches!(event.kind, "container" | "image") {
        line.insert("status".into(), json!(event.action));
        line.insert("id".into(), json!(event.id));
    }
    if event.kind == "container"
        && let Some(image) = event.attributes.get("image")
    {
        line.insert("from".into(), json!(image));
    }
    line.insert("Type".into(), json!(event.kind));
    line.insert("Action".into(), json!(event.action));
    line.insert("Actor".into(), json!({"ID": event.id, "Attributes": event.attributes}));
    line.insert("scope".into(), json!("local"));
    line.insert("time".into(), json!(event.time / 1_000_000_000));
    line.insert("timeNano".into(), json!(event.time));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn lines_are_dockers() {
        let attributes = BTreeMap::from([("image".to_owned(), "busybox".to_owned())]);
        let event = Event {
            kind: "container",
            action: "start".into(),
            id: "abc".into(),
            attributes,
            time: 1_700_000_000_000_000_001,
        };
        assert_eq!(
            encode(&event).to_string(),
            "{\"status\":\"start\",\"id\":\"abc\",\"from\":\"busybox\",\"Type\":\"container\",\
             \"Action\":\"start\",\"Actor\":{\"ID\":\"abc\",\"Attributes\":{\"image\":\"busybox\"}},\
             \"scope\":\"local\",\"time\":1700000000,\"timeNano\":1700000000000000001}"
        );
        let event = Event { kind: "network", ..event };
        assert!(encode(&event).to_string().starts_with("{\"Type\":\"network\""));
    }
}
