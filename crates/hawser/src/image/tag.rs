//! `hawser tag`.

use clap::Args;

use crate::client::{Query, escape};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::reference;

/// Flags of `tag`.
#[derive(Args)]
pub struct TagArgs {
    /// The image
    #[arg(value_name = "SOURCE_IMAGE[:TAG]")]
    source: String,
    /// Its new name
    #[arg(value_name = "TARGET_IMAGE[:TAG]")]
    target: String,
}

/// `hawser tag`.
pub async fn run(context: &Context, args: TagArgs) -> Outcome {
    reference::check(&args.target).map_err(|error| {
        Failure::new(format!(
            "Error parsing reference: {:?} is not a valid repository/tag: {error}",
            args.target
        ))
    })?;
    let target = reference::familiar(&args.target);
    let (repository, tag) = reference::split_tag(&target);
    let query = Query::new().with("repo", repository).with("tag", tag);
    let path = format!("/images/{}/tag", escape(&args.source));
    context.client.post(&path, &query, None).await?;
    Ok(())
}
