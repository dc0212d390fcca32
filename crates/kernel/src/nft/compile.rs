//! Compiles the text of the skeleton: `nft -f -`, the only process this crate starts, loads it in a
//! network namespace that is thrown away, and the kernel tells what it got.
//!
//! In: text. Out: tables. The program can't write them where they belong: it knows nothing of
//! owners before version 1.1, and would itself be the owner.

use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

use super::commit;
use super::table::{self, FAMILIES, Table};
use crate::error::{Cause, Error, ErrorKind};
use crate::netlink::Socket;
use crate::netlink::number::{NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST};
use crate::sys;

/// Where the program is: a root shell's search path may lack the second (Debian's `su`).
const PROGRAMS: [&str; 2] = ["nft", "/usr/sbin/nft"];

/// What came of the text.
pub(super) struct Compiled {
    pub(super) tables: Vec<Table>,
    /// Whether this kernel keeps the table of an owner who is gone (Linux 6.9).
    pub(super) keeps_orphans: bool,
}

/// Compiles texts, which are loaded one after the other.
pub(super) fn compile(texts: &[&str]) -> Result<Compiled, Error> {
    let script = texts.join("\n");
    let builder = std::thread::Builder::new().name("compiler".to_owned());
    // The namespace goes with the thread and its socket.
    let thread = builder.spawn(move || compile_here(&script)).map_err(fail)?;
    let panicked = |_| fail(Cause::Unexpected("the compiler panicked".to_owned()));
    thread.join().map_err(panicked)?
}

fn compile_here(script: &str) -> Result<Compiled, Error> {
    sys::unshare_network().map_err(fail)?;
    run(script)?;
    let mut socket = Socket::netfilter().map_err(fail)?;
    let mut tables = Vec::new();
    for family in FAMILIES {
        let found = table::read(&mut socket, family).map_err(fail)?;
        tables.extend(found.map(|found| found.table));
    }
    let objects = || tables.iter().flat_map(|table| &table.objects);
    if tables.is_empty() {
        return Err(fail(Cause::Unexpected("it makes no table hawser".to_owned())));
    }
    if objects().any(table::Object::is_anonymous_set) {
        let cause = "it has a set without a name, which can't be copied".to_owned();
        return Err(fail(Cause::Unexpected(cause)));
    }
    let keeps_orphans = keeps_orphans(&mut socket, &tables)?;
    Ok(Compiled { tables, keeps_orphans })
}

/// Tries it, here where nothing can be hurt.
fn keeps_orphans(socket: &mut Socket, tables: &[Table]) -> Result<bool, Error> {
    for table in tables {
        let owned = table.creation(NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST);
        let messages = vec![table::deletion(table.family), owned];
        let refused = commit(socket, messages).map_err(fail)?;
        if !refused.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fail(cause: impl Into<Cause>) -> Error {
    Error::new("compile", "nftables skeleton", cause)
}

fn run(script: &str) -> Result<(), Error> {
    let mut child = start()?;
    // Taken, so that it is closed when written; a child that ended early is reported below.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output().map_err(fail)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(fail(Cause::Unexpected(format!("nft: {}", said.trim()))));
    }
    written.transpose().map_err(fail)?;
    Ok(())
}

fn start() -> Result<Child, Error> {
    for program in PROGRAMS {
        let mut command = Command::new(program);
        command
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            started => return started.map_err(fail),
        }
    }
    Err(fail(Cause::Unexpected("the program nft is not installed".to_owned()))
        .with_kind(ErrorKind::Unsupported)
        .with_hint("install nftables: apt-get install nftables"))
}
