//! `hawser dns`: how a name is answered for a container, and why.
//!
//! Docker has no such command; the route is hawserd's own.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::PossibleValuesParser;
use http::Method;
use serde_json::Value;

use crate::client::{Query, segment};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Flags of `dns`.
#[derive(Args)]
pub struct DnsArgs {
    /// Type of record: A, AAAA, PTR, MX, … [default: A, and PTR of an address]
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Print the engine's answer as it is: json
    #[arg(long, value_parser = PossibleValuesParser::new(["json"]))]
    format: Option<String>,
    /// The container that asks
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// What it asks for, without the search domains of its resolv.conf
    #[arg(value_name = "NAME|ADDRESS")]
    name: String,
}

/// `hawser dns`.
pub async fn run(context: &Context, args: DnsArgs) -> Outcome {
    let container = args.container.trim();
    if container.is_empty() {
        return Err(Failure::new("invalid container name or ID: value is empty"));
    }
    let query = Query::new().with("name", &args.name).maybe("type", args.kind);
    let path = format!("/containers/{}/dns", segment(container));
    let answer = context.client.own(Method::GET, &path, &query, None).await?;
    match args.format {
        Some(_) => output::println(&format!("{answer:#}")),
        None => output::print(&text(&answer)),
    }
    Ok(())
}

/// The answer in sentences.
fn text(answer: &Value) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    if answer["Service"] == true {
        let _ = writeln!(
            text,
            "{} {}: {}",
            word(&answer["Name"]),
            word(&answer["Type"]),
            word(&answer["Code"])
        );
        for record in list(&answer["Answers"]) {
            let (kind, data) = (word(&record["Type"]), word(&record["Data"]));
            let _ = writeln!(text, "  {kind} {data} (for {} s)", record["Ttl"]);
        }
        let _ = writeln!(text, "{}", because(answer));
        for attempt in list(&answer["Reason"]["Attempts"]) {
            let _ = writeln!(text, "  {}", tried(attempt, list(&answer["Reason"]["Upstreams"])));
        }
    } else {
        let _ = writeln!(text, "{}", without(answer));
    }
    if let Some(owner) = answer["NetworkOf"].as_str() {
        let _ = writeln!(text, "{} uses the network of {owner}.", word(&answer["Container"]));
    }
    text.push_str(&file(&answer["ResolvConf"]));
    text
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn because(answer: &Value) -> String {
    let reason = &answer["Reason"];
    let network = word(&reason["Network"]);
    let nobody = "No neighbour has this name";
    match word(&reason["Kind"]) {
        "link" => {
            format!(
                "A link of this container: it stands for {} on {network}.",
                word(&reason["Target"])
            )
        }
        "name" => format!("A container on {network} has this name."),
        "nothing of that type" => {
            format!("A container on {network} has this name, and nothing of this type.")
        }
        "address" => format!("A container on {network} has this address."),
        "no such name" => {
            format!(
                "Nobody on {network} has this name; names below {network} are asked nowhere else."
            )
        }
        "no such address" => {
            format!(
                "Nobody has this address of {network}; its addresses are asked for nowhere else."
            )
        }
        "single label" => {
            "No neighbour has this name; names of one word are asked nowhere else.".to_owned()
        }
        "not forwarded" => "Such questions are not answered, and not asked elsewhere.".to_owned(),
        "no upstreams" if answer["Outside"] == false => {
            format!("{nobody}, and its networks have no way out to ask others.")
        }
        "no upstreams" => format!("{nobody}, and there is no other server to ask."),
        "limited" => "Too many questions of this container are waiting for answers.".to_owned(),
        "cached" => format!(
            "Another server said so {} s ago; it is kept for {} s more.",
            reason["Age"], reason["Left"]
        ),
        "forwarded" => {
            let joined =
                if reason["Joined"] == true { ", by the same question before" } else { "" };
            let whose = match word(&answer["Whose"]) {
                "host" => "the host's servers",
                "daemon" => "the servers of hawserd --dns",
                _ => "the servers of the container or its networks",
            };
            format!("{nobody}; {whose} were asked{joined}:")
        }
        other => format!("Because of: {other}."),
    }
}

