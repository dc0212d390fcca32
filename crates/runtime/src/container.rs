//! What is known of a container that was created: its processes, its files, how it ended.
//!
//! In: process numbers from `conmon`, or from the engine's records after a restart. Out: [`Exit`], waiting,
//! signalling. It starts no program.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::process::{self, ProcessId};

/// What must be kept to find a container again after a restart of the daemon ([`crate::Runtime::reattach`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Name of the OCI runtime it was made with.
    pub runtime: String,
    /// The container's process 1, as the host numbers it.
    pub process: ProcessId,
    /// Its `conmon`.
    pub conmon: ProcessId,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether its input closes with the first client.
    pub stdin_once: bool,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit code; 128 + signal when it was killed; 255 when it could not be learnt because `conmon` was killed.
    pub code: i32,
    /// Whether the kernel killed one of its processes for want of memory.
    pub oom_killed: bool,
    /// When it ended.
    pub finished_at: SystemTime,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Created; its process waits for the start.
    Created,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It has ended.
    Stopped,
}
