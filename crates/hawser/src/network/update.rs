//! `hawser network update`: changes a network while containers are attached to it.
//!
//! Docker has no such command; the route is hawserd's own.

use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use super::ipam::{self, PoolOptions};
use crate::client::{Query, segment};
use crate::context::Context;
use crate::failure::Outcome;
use crate::output;
use crate::parse::{Invalid, env, flags};

/// Flags of `network update`.
#[derive(Args)]
pub struct UpdateArgs {
    /// Ask these resolvers for names outside
    #[arg(long, value_parser = flags::address)]
    dns: Vec<String>,
    /// Option of the containers' resolvers, such as ndots:1
    #[arg(long)]
    dns_opt: Vec<String>,
    /// Domain that the containers search names in
    #[arg(long, value_parser = flags::domain)]
    dns_search: Vec<String>,
    /// Print what would change on the host, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Whether containers of the network reach one another: true or false
    #[arg(long, value_parser = flags::boolean)]
    icc: Option<bool>,
    /// Set a label (KEY=VALUE)
    #[arg(long, value_parser = env::label)]
    label: Vec<String>,
    /// Remove a label
    #[arg(long)]
    label_rm: Vec<String>,
    /// Whether what leaves has the host's address: true or false
    #[arg(long, value_parser = flags::boolean)]
    masquerade: Option<bool>,
    /// Size of the largest packet
    #[arg(long, value_parser = flags::integer)]
    mtu: Option<i64>,
    /// Set an option of the driver (KEY=VALUE)
    #[arg(short, long)]
    opt: Vec<String>,
    /// Remove an option of the driver: its default holds again
    #[arg(long)]
    opt_rm: Vec<String>,
    #[command(flatten)]
    pools: PoolOptions,
    /// The network
    #[arg(value_name = "NETWORK")]
    network: String,
}

/// `hawser network update`.
pub async fn run(context: &Context, args: UpdateArgs) -> Outcome {
    let body = body(&args).map_err(|error| context.refused(&error.to_string()).with_code(1))?;
    let query = Query::new().flag("dryRun", args.dry_run);
    let path = format!("/networks/{}/update", segment(args.network.trim()));
    let answer = context.client.own(Method::POST, &path, &query, Some(&body)).await?;
    match args.dry_run {
        true => output::commands(&answer),
        false => output::println(&args.network),
    }
    Ok(())
}

fn body(args: &UpdateArgs) -> Result<Value, Invalid> {
    let mut labels = Changes::of("label");
    labels.set_pairs(&args.label)?;
    labels.remove(&args.label_rm)?;
    let mut options = Changes::of("option");
    options.set_pairs(&args.opt)?;
    options.remove(&args.opt_rm)?;
    let flag = |value: Option<bool>| value.map(|value| value.to_string());
    let list = |values: &[String]| (!values.is_empty()).then(|| values.join(","));
    for (key, value) in [
        ("com.docker.network.driver.mtu", args.mtu.map(|mtu| mtu.to_string())),
        ("com.docker.network.bridge.enable_icc", flag(args.icc)),
        ("com.docker.network.bridge.enable_ip_masquerade", flag(args.masquerade)),
        ("hawser.dns", list(&args.dns)),
        ("hawser.dns_search", list(&args.dns_search)),
        ("hawser.dns_opt", list(&args.dns_opt)),
    ] {
        if let Some(value) = value {
            options.change(key, value.into())?;
        }
    }
    let subnets = ipam::config(&args.pools)?;
    if labels.changes.is_empty() && options.changes.is_empty() && subnets == json!([]) {
        return Err(Invalid::new(
            "there is nothing to change: name a label, an option or a subnet",
        ));
    }
    Ok(json!({"Labels": labels.changes, "Options": options.changes, "Subnets": subnets}))
}

/// New values by key; null takes the key away.
struct Changes {
    kind: &'static str,
    changes: Map<String, Value>,
}

impl Changes {
    fn of(kind: &'static str) -> Self {
        Self { kind, changes: Map::new() }
    }

    fn set_pairs(&mut self, pairs: &[String]) -> Result<(), Invalid> {
        for pair in pairs {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.change(key, value.into())?;
        }
        Ok(())
    }

    fn remove(&mut self, keys: &[String]) -> Result<(), Invalid> {
        keys.iter().try_for_each(|key| self.change(key, Value::Null))
    }

    fn change(&mut self, key: &str, to: Value) -> Result<(), Invalid> {
        if key.is_empty() {
            return Err(Invalid(format!("empty name of a changed {}", self.kind)));
        }
        match self.changes.insert(key.to_owned(), to) {
            Some(_) => Err(Invalid(format!(
                "conflicting options: {} {key:?} is changed more than once",
                self.kind
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches, Parser};

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        update: UpdateArgs,
    }

    fn update(line: &str) -> Result<Value, Invalid> {
        let command = crate::cli::dress(Flags::command());
        let matches = command.try_get_matches_from(line.split(' ')).unwrap();
        body(&Flags::from_arg_matches(&matches).unwrap().update)
    }

    #[test]
    fn short_flags_are_options() {
        let line = "update --mtu 1400 --icc false --masquerade=true --dns 1.1.1.1 --dns 9.9.9.9 \
                    --dns-search a.b --dns-opt ndots:1 -o x=y --opt-rm z --label a=b --label-rm c \
                    --subnet 10.9.0.0/24 --gateway 10.9.0.9 n";
        assert_eq!(
            update(line).unwrap(),
            json!({
                "Labels": {"a": "b", "c": null},
                "Options": {
                    "x": "y", "z": null,
                    "com.docker.network.driver.mtu": "1400",
                    "com.docker.network.bridge.enable_icc": "false",
                    "com.docker.network.bridge.enable_ip_masquerade": "true",
                    "hawser.dns": "1.1.1.1,9.9.9.9",
                    "hawser.dns_search": "a.b",
                    "hawser.dns_opt": "ndots:1",
                },
                "Subnets": [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.9"}]
            })
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let error = |line| update(line).unwrap_err().to_string();
        assert_eq!(
            error("update n"),
            "there is nothing to change: name a label, an option or a subnet"
        );
        assert_eq!(
            error("update --mtu 1 -o com.docker.network.driver.mtu=2 n"),
            "conflicting options: option \"com.docker.network.driver.mtu\" is changed more than once"
        );
        assert_eq!(
            error("update --label a=b --label-rm a n"),
            "conflicting options: label \"a\" is changed more than once"
        );
        assert_eq!(error("update -o =b n"), "empty name of a changed option");
    }
}
