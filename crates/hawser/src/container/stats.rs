//! `hawser stats`: what containers use, as a table that is written anew with each round.

use clap::Args;
use futures_util::future::join_all;
use serde_json::Value;

use super::path;
use crate::client::{Error, Query};
use crate::context::Context;
use crate::failure::{self, Outcome};
use crate::output::listing::{self, Kind, Line};
use crate::output::{self, human};
use crate::terminal;

/// Flags of `stats`.
#[derive(Args)]
pub struct StatsArgs {
    /// Those that do not run, too
    #[arg(short, long)]
    all: bool,
    /// How to show them: table, table TEMPLATE, json, or a Go template
    #[arg(long)]
    format: Option<String>,
    /// One round only
    #[arg(long)]
    no_stream: bool,
    /// Do not shorten the ids
    #[arg(long)]
    no_trunc: bool,
    /// The containers; all that run if none is given
    #[arg(value_name = "[CONTAINER...]")]
    containers: Vec<String>,
}

static KIND: Kind = Kind {
    type_name: "*container.statsContext",
    headings: &[
        ("Container", "CONTAINER"),
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
};

const TABLE: &str = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t\
                     {{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";
/// Empties the screen and goes to its beginning.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// `hawser stats`.
pub async fn run(context: &Context, args: StatsArgs) -> Outcome {
    let format = match args.format.as_deref().unwrap_or_default() {
        "" | "table" => TABLE,
        other => other,
    };
    loop {
        let (lines, errors) = round(context, &args).await?;
        if !errors.is_empty() {
            return failure::all(errors);
        }
        let text = listing::render(&KIND, format, lines)?;
        let anew = !args.no_stream && terminal::stdout_is_terminal();
        output::print(&format!("{}{text}", if anew { CLEAR } else { "" }));
        if args.no_stream {
            return Ok(());
        }
    }
}

/// One sample of each, which takes the engine a second; who begins or ends to run is noticed with the
/// next round.
async fn round(context: &Context, args: &StatsArgs) -> Result<(Vec<Line>, Vec<String>), Error> {
    let named = !args.containers.is_empty();
    let containers = match named {
        true => args.containers.clone(),
        false => listed(context, args.all).await?,
    };
    if containers.is_empty() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let query = || Query::new().with("stream", "0");
    let asked = containers.iter().map(|container| async move {
        (container, context.client.get(&path(container, "/stats"), &query()).await)
    });
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    for (container, answer) in join_all(asked).await {
        match answer {
            Ok(stats) => lines.push(line(container, &stats, args.no_trunc)),
            // It went between the list and the question.
            Err(error) if !named && error.is_not_found() => {}
            Err(error) => errors.push(error.to_string()),
        }
    }
    Ok((lines, errors))
}

async fn listed(context: &Context, all: bool) -> Result<Vec<String>, Error> {
    let answer = context.client.get("/containers/json", &Query::new().flag("all", all)).await?;
    let ids = answer.as_array().into_iter().flatten();
    Ok(ids.filter_map(|one| one["Id"].as_str()).map(str::to_owned).collect())
}

fn line(container: &str, stats: &Value, full: bool) -> Line {
    let id = stats["id"].as_str().unwrap_or_default();
    let (used, limit) = memory(&stats["memory_stats"]);
    let share = if limit > 0 { used as f64 / limit as f64 * 100.0 } else { 0.0 };
    let pair = |(a, b): (i64, i64)| format!("{} / {}", human::size(a, 3), human::size(b, 3));
    let mut line = Line::default();
    line.set("Container", if full { container.to_owned() } else { output::short_id(container) });
    line.set("ID", if full { id.to_owned() } else { output::short_id(id) });
    line.set("Name", stats["name"].as_str().unwrap_or_default().trim_start_matches('/'));
    line.set("CPUPerc", format!("{:.2}%", processor(stats)));
    line.set("MemUsage", format!("{} / {}", human::binary_size(used), human::binary_size(limit)));
    line.set("MemPerc", format!("{share:.2}%"));
    line.set("NetIO", pair(traffic(&stats["networks"])));
    line.set("BlockIO", pair(blocks(&stats["blkio_stats"]["io_service_bytes_recursive"])));
    line.set("PIDs", stats["pids_stats"]["current"].as_i64().unwrap_or_default().to_string());
    line
}

/// The share of one processor's time since the sample before, in per cent.
fn processor(stats: &Value) -> f64 {
    let since = |field: fn(&Value) -> &Value| {
        let at = |key: &str| field(&stats[key]).as_f64().unwrap_or_default();
        at("cpu_stats") - at("precpu_stats")
    };
    let own = since(|cpu| &cpu["cpu_usage"]["total_usage"]);
    let host = since(|cpu| &cpu["system_cpu_usage"]);
    let processors = stats["cpu_stats"]["online_cpus"].as_f64().unwrap_or_default();
    if own > 0.0 && host > 0.0 { own / host * processors * 100.0 } else { 0.0 }
}

/// Memory without what the kernel could take back at once, and the limit.
fn memory(memory: &Value) -> (i64, i64) {
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let usage = number(&memory["usage"]);
    let parts = &memory["stats"];
    // Version 1 of cgroups has a total, version 2 none.
    let inactive = match parts.get("total_inactive_file") {
        Some(total) => number(total),
        None => number(&parts["inactive_file"]),
    };
    (if inactive < usage { usage - inactive } else { usage }, number(&memory["limit"]))
}

fn traffic(links: &Value) -> (i64, i64) {
    let sum = |key: &str| {
        let links = links.as_object().into_iter().flatten();
        links.filter_map(|(_, link)| link[key].as_i64()).sum()
    };
    (sum("rx_bytes"), sum("tx_bytes"))
}

fn blocks(list: &Value) -> (i64, i64) {
    let sum = |operation: &str| {
        let list = list.as_array().into_iter().flatten();
        let own = list.filter(|entry| {
            entry["op"].as_str().is_some_and(|op| op.eq_ignore_ascii_case(operation))
        });
        own.filter_map(|entry| entry["value"].as_i64()).sum()
    };
    (sum("read"), sum("write"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shares_and_sums() {
        let cpu = |own: u64, host: u64| json!({"cpu_usage": {"total_usage": own}, "system_cpu_usage": host, "online_cpus": 2});
        let stats = json!({
            "id": "0123456789abcdef", "name": "/web",
            "cpu_stats": cpu(300, 2000), "precpu_stats": cpu(100, 1000),
            "memory_stats": {"usage": 3 << 20, "limit": 4 << 20, "stats": {"inactive_file": 1 << 20}},
            "networks": {"eth0": {"rx_bytes": 1000, "tx_bytes": 1}, "eth1": {"rx_bytes": 500, "tx_bytes": 1}},
            "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 7}, {"op": "write", "value": 8}]},
            "pids_stats": {"current": 5},
        });
        let format = "{{.ID}} {{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}";
        let text = listing::render(&KIND, format, vec![line("web", &stats, false)]).unwrap();
        assert_eq!(text, "0123456789ab web 40.00% 2MiB / 4MiB 50.00% 1.5kB / 2B 7B / 8B 5\n");
    }

    #[test]
    fn one_that_does_not_run_uses_nothing() {
        let stats =
            json!({"id": "x", "name": "/x", "blkio_stats": {"io_service_bytes_recursive": null}});
        let text = listing::render(
            &KIND,
            "{{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.PIDs}}",
            vec![line("x", &stats, false)],
        );
        assert_eq!(text.unwrap(), "0.00% 0B / 0B 0B / 0B 0\n");
    }
}
