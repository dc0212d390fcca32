//! The user's terminal and the streams of a container.
//!
//! In: a hijacked connection. Out: its output on ours, our input in it; raw mode while it
//! lasts, and the terminal as it was afterwards, whatever ends us.

pub mod demux;
pub mod keys;
mod raw;
pub mod session;
pub mod signals;
pub mod size;

pub use raw::{RawMode, restore};

/// Whether the standard input is a terminal.
pub fn stdin_is_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stdin())
}

/// Whether the standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stdout())
}
