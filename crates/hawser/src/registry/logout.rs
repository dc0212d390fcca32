//! `hawser logout`.

use clap::Args;

use super::address;
use super::config::Config;
use crate::failure::Outcome;
use crate::output;

/// Flags of `logout`.
#[derive(Args)]
pub struct LogoutArgs {
    /// The registry [default: docker.io]
    #[arg(value_name = "SERVER")]
    server: Option<String>,
}

/// `hawser logout`.
pub fn run(args: &LogoutArgs) -> Outcome {
    let server = address(args.server.as_deref().unwrap_or_default());
    let mut config = Config::read()?;
    output::println(&format!("Removing login credentials for {server}"));
    if let Some(helper) = config.helper(server) {
        helper.erase(server)?;
    }
    config.forget(server).map(drop)
}
