//! `hawser pull`, and the pull of `run` and `create`.

use clap::Args;

use super::screen::{Screen, Stream};
use crate::client::{Lines, Query};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::parse::reference;
use crate::{output, registry};

/// Flags of `pull`.
#[derive(Args)]
pub struct PullArgs {
    /// Pull all tags of the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Accepted for compatibility: there are no signatures to skip
    #[arg(long, hide = true)]
    disable_content_trust: bool,
    /// Pull for this platform (os[/architecture[/variant]])
    #[arg(long)]
    platform: Option<String>,
    /// Say less
    #[arg(short, long)]
    quiet: bool,
    /// The image
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    image: String,
}

/// `hawser pull`.
pub async fn run(context: &Context, args: PullArgs) -> Outcome {
    reference::check(&args.image)?;
    let image = reference::familiar(&args.image);
    let bare = image != args.image;
    if args.all_tags && !bare {
        return Err(Failure::new("tag can't be used with --all-tags/-a"));
    }
    if bare && !args.all_tags && !args.quiet {
        output::println("Using default tag: latest");
    }
    let image = if args.all_tags { &args.image } else { &image };
    let stream = (!args.quiet).then_some(Stream::Out);
    pull(context, image, args.platform.as_deref(), stream).await?;
    output::println(&reference::qualified(image));
    Ok(())
}

/// Has the engine pull an image (all tags, if it has none), drawing on `stream`.
pub async fn pull(
    context: &Context,
    image: &str,
    platform: Option<&str>,
    stream: Option<Stream>,
) -> Result<(), Failure> {
    let (name, tag) = match image.split_once('@') {
        // With a digest the tag says nothing.
        Some((name, digest)) => (reference::split_tag(name).0, digest),
        None => reference::split_tag(image),
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let query = Query::new()
        .with("fromImage", reference::qualified(name))
        .maybe("tag", some(tag))
        .maybe("platform", platform.and_then(some));
    let header = registry::header(name)?;
    let answer = context.client.post_as("/images/create", &query, &header).await?;
    follow(Lines::new(answer), stream).await
}

/// Draws lines until the engine is done.
pub async fn follow(mut lines: Lines, stream: Option<Stream>) -> Result<(), Failure> {
    let mut screen = stream.map(Screen::new);
    while let Some(line) = lines.next().await? {
        if let Some(message) = line["errorDetail"]["message"].as_str().or(line["error"].as_str()) {
            return Err(Failure::new(message));
        }
        if let Some(screen) = &mut screen {
            screen.draw(&line);
        }
    }
    Ok(())
}
