//! Commands on networks: one file for each.

pub mod connect;
pub mod create;
pub mod disconnect;
mod ipam;
pub mod ls;
pub mod prune;
pub mod rename;
pub mod rm;
pub mod update;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;
use crate::system::inspect;

/// The commands of `hawser network`.
#[derive(Subcommand)]
pub enum Verb {
    /// Create a network
    Create(Box<create::CreateArgs>),
    /// Show everything about networks
    Inspect(inspect::NetworkArgs),
    /// Connect a container to a network
    Connect(connect::ConnectArgs),
    /// Disconnect a container from a network
    Disconnect(disconnect::DisconnectArgs),
    /// Change a network, in use or not (hawserd only)
    Update(Box<update::UpdateArgs>),
    /// Give a network another name (hawserd only)
    Rename(rename::RenameArgs),
    /// Remove all networks that no container uses
    Prune(prune::PruneArgs),
    /// Remove networks
    #[command(visible_alias = "remove")]
    Rm(rm::RmArgs),
    /// List networks
    #[command(visible_alias = "list")]
    Ls(ls::LsArgs),
}

/// Runs a command.
pub async fn dispatch(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Create(args) => create::run(context, *args).await,
        Verb::Inspect(args) => inspect::networks(context, args).await,
        Verb::Connect(args) => connect::run(context, args).await,
        Verb::Disconnect(args) => disconnect::run(context, args).await,
        Verb::Update(args) => update::run(context, *args).await,
        Verb::Rename(args) => rename::run(context, args).await,
        Verb::Prune(args) => prune::run(context, args).await,
        Verb::Rm(args) => rm::run(context, args).await,
        Verb::Ls(args) => ls::run(context, args).await,
    }
}

/// The path of a request on a network.
fn path(network: &str, rest: &str) -> String {
    format!("/networks/{}{rest}", crate::client::escape(network.trim()))
}
