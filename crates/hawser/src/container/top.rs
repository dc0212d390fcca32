//! `hawser top`.

use clap::Args;
use serde_json::Value;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output;
use crate::output::table::{self, Widths};

const WIDTHS: Widths = Widths { least: 20, padding: 3 };

/// Flags of `top`.
#[derive(Args)]
pub struct TopArgs {
    /// Container, and the options for ps
    #[arg(value_name = "CONTAINER [ps OPTIONS]", required = true, trailing_var_arg = true)]
    container_and_options: Vec<String>,
}

/// `hawser top`.
pub async fn run(context: &Context, args: TopArgs) -> Outcome {
    let Some((container, options)) = args.container_and_options.split_first() else {
        return Ok(());
    };
    let options = (!options.is_empty()).then(|| options.join(" "));
    let query = Query::new().maybe("ps_args", options);
    let answer = context.client.get(&path(container, "/top"), &query).await?;
    let mut text = row(&answer["Titles"]);
    for process in answer["Processes"].as_array().into_iter().flatten() {
        text.push_str(&row(process));
    }
    output::print(&table::align(&text, WIDTHS));
    Ok(())
}

fn row(cells: &Value) -> String {
    let cells = cells.as_array().into_iter().flatten();
    let cells: Vec<&str> = cells.map(|cell| cell.as_str().unwrap_or_default()).collect();
    cells.join("\t") + "\n"
}
