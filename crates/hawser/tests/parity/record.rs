//! The record of what docker's client makes of command lines: a file of `seen/`.

use std::fs;
use std::path::PathBuf;

use crate::client::Client;

/// A record.
pub struct Record {
    path: PathBuf,
    version: String,
    entries: Vec<(String, String)>,
}

impl Record {
    /// The record called `name`.
    pub fn read(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/parity/seen")
            .join(name)
            .with_extension("txt");
        let text = fs::read_to_string(&path).unwrap();
        let (version, rest) = text.split_once("\n\n$ ").unwrap();
        let entry = |entry: &str| {
            let (line, seen) = entry.split_once('\n').unwrap_or((entry, ""));
            (line.to_owned(), seen.trim_end_matches('\n').to_owned())
        };
        let entries = rest.split("\n\n$ ").map(entry).collect();
        Self { path, version: version.to_owned(), entries }
    }

    /// Whether the record was made by a client of that version, its last number aside.
    pub fn is_from(&self, version: &str) -> bool {
        let series = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
        series(&self.version) == series(version)
    }

    /// Fails with all that `client` does otherwise.
    pub fn hold(&self, client: &Client) {
        let differs = |(line, seen): &(String, String)| {
            let now = client.run(line);
            (now != *seen).then(|| format!("$ {line}\n--- recorded\n{seen}\n--- now\n{now}\n"))
        };
        let different: Vec<String> = self.entries.iter().filter_map(differs).collect();
        let (count, all) = (different.len(), self.entries.len());
        assert!(different.is_empty(), "{}\n{count} of {all} differ", different.join("\n"));
    }

    /// Writes down what `docker` does.
    pub fn renew(&mut self, docker: &Client) {
        let mut text = format!("{}\n", docker.version());
        for (line, _) in &self.entries {
            text.push_str(&format!("\n$ {line}\n{}\n", docker.run(line)));
        }
        fs::write(&self.path, text).unwrap();
    }
}
