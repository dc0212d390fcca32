//! `hawser network prune`.

use clap::Args;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output;
use crate::parse::filter;

const WARNING: &str =
    "WARNING! This will remove all custom networks not used by at least one container.";

/// Flags of `network prune`.
#[derive(Args)]
pub struct PruneArgs {
    /// Only those that match (until=…, label=…, label!=…)
    #[arg(long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

/// `hawser network prune`.
pub async fn run(context: &Context, args: PruneArgs) -> Outcome {
    if !args.force && !output::confirmed(WARNING)? {
        return Ok(());
    }
    let query = Query::new().maybe("filters", filter::to_query(&args.filter));
    let removed = context.client.post("/networks/prune", &query, None).await?;
    let names: Vec<&str> = removed["NetworksDeleted"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    if !names.is_empty() {
        output::print(&format!("Deleted Networks:\n{}\n\n", names.join("\n")));
    }
    Ok(())
}
