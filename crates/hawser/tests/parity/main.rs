//! The same command line means the same to docker's client and to ours.
//!
//! `seen/*.txt` hold command lines and what docker's client made of each: its requests, its exit
//! code, its output. Here our client is held to that, and the record to docker's client, if the
//! one on PATH is of the version in the record's first line (another says other things).
//!
//! A line is added as `$ network create …` with an empty line after it; `HAWSER_RECORD=1 cargo
//! test -p hawser --test parity docker` then has docker's client write the rest: read the diff.
//!
//! Where our client differs on purpose, [`client`] says so. What only hawser has is in `own`.

#![expect(clippy::unwrap_used, reason = "all of it is tests")]

mod client;
mod meaning;
mod own;
mod record;
mod recorder;

use client::Client;
use record::Record;

/// Makes of a record two tests: `name::ours` and `name::dockers`.
macro_rules! records {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[test]
            fn ours() {
                super::ours(stringify!($name));
            }

            #[test]
            fn dockers() {
                super::dockers(stringify!($name));
            }
        })+
    };
}

records!(network_create, network_connect, network_rest, run);

fn ours(name: &str) {
    Record::read(name).hold(&Client::new(env!("CARGO_BIN_EXE_hawser")));
}

fn dockers(name: &str) {
    let docker = Client::new("docker");
    let mut record = Record::read(name);
    if std::env::var_os("HAWSER_RECORD").is_some() {
        record.renew(&docker);
    } else if record.is_from(&docker.version()) {
        record.hold(&docker);
    }
}
