//! What is fuzzed (`fuzz/`), over the corpus that is kept there and over packets of other tests.

use std::path::Path;

use super::*;
use crate::fuzzing;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
    {
        body(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 5, "{count} files in {}", folder.display());
}

#[test]
fn packets() {
    replay("packet", fuzzing::packet);
}

#[test]
fn frames() {
    replay("frames", fuzzing::frames);
}

#[test]
fn responses() {
    replay("response", fuzzing::response);
}

/// Good packets with a few bytes changed: a fuzzer for those who have none.
#[test]
fn near_misses() {
    let names = ["c1.net", "many", "link", "2.0.0.10.in-addr.arpa", "x.net", "a.example", "."];
    for _ in 0..20_000 {
        let name = names[rand::random_range(0..names.len())];
        let kind = [RecordType::A, RecordType::ANY, RecordType::PTR][rand::random_range(0..3)];
        let mut bytes = with_edns(question(name, kind), 4096).to_vec().unwrap();
        for _ in 0..rand::random_range(0..4) {
            let at = rand::random_range(0..bytes.len());
            bytes[at] = rand::random();
        }
        bytes.truncate(rand::random_range(0..=2 * bytes.len()));
        fuzzing::packet(&bytes);
        fuzzing::frames(&bytes);
        fuzzing::response(&bytes);
    }
}
