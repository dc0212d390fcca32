//! `hawser rmi`, which is `hawser image rm`.

use clap::Args;

use crate::client::{Query, escape};
use crate::context::Context;
use crate::failure::{self, Failure, Outcome};
use crate::output;

/// Flags of `rmi`.
#[derive(Args)]
pub struct RmArgs {
    /// Remove the image even if containers were made from it
    #[arg(short, long)]
    force: bool,
    /// Keep parents that have no name
    #[arg(long)]
    no_prune: bool,
    /// The images
    #[arg(value_name = "IMAGE [IMAGE...]", required = true)]
    images: Vec<String>,
}

/// `hawser rmi`.
pub async fn run(context: &Context, args: RmArgs) -> Outcome {
    let query = Query::new().flag("force", args.force).flag("noprune", args.no_prune);
    let (mut errors, mut only_missing) = (Vec::new(), true);
    for image in &args.images {
        match context.client.delete(&format!("/images/{}", escape(image)), &query).await {
            Ok(removed) => {
                for item in removed.as_array().into_iter().flatten() {
                    let line = |key: &str| item[key].as_str().map(|id| format!("{key}: {id}"));
                    if let Some(line) = line("Deleted").or_else(|| line("Untagged")) {
                        output::println(&line);
                    }
                }
            }
            Err(error) => {
                only_missing &= error.is_not_found();
                errors.push(error.to_string());
            }
        }
    }
    match failure::all(errors) {
        // With force, what is not there is what was wanted.
        Err(Failure { message, .. }) if args.force && only_missing => {
            output::complain(&message);
            Ok(())
        }
        outcome => outcome,
    }
}
