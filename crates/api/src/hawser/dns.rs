//! `GET /hawser/containers/{name}/dns`: how a name is answered for a container, and why.

use std::time::Duration;

use axum::extract::{Path, State};
use hawser_engine::network::{
    Attempt, Author, Candidate, End, Forwarding, NameAnswered, NoService, Reason, ResolvConf,
    Whose, kind_name,
};
use serde_json::{Value, json};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(container): Path<String>, query: Query) -> Result {
    let name = query.word("name").unwrap_or_default();
    let it = engine.explain_name(&container, name, query.word("type")).await?;
    let mut shown = json!({
        "Container": it.container,
        "NetworkOf": it.network_of,
        "ResolvConf": file(&it.file),
        "Service": it.service.is_ok(),
    });
    match &it.service {
        Ok(explained) => add(&mut shown, answered(explained)),
        Err(why) => shown["Without"] = without(*why).into(),
    }
    Ok(answer::ok(&shown))
}

fn add(shown: &mut Value, more: Value) {
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
}

fn file(file: &ResolvConf) -> Value {
    let by = match file.by {
        Author::Engine => "engine",
        Author::User => "user",
        Author::Mount => "mount",
    };
    json!({"Servers": file.servers, "Search": file.search, "Options": file.options, "By": by})
}

fn without(why: NoService) -> &'static str {
    match why {
        NoService::Host => "host",
        NoService::None => "none",
        NoService::Nameless => "nameless",
    }
}

fn answered(explained: &NameAnswered) -> Value {
    let explanation = &explained.explanation;
    let answers = explanation.answers.iter().map(|answer| {
        let kind = kind_name(answer.kind);
        json!({"Name": answer.name, "Type": kind, "Ttl": answer.ttl, "Data": answer.data})
    });
    json!({
        "Name": explanation.name,
        "Type": kind_name(explanation.kind),
        "Code": code_name(explanation.code),
        "Answers": answers.collect::<Vec<_>>(),
        "Reason": reason(explained),
        "Whose": match explained.whose {
            Whose::Container => "container",
            Whose::Daemon => "daemon",
            Whose::Host => "host",
        },
        "Outside": explained.outside,
    })
}

fn reason(explained: &NameAnswered) -> Value {
    let network = |zone: &str| explained.networks.get(zone).map_or(zone, String::as_str).to_owned();
    match &explained.explanation.reason {
        Reason::Alias { zone, target } => {
            json!({"Kind": "link", "Network": network(zone), "Target": target})
        }
        Reason::Zone { zone } => json!({"Kind": "name", "Network": network(zone)}),
        Reason::NothingOfThatKind { zone } => {
            json!({"Kind": "nothing of that type", "Network": network(zone)})
        }
        Reason::Reverse { zone } => json!({"Kind": "address", "Network": network(zone)}),
        Reason::NobodyBelow { zone } => json!({"Kind": "no such name", "Network": network(zone)}),
        Reason::NobodyAt { zone } => json!({"Kind": "no such address", "Network": network(zone)}),
        Reason::SingleLabel => json!({"Kind": "single label"}),
        Reason::NotForwarded => json!({"Kind": "not forwarded"}),
        Reason::NoUpstreams => json!({"Kind": "no upstreams"}),
        Reason::Limited => json!({"Kind": "limited"}),
        Reason::Cached { age, left } => {
            json!({"Kind": "cached", "Age": age.as_secs(), "Left": left.as_secs()})
        }
        Reason::Forwarded(forwarding) => forwarded(forwarding),
    }
}

fn forwarded(forwarding: &Forwarding) -> Value {
    let upstream = |it: &Candidate| {
        json!({
            "Address": it.address.to_string(),
            "From": if it.from_sandbox { "container" } else { "host" },
            "Healthy": it.healthy,
            "Latency": it.latency.map(milliseconds),
        })
    };
    let attempt = |it: &Attempt| {
        json!({
            "Upstream": it.upstream.to_string(),
            "After": milliseconds(it.after),
            "Took": milliseconds(it.took),
            "End": end(&it.end),
            "Taken": it.taken,
        })
    };
    json!({
        "Kind": "forwarded",
        "Upstreams": forwarding.order.iter().map(upstream).collect::<Vec<_>>(),
        "Attempts": forwarding.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "Joined": forwarding.joined,
    })
}

fn end(end: &End) -> String {
    match end {
        End::Said(code) => code_name(*code),
        End::Silence => "no answer in time".to_owned(),
        End::Overtaken => "overtaken".to_owned(),
        End::Error(why) => why.clone(),
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// What a code is called (RFC 2929 2.3).
fn code_name(code: u16) -> String {
    let known = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    known.get(usize::from(code)).map_or_else(|| format!("RCODE{code}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hawser_engine::network::Explanation;

    use super::*;

    #[test]
    fn reasons_name_networks() {
        let explained = |reason| NameAnswered {
            explanation: Explanation {
                name: "web".to_owned(),
                kind: 1,
                code: 3,
                answers: Vec::new(),
                reason,
            },
            networks: BTreeMap::from([("a0".to_owned(), "front".to_owned())]),
            whose: Whose::Host,
            outside: true,
        };
        let shown = answered(&explained(Reason::NobodyBelow { zone: "a0".to_owned() }));
        assert_eq!((&shown["Type"], &shown["Code"]), (&json!("A"), &json!("NXDOMAIN")));
        assert_eq!(shown["Reason"], json!({"Kind": "no such name", "Network": "front"}));
        let attempt = Attempt {
            upstream: ([10, 0, 0, 1], 53).into(),
            after: Duration::ZERO,
            took: Duration::from_nanos(1_234_567),
            end: End::Said(9),
            taken: true,
        };
        let forwarding = Forwarding { attempts: vec![attempt], ..Forwarding::default() };
        let shown = answered(&explained(Reason::Forwarded(forwarding)));
        assert_eq!(shown["Reason"]["Attempts"][0]["Took"], json!(1.235));
        assert_eq!(shown["Reason"]["Attempts"][0]["End"], json!("RCODE9"));
    }
}