fn tried(attempt: &Value, upstreams: &[Value]) -> String {
    let upstream = word(&attempt["Upstream"]);
    let of = upstreams.iter().find(|candidate| candidate["Address"] == attempt["Upstream"]);
    let from = of.map_or("", |candidate| word(&candidate["From"]));
    let taken = if attempt["Taken"] == true { ", taken" } else { "" };
    format!(
        "{upstream}, from the {from}, after {} ms: {} in {} ms{taken}",
        attempt["After"],
        word(&attempt["End"]),
        attempt["Took"],
    )
}

fn without(answer: &Value) -> String {
    let container = word(&answer["Container"]);
    let why = match word(&answer["Without"]) {
        "host" => "uses the host's network",
        "none" => "is on no network",
        _ => "is on no network with names",
    };
    format!("{container} {why}: nobody answers names for it here.")
}

fn file(file: &Value) -> String {
    let by = match word(&file["By"]) {
        "mount" => return "Its /etc/resolv.conf is a mount of its own.\n".to_owned(),
        "user" => ", edited inside",
        _ => "",
    };
    let words = |key: &str| list(&file[key]).iter().map(word).collect::<Vec<_>>().join(" ");
    let lines = [("nameserver", "Servers"), ("search", "Search"), ("options", "Options")];
    let said = lines.iter().map(|(name, key)| (name, words(key)));
    let said: Vec<_> = said.filter(|(_, words)| !words.is_empty()).collect();
    let said: Vec<_> = said.iter().map(|(name, words)| format!("{name} {words}")).collect();
    let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
    format!("Its /etc/resolv.conf{by} says: {said}.\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(more: &Value) -> String {
        let mut answer = json!({
            "Container": "c1",
            "NetworkOf": null,
            "Service": true,
            "ResolvConf": {"Servers": ["127.0.0.11"], "Search": [], "Options": ["ndots:0"], "By": "engine"},
            "Name": "web.", "Type": "A", "Code": "NOERROR", "Answers": [],
            "Reason": {"Kind": "single label"}, "Whose": "host", "Outside": true,
        });
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        text(&answer)
    }

    const FILE: &str = "Its /etc/resolv.conf says: nameserver 127.0.0.11, options ndots:0.\n";

    #[test]
    fn a_neighbour_is_told_with_its_network() {
        let more = json!({
            "Answers": [{"Name": "web.", "Type": "A", "Ttl": 5, "Data": "10.5.0.2"}],
            "Reason": {"Kind": "name", "Network": "front"},
        });
        let wanted =
            "web. A: NOERROR\n  A 10.5.0.2 (for 5 s)\nA container on front has this name.\n";
        assert_eq!(shown(&more), format!("{wanted}{FILE}"));
    }

    #[test]
    fn who_was_asked_is_told_in_turn() {
        let more = json!({"Code": "SERVFAIL", "Reason": {
            "Kind": "forwarded", "Joined": false,
            "Upstreams": [{"Address": "10.0.0.1:53", "From": "container", "Healthy": true, "Latency": null}],
            "Attempts": [{"Upstream": "10.0.0.1:53", "After": 0.0, "Took": 1.5, "End": "SERVFAIL", "Taken": true}],
        }});
        let text = shown(&more);
        let line = "  10.0.0.1:53, from the container, after 0.0 ms: SERVFAIL in 1.5 ms, taken";
        assert!(text.lines().any(|l| l == line), "{text}");
        assert!(
            text.contains("No neighbour has this name; the host's servers were asked:"),
            "{text}"
        );
        let nobody = shown(&json!({"Reason": {"Kind": "no upstreams"}, "Outside": false}));
        assert!(nobody.contains("and its networks have no way out to ask others."), "{nobody}");
    }

    #[test]
    fn who_has_no_name_service_is_told_so() {
        let file = json!({"Servers": ["192.0.2.1"], "Search": [], "Options": [], "By": "user"});
        let more =
            json!({"Service": false, "Without": "nameless", "NetworkOf": "db", "ResolvConf": file});
        assert_eq!(
            shown(&more),
            "c1 is on no network with names: nobody answers names for it here.\n\
             c1 uses the network of db.\n\
             Its /etc/resolv.conf, edited inside says: nameserver 192.0.2.1.\n"
        );
        let more = json!({"ResolvConf": {"By": "mount"}});
        assert!(shown(&more).ends_with("Its /etc/resolv.conf is a mount of its own.\n"));
    }
}
