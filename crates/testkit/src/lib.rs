//! Test hosts: machines made of namespaces, each with an engine of its own.
//!
//! In: which engine (hawserd or Debian's dockerd), its flags, the commands to run.
//! Out: a [`TestHost`] with private network, mounts, processes, cgroups, host name, `/run`,
//! `/var/lib` and `/etc`; commands run in it with their [`Output`]; terminals; raw HTTP requests;
//! image archives and registries, well-formed and hostile. When a host is dropped all that is in it ends, and it is
//! checked that nothing of it is left.
//!
//! It is no part of the product and holds no test: those are in `tests/` and beside the crates.
//! Everything needs root. Whatever cannot be had makes the test fail, saying what is missing: the
//! functions here panic where a library would return an error, since only tests call them.

mod archive;
mod cgroup;
mod client;
mod command;
mod daemon;
mod engine;
mod fake_registry;
mod http;
mod init;
mod inventory;
mod machine;
mod prepare;
mod recorder;
mod registry;
mod rootfs;
mod segment;
mod terminal;
mod testhost;
mod wait;

pub use archive::{ArchiveEntry, ImageArchive, layer_tar};
pub use client::{Cli, Client, program};
pub use command::{Output, Running};
pub use engine::{EngineKind, built};
pub use fake_registry::{Answer, FakeImage, FakeRegistry, Request, Sending};
pub use http::{Http, Response};
pub use inventory::Inventory;
pub use machine::machine_state;
pub use recorder::Recorder;
pub use registry::{PASSWORD, Registry, RegistryOptions};
pub use rootfs::busybox_tar;
pub use segment::Segment;
pub use terminal::Terminal;
pub use testhost::{CgroupMode, Options, TestHost};
pub use wait::{eventually, eventually_within};
