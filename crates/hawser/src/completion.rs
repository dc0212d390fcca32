//! `hawser completion`: a script that completes commands in a shell.

use std::io;

use clap::Args;
use clap_complete::Shell;

use crate::{cli, output};

/// Flags of `completion`.
#[derive(Args)]
pub struct CompletionArgs {
    /// The shell: bash, zsh or fish
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &CompletionArgs) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "hawser", &mut script);
    output::write_to(&mut io::stdout().lock(), &script);
    Ok(())
}
