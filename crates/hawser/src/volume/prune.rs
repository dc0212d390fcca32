//! `hawser volume prune`.

use clap::Args;

use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{self, human};
use crate::parse::filter;

/// Flags of `volume prune`.
#[derive(Args)]
pub struct PruneArgs {
    /// Those with a name, too
    #[arg(short, long)]
    all: bool,
    /// Only those that match (label=…, label!=…)
    #[arg(long, value_parser = filter::filter)]
    filter: Vec<(String, String)>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

/// `hawser volume prune`.
pub async fn run(context: &Context, args: PruneArgs) -> Outcome {
    let which = if args.all { "all local" } else { "anonymous local" };
    let warning =
        format!("WARNING! This will remove {which} volumes not used by at least one container.");
    if !args.force && !output::confirmed(&warning)? {
        return Ok(());
    }
    let mut filters = args.filter;
    if args.all {
        filters.push(("all".to_owned(), "true".to_owned()));
    }
    let query = Query::new().maybe("filters", filter::to_query(&filters));
    let removed = context.client.post("/volumes/prune", &query, None).await?;
    let names = removed["VolumesDeleted"].as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|name| name.as_str()).collect();
    if !names.is_empty() {
        output::print(&format!("Deleted Volumes:\n{}\n\n", names.join("\n")));
    }
    let space = human::size(removed["SpaceReclaimed"].as_i64().unwrap_or_default(), 4);
    output::println(&format!("Total reclaimed space: {space}"));
    Ok(())
}
