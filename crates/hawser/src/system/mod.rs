//! Commands on the engine and on things of any kind: one file for each.

pub mod dns;
pub mod events;
pub mod explain;
pub mod info;
pub mod inspect;
pub mod version;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// The commands of `hawser system`.
#[derive(Subcommand)]
pub enum Verb {
    /// Follow what happens in the engine
    Events(events::EventsArgs),
    /// Show the state of the engine
    Info(info::InfoArgs),
}

/// Runs a command.
pub async fn dispatch(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Events(args) => events::run(context, args).await,
        Verb::Info(args) => info::run(context, args).await,
    }
}
