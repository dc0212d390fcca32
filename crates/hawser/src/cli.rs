//! The tree of commands.
//!
//! Here is which commands there are and how flags are read in general (docker's `pflag` and
//! clap differ); what a command takes and does is in its own file.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, Parser, Subcommand};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::{completion, container, help, image, network, output, parse, registry, system, volume};

/// Run containers and their networks
#[derive(Parser)]
#[command(name = "hawser", version, disable_version_flag = true)]
pub struct Cli {
    /// The flags before the command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Verb>,
}

/// The flags before the command.
#[derive(Args)]
pub struct Global {
    /// Socket of the engine: unix://PATH or tcp://HOST:PORT (environment: DOCKER_HOST)
    /// [default: unix:///run/hawser/hawser.sock]
    #[arg(short = 'H', long)]
    pub host: Vec<String>,
    /// Tell more about what goes on
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// How much to tell: debug, info, warn, error or fatal
    #[arg(short, long, default_value = "info")]
    pub log_level: String,
    /// Use TLS (implied by --tlsverify)
    #[arg(long)]
    pub tls: bool,
    /// Trust certificates signed by this authority only
    #[arg(long)]
    pub tlscacert: Option<PathBuf>,
    /// Certificate to show to the engine
    #[arg(long)]
    pub tlscert: Option<PathBuf>,
    /// Key of the certificate
    #[arg(long)]
    pub tlskey: Option<PathBuf>,
    /// Use TLS and check the engine's certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = parse::flags::boolean)]
    pub tlsverify: Option<bool>,
    /// Print the version and exit
    #[arg(short = 'v', long, action = ArgAction::Version)]
    pub version: Option<bool>,
}

/// The commands at the top.
#[derive(Subcommand)]
pub enum Verb {
    /// The short forms of the commands on containers.
    #[command(flatten)]
    Common(container::Verb),
    /// List containers
    Ps(container::ls::LsArgs),
    /// List images
    Images(image::ls::LsArgs),
    /// Load images from a tar archive or the standard input
    Load(image::load::LoadArgs),
    /// Make an image of the content of a tarball
    Import(image::import::ImportArgs),
    /// Get an image from a registry
    Pull(image::pull::PullArgs),
    /// Send an image to a registry
    Push(image::push::PushArgs),
    /// Log in to a registry
    Login(registry::login::LoginArgs),
    /// Forget the login at a registry
    Logout(registry::logout::LogoutArgs),
    /// Remove images
    Rmi(image::rm::RmArgs),
    /// Give an image another name
    Tag(image::tag::TagArgs),
    /// Show everything about containers, images, networks and volumes
    Inspect(system::inspect::InspectArgs),
    /// Print the commands that would build a container's network, or a network, by hand (hawserd only)
    Explain(system::explain::ExplainArgs),
    /// Show how a name is answered for a container, and why (hawserd only)
    Dns(system::dns::DnsArgs),
    /// Follow what happens in the engine
    Events(system::events::EventsArgs),
    /// Show the state of the engine
    Info(system::info::InfoArgs),
    /// Show the versions of client and engine
    Version(system::version::VersionArgs),
    /// Manage containers
    #[command(subcommand_required = true)]
    Container {
        /// What to do.
        #[command(subcommand)]
        verb: container::Group,
    },
    /// Manage images
    #[command(subcommand_required = true)]
    Image {
        /// What to do.
        #[command(subcommand)]
        verb: image::Verb,
    },
    /// Manage networks
    #[command(subcommand_required = true)]
    Network {
        /// What to do.
        #[command(subcommand)]
        verb: network::Verb,
    },
    /// Manage volumes
    #[command(subcommand_required = true)]
    Volume {
        /// What to do.
        #[command(subcommand)]
        verb: volume::Verb,
    },
    /// Manage the engine
    #[command(subcommand_required = true)]
    System {
        /// What to do.
        #[command(subcommand)]
        verb: system::Verb,
    },
    /// Print a script that completes commands in a shell
    Completion(completion::CompletionArgs),
}

