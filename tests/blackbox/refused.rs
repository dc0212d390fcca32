//! Refusals: a table of command lines, each with its message and status, and a host that is as it was.
//!
//! The clients' refusals come through a recorder, which hears the status that the engine answered.
//! All rows are tried before the test fails, with those that were wrong.

use std::time::{Duration, Instant};

use hawser_testkit::{Cli, EngineKind, Inventory, Recorder, TestHost};

/// A command line, the status that the engine answers with, and what the client says.
pub type Row<'t> = (&'t str, u16, &'t str);

/// Who says it so.
#[derive(Clone, Copy, PartialEq)]
pub enum Since {
    /// Docker 20.10 and later.
    Docker20,
    /// Docker 28 or 29, or hawser alone.
    Today,
}

/// Each row is refused, with `exit`, and leaves the host as it was.
#[track_caller]
pub fn refused(host: &TestHost, cli: Cli, since: Since, exit: i32, rows: &[Row<'_>]) {
    if host.engine() == EngineKind::Docker && since == Since::Today {
        return;
    }
    let mut before = host.inventory();
    let recorder = recorder(host);
    let c = recorder.client(cli);
    let mut wrong = String::new();
    for (line, status, message) in rows {
        let said = c.run(line);
        let statuses = recorder.refusals();
        if said.status != exit || !said.stderr.contains(message) || !all_are(&statuses, *status) {
            wrong += &format!("expected {exit}, {status}, {message:?}; got {statuses:?}, {said}\n");
        }
        wrong += &changed(&mut before, host, line);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A client may look a thing up twice before it gives up.
fn all_are(statuses: &[u16], wanted: u16) -> bool {
    !statuses.is_empty() && statuses.iter().all(|status| *status == wanted)
}

/// A client may check a thing itself, in its own words; the engine need not be asked.
#[track_caller]
pub fn refused_by_client(host: &TestHost, cli: Cli, rows: &[(&str, &str)]) {
    let mut before = host.inventory();
    let mut wrong = String::new();
    for (line, message) in rows {
        let said = host.client(cli).run(line);
        if said.status == 0 || !said.to_string().contains(message) {
            wrong += &format!("expected {message:?}: {said}\n");
        }
        wrong += &changed(&mut before, host, line);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// How the host is no longer as it was, once it has had time to get there; `before` is then how it is.
pub fn changed(before: &mut Inventory, host: &TestHost, what: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let now = Inventory::of(host);
        let difference = before.difference(&now);
        if difference.is_empty() {
            return String::new();
        }
        if Instant::now() > deadline {
            *before = now;
            return format!("after {what}:\n{difference}\n");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn recorder(host: &TestHost) -> Recorder<'_> {
    let _ = std::fs::remove_file(host.files().join("recorder.sock"));
    host.recorder()
}
