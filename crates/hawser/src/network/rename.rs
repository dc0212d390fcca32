//! `hawser network rename`: gives a network another name, in use or not.
//!
//! Docker has no such command; the route is hawserd's own.

use clap::Args;
use http::Method;

use crate::client::{Query, segment};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Flags of `network rename`.
#[derive(Args)]
pub struct RenameArgs {
    /// The network
    #[arg(value_name = "NETWORK")]
    network: String,
    /// Its new name
    #[arg(value_name = "NEW_NAME")]
    name: String,
}

/// `hawser network rename`.
pub async fn run(context: &Context, args: RenameArgs) -> Outcome {
    let (old, new) = (args.network.trim(), args.name.trim());
    if old.is_empty() || new.is_empty() {
        return Err(Failure::new("Error: Neither old nor new names may be empty"));
    }
    let path = format!("/networks/{}/rename", segment(old));
    context.client.own(Method::POST, &path, &Query::new().with("name", new), None).await?;
    Ok(())
}