/// Runs a command.
pub async fn dispatch(context: &Context, verb: Option<Verb>) -> Outcome {
    match verb {
        None => {
            output::print(&help::text("hawser", &command()));
            Ok(())
        }
        Some(Verb::Common(verb)) => container::dispatch(context, verb).await,
        Some(Verb::Ps(args)) => container::ls::run(context, args).await,
        Some(Verb::Images(args)) => image::ls::run(context, args).await,
        Some(Verb::Load(args)) => image::load::run(context, args).await,
        Some(Verb::Import(args)) => image::import::run(context, args).await,
        Some(Verb::Pull(args)) => image::pull::run(context, args).await,
        Some(Verb::Push(args)) => image::push::run(context, args).await,
        Some(Verb::Login(args)) => registry::login::run(context, args).await,
        Some(Verb::Logout(args)) => registry::logout::run(&args),
        Some(Verb::Rmi(args)) => image::rm::run(context, args).await,
        Some(Verb::Tag(args)) => image::tag::run(context, args).await,
        Some(Verb::Inspect(args)) => system::inspect::run(context, args).await,
        Some(Verb::Explain(args)) => system::explain::run(context, args).await,
        Some(Verb::Dns(args)) => system::dns::run(context, args).await,
        Some(Verb::Events(args)) => system::events::run(context, args).await,
        Some(Verb::Info(args)) => system::info::run(context, args).await,
        Some(Verb::Version(args)) => system::version::run(context, args).await,
        Some(Verb::Container { verb }) => container::dispatch_group(context, verb).await,
        Some(Verb::Image { verb }) => image::dispatch(context, verb).await,
        Some(Verb::Network { verb }) => network::dispatch(context, verb).await,
        Some(Verb::Volume { verb }) => volume::dispatch(context, verb).await,
        Some(Verb::System { verb }) => system::dispatch(context, verb).await,
        Some(Verb::Completion(args)) => completion::run(&args).map_err(Failure::from),
    }
}

/// The whole tree, ready to parse.
pub fn command() -> Command {
    dress(Cli::command())
        .long_version(concat!(env!("CARGO_PKG_VERSION"), ", Docker Engine API 1.51"))
}

/// Makes clap read flags as docker's client does: a boolean takes `=true` and `=false`, a value
/// may start with a hyphen, the last of several wins, and `-h` is not for help.
pub fn dress(command: Command) -> Command {
    let command_is_inner = command.get_name() != "hawser";
    let help = Arg::new("help").long("help").action(ArgAction::Help).help("Print this help");
    command
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_help_subcommand(command_is_inner)
        .arg(help)
        .mut_args(dress_flag)
        .mut_subcommands(dress)
}

fn dress_flag(arg: Arg) -> Arg {
    match arg.get_action() {
        _ if arg.is_positional() => arg,
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_parser(parse::flags::boolean)
            .hide_default_value(true)
            .hide_possible_values(true),
        ArgAction::Set | ArgAction::Append if !arg.is_require_equals_set() => {
            arg.allow_hyphen_values(true).hide_default_value(true)
        }
        _ => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parses(line: &str) -> bool {
        command().try_get_matches_from(line.split(' ')).is_ok()
    }

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn short_forms_and_long_forms() {
        for line in [
            "hawser -H unix:///x ps -a -q --no-trunc -f name=x",
            "hawser container ls -aq",
            "hawser container list",
            "hawser container ps",
            "hawser run -itd --rm --name c1 busybox",
            "hawser container run --net=none busybox sh -c true",
            "hawser network list",
            "hawser network remove a b",
            "hawser network create -d bridge --subnet 10.0.0.0/24 n",
            "hawser image remove -f x",
            "hawser image list --digests",
            "hawser rm -fv a b",
            "hawser rm a -f",
            "hawser inspect -f {{.Name}} --type container a",
            "hawser exec -it c1 ls -la --color",
            "hawser top c1 -o pid",
            "hawser stop -t 3 c1",
            "hawser logs -f --tail 10 c1",
            "hawser system info",
        ] {
            assert!(parses(line), "{line}");
        }
    }

    #[test]
    fn refuses_what_docker_refuses() {
        for line in ["hawser nosuch", "hawser rm", "hawser exec c1", "hawser ps x", "hawser run"] {
            assert!(!parses(line), "{line}");
        }
    }
}
