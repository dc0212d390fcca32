//! `hawser push`.

use clap::Args;

use super::pull::follow;
use super::screen::Stream;
use crate::client::{Lines, Query, escape};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::reference;
use crate::{output, registry};

/// Flags of `push`.
#[derive(Args)]
pub struct PushArgs {
    /// Push all tags of the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Accepted for compatibility: nothing is signed
    #[arg(long, hide = true)]
    disable_content_trust: bool,
    /// Say less
    #[arg(short, long)]
    quiet: bool,
    /// The image
    #[arg(value_name = "NAME[:TAG]")]
    image: String,
}

/// `hawser push`.
pub async fn run(context: &Context, args: PushArgs) -> Outcome {
    reference::check(&args.image)?;
    let image = reference::familiar(&args.image);
    let bare = image != args.image;
    if image.contains('@') {
        return Err(Failure::new("cannot push a digest reference"));
    }
    if args.all_tags && !bare {
        return Err(Failure::new("tag can't be used with --all-tags/-a"));
    }
    if bare && !args.all_tags && !args.quiet {
        output::println("Using default tag: latest");
    }
    let (name, tag) = reference::split_tag(&image);
    let (name, tag) = if args.all_tags { (args.image.as_str(), "") } else { (name, tag) };
    let query = Query::new().maybe("tag", (!tag.is_empty()).then(|| tag.to_owned()));
    let header = registry::header(name)?;
    let path = format!("/images/{}/push", escape(name));
    let answer = context.client.post_as(&path, &query, &header).await?;
    follow(Lines::new(answer), (!args.quiet).then_some(Stream::Out)).await?;
    if args.quiet {
        output::println(&reference::qualified(if args.all_tags { name } else { &image }));
    }
    Ok(())
}
