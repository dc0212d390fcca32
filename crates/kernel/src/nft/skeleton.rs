//! Loads the fixed skeleton once with `nft -f -`, the only process this crate starts, and deletes
//! it.
//!
//! In: the text of the skeleton and its version. Out: whether it was loaded. The version is kept as
//! the table's comment (user data to the kernel).

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

use super::{NFGENMSG, TABLE, boundary, message};
use crate::error::{Cause, Error, ErrorKind};
use crate::netlink::number::{NFTA_TABLE_NAME, NFTA_TABLE_USERDATA};
use crate::netlink::{Socket, attributes, text};

/// Where the program is: a root shell's search path may lack the second (Debian's `su`).
const PROGRAMS: [&str; 2] = ["nft", "/usr/sbin/nft"];
/// Type of a comment in a table's user data (NFTNL_UDATA_TABLE_COMMENT).
const COMMENT: u8 = 0;

/// Loads `text`; true unless a table with that version was there. One of another version is replaced.
/// In one of the same version, `text` writes anew the rules that somebody may have flushed.
pub(crate) fn load(socket: &mut Socket, text: &str, version: &str) -> Result<bool, Error> {
    let quotable = |c: char| c.is_ascii_graphic() && c != '"' || c == ' ';
    if version.is_empty() || version.len() > 100 || !version.chars().all(quotable) {
        return Err(fail(Cause::Unexpected(format!("{version:?} can't be a comment"))));
    }
    let found = version_loaded(socket)?;
    if found.as_deref() == Some(version) {
        return run(text).map(|()| false);
    }
    // One transaction, elements included: there is no moment without a table, or without them.
    let (delete, elements) = match found {
        Some(_) => (format!("delete table inet {TABLE}\n"), elements_as_text(socket)?),
        None => (String::new(), String::new()),
    };
    // The kernel takes the comment of whatever creates the table: ours, not one in the text.
    let create = format!("table inet {TABLE} {{\n\tcomment \"{version}\"\n}}\n");
    run(&format!("{delete}{create}{text}\n{elements}"))?;
    let loaded = version_loaded(socket)?;
    if loaded.as_deref() == Some(version) {
        return Ok(true);
    }
    let cause = format!("its table has the comment {loaded:?}, expected {version:?}");
    Err(fail(Cause::Unexpected(cause)))
}

/// The elements that are there, as `nft` commands.
fn elements_as_text(socket: &mut Socket) -> Result<String, Error> {
    let mut text = String::new();
    for (element, data) in super::elements(socket)? {
        let set = element.set().as_str();
        // Writing to a string can't fail.
        let _ = writeln!(text, "add element inet {TABLE} {set} {{ {element}{data} }}");
    }
    Ok(text)
}

fn fail(cause: impl Into<Cause>) -> Error {
    Error::new("load", "nftables skeleton", cause)
}

/// The comment of our table; empty without one, none without a table.
fn version_loaded(socket: &mut Socket) -> Result<Option<String>, Error> {
    let mut question = message(libc::NFT_MSG_GETTABLE, 0);
    question.text(NFTA_TABLE_NAME, TABLE);
    let answer = match socket.get(question) {
        Err(cause) if cause.errno() == Some(libc::ENOENT) => return Ok(None),
        answer => answer.map_err(|cause| Error::new("read", "table inet hawser", cause))?,
    };
    let data = attributes(answer.get(NFGENMSG..).unwrap_or_default());
    Ok(Some(data.value_of(NFTA_TABLE_USERDATA).and_then(comment).unwrap_or_default()))
}

/// The comment in user data: entries of type, length, value, one byte each for the first two.
fn comment(mut data: &[u8]) -> Option<String> {
    loop {
        let [kind, length] = *data.first_chunk()?;
        let value = data.get(2..2 + usize::from(length))?;
        if kind == COMMENT {
            return Some(text(value));
        }
        data = &data[2 + value.len()..];
    }
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

/// Deletes the table with all that is in it.
pub(crate) fn unload(socket: &mut Socket) -> Result<(), Error> {
    let mut delete = message(libc::NFT_MSG_DELTABLE, 0);
    delete.text(NFTA_TABLE_NAME, TABLE);
    let mut messages =
        [boundary(libc::NFNL_MSG_BATCH_BEGIN), delete, boundary(libc::NFNL_MSG_BATCH_END)];
    let fail = |cause| Error::new("delete", "table inet hawser", cause);
    let refused = socket.send_and_collect(&mut messages, 1).map_err(fail)?;
    match refused.into_iter().find(|refusal| refusal.errno != libc::ENOENT) {
        Some(refusal) => Err(fail(refusal.into())),
        None => Ok(()),
    }
}
