//! `hawser rename`.

use clap::Args;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Flags of `rename`.
#[derive(Args)]
pub struct RenameArgs {
    /// The container
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// Its new name
    #[arg(value_name = "NEW_NAME")]
    name: String,
}

/// `hawser rename`.
pub async fn run(context: &Context, args: RenameArgs) -> Outcome {
    let (old, new) = (args.container.trim(), args.name.trim());
    if old.is_empty() || new.is_empty() {
        return Err(Failure::new("Error: Neither old nor new names may be empty"));
    }
    let query = Query::new().with("name", new);
    if let Err(error) = context.client.post(&path(old, "/rename"), &query, None).await {
        output::complain(&error.to_string());
        return Err(Failure::new(format!("Error: failed to rename container named {old}")));
    }
    Ok(())
}
