//! A network segment between test hosts: a bridge in a namespace of its own.
//!
//! In: hosts that join; out: cables. What is on it (addresses, routes) is the hosts' concern.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, ensure};

use crate::command::finish;
use crate::init::Init;

/// A switch that test hosts are plugged into.
#[derive(Debug)]
pub struct Segment {
    init: Init,
    ports: AtomicU32,
}

impl Segment {
    /// A segment with nothing on it.
    ///
    /// # Panics
    /// When it cannot be made (root is needed).
    #[expect(clippy::new_without_default, reason = "makes things in the kernel, and may fail")]
    pub fn new() -> Segment {
        let script = "ip link add segment type bridge; ip link set segment up; \
                      ip link set lo up; echo ready; exec cat > /dev/null";
        match Init::start("", &["--net"], script) {
            Ok(init) => Segment { init, ports: AtomicU32::new(0) },
            Err(error) => panic!("segment: {error:#}"),
        }
    }

    /// Plugs a cable in: its other end appears as `name` in the namespace of process `pid`.
    pub(crate) fn plug(&self, pid: u32, name: &str) -> Result<()> {
        let port = format!("port{}", self.ports.fetch_add(1, Ordering::Relaxed));
        let script = format!(
            "ip link add {port} type veth peer name {name} netns {pid} && \
             ip link set {port} master segment up"
        );
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.pid().to_string(), "--net", "sh", "-c", &script]);
        let output = finish(&script, command, None)?;
        ensure!(output.status == 0, "plug a cable: {output}");
        Ok(())
    }
}
