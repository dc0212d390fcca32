//! Further processes in a running container: one file per verb.
//!
//! In: what to run. Out: streams and an exit code. An exec is known until its container is
//! removed or the daemon ends; it is in no record.

mod create;
mod inspect;
mod registry;
mod resize;
mod start;

pub use inspect::ExecView;
pub use registry::Execs;
pub use start::ExecStart;
