//! A load of connections: a server that greets and hangs up, and its client.
//!
//! Both run as programs of their own, in the namespaces of a container and of a test host. In: how
//! many connections, a line each time. Out: the microseconds of processor time that both had for them.
//! What the kernel does for a packet is on the account of who sent it: where all is on one processor,
//! that is all that a connection costs, and other work of the machine is no part of it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

/// Serves a port for ever: says what processor time it has had.
///
/// # Errors
/// When the port is taken.
pub fn greet(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    println!("ready");
    for stream in listener.incoming() {
        // Who has gone meanwhile is not waited for.
        let _ = stream.and_then(|mut stream| stream.write_all(&had().to_be_bytes()));
    }
    Ok(())
}

/// One line of standard input after another: so many connections.
///
/// # Errors
/// When a connection fails.
pub fn connect(to: SocketAddr) -> Result<()> {
    for line in std::io::stdin().lines() {
        let count: usize = line?.parse().context("how many connections")?;
        let (mut theirs, own) = (once(to)?, had());
        let begun = theirs;
        for _ in 0..count {
            theirs = once(to).with_context(|| format!("connect to {to}"))?;
        }
        println!("{}", (had() - own + theirs - begun) / 1000);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Connects, and hears the server's time.
fn once(to: SocketAddr) -> Result<u64> {
    let mut stream = TcpStream::connect(to)?;
    let mut greeting = [0; 8];
    stream.read_exact(&mut greeting)?;
    // Reset: neither side keeps anything of it, so the ports of the client never run out.
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    Ok(u64::from_be_bytes(greeting))
}

/// Processor time of this program, in nanoseconds.
fn had() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
