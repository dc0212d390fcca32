//! Prints what of hawser's a host has, as `observe` sees it: for tests, and to look at by hand.
//!
//! In: the directory of pinned namespaces (default `/run/hawser/netns`). Out: the lines that would
//! make what is there. Held ports are the daemon's and are not seen from here.

use hawser_hoststate::{HostState, commands, diff};
use hawser_kernel::{Config, Error, Kernel};

fn main() -> Result<(), Error> {
    let dir = std::env::args_os().nth(1).unwrap_or_else(|| "/run/hawser/netns".into());
    let kernel = Kernel::open(Config { netns_dir: dir.into() })?;
    let all = diff(&HostState::default(), &kernel.observe()?);
    for line in commands(&all, &|name| kernel.namespace_path(name)) {
        println!("{line}");
    }
    Ok(())
}
