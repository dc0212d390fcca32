//! Commands on containers: one file for each.

pub mod attach;
pub mod create;
pub mod exec;
pub mod kill;
pub mod logs;
pub mod ls;
mod options;
pub mod pause;
pub mod port;
pub mod rename;
pub mod restart;
pub mod rm;
pub mod run;
mod spec;
pub mod start;
pub mod stats;
pub mod stop;
pub mod top;
pub mod wait;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;
use crate::system::inspect;

/// The commands that there are both as `hawser VERB` and as `hawser container VERB`.
#[derive(Subcommand)]
pub enum Verb {
    /// Create a container from an image and run it
    Run(Box<run::RunArgs>),
    /// Run a command in a running container
    Exec(exec::ExecArgs),
    /// Create a container without starting it
    Create(Box<create::CreateArgs>),
    /// Start stopped containers
    Start(start::StartArgs),
    /// Stop running containers
    Stop(stop::StopArgs),
    /// Restart containers
    Restart(restart::RestartArgs),
    /// Kill running containers
    Kill(kill::KillArgs),
    /// Remove containers
    Rm(rm::RmArgs),
    /// Join your streams to those of a running container
    Attach(attach::AttachArgs),
    /// Show the logs of a container
    Logs(logs::LogsArgs),
    /// List the published ports of a container
    Port(port::PortArgs),
    /// Wait until containers stop, then print their exit codes
    Wait(wait::WaitArgs),
    /// Give a container another name
    Rename(rename::RenameArgs),
    /// Pause all processes of containers
    Pause(pause::PauseArgs),
    /// Resume all processes of containers
    Unpause(pause::PauseArgs),
    /// Show the processes of a container
    Top(top::TopArgs),
    /// Show what containers use, again and again
    Stats(stats::StatsArgs),
}

/// The commands of `hawser container`.
#[derive(Subcommand)]
pub enum Group {
    /// Those that there are at the top as well.
    #[command(flatten)]
    Verb(Verb),
    /// List containers
    #[command(visible_aliases = ["list", "ps"])]
    Ls(ls::LsArgs),
    /// Show everything about containers
    Inspect(inspect::ContainerArgs),
    /// Remove containers
    #[command(hide = true)]
    Remove(rm::RmArgs),
}

/// Runs a command of `hawser container`.
pub async fn dispatch_group(context: &Context, verb: Group) -> Outcome {
    match verb {
        Group::Verb(verb) => dispatch(context, verb).await,
        Group::Ls(args) => ls::run(context, args).await,
        Group::Inspect(args) => inspect::containers(context, args).await,
        Group::Remove(args) => rm::run(context, args).await,
    }
}

/// Runs a command that there is in both places.
pub async fn dispatch(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Run(args) => run::run(context, *args).await,
        Verb::Exec(args) => exec::run(context, args).await,
        Verb::Create(args) => create::run(context, *args).await,
        Verb::Start(args) => start::run(context, args).await,
        Verb::Stop(args) => stop::run(context, args).await,
        Verb::Restart(args) => restart::run(context, args).await,
        Verb::Kill(args) => kill::run(context, args).await,
        Verb::Rm(args) => rm::run(context, args).await,
        Verb::Attach(args) => attach::run(context, args).await,
        Verb::Logs(args) => logs::run(context, args).await,
        Verb::Port(args) => port::run(context, args).await,
        Verb::Wait(args) => wait::run(context, args).await,
        Verb::Rename(args) => rename::run(context, args).await,
        Verb::Pause(args) => pause::pause(context, args).await,
        Verb::Unpause(args) => pause::unpause(context, args).await,
        Verb::Top(args) => top::run(context, args).await,
        Verb::Stats(args) => stats::run(context, args).await,
    }
}

/// The path of a request on a container.
fn path(container: &str, rest: &str) -> String {
    format!("/containers/{}{rest}", crate::client::escape(container.trim()))
}
