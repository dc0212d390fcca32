//! Archives that try to write outside their root, or to exhaust the engine: refused, nothing left.

use hawser_testkit::{ArchiveEntry as Entry, EngineKind, ImageArchive, TestHost, layer_tar};
use serde_json::json;

/// Loads `archive`; gives what the engine said, and whether it took it.
fn load(host: &TestHost, archive: &[u8]) -> (bool, String) {
    let headers = [("Content-Type", "application/x-tar")];
    let answer = host.http().request("POST", "/images/load?quiet=1", &headers, archive);
    let text = answer.text();
    (answer.status == 200 && !text.contains("errorDetail"), text)
}

/// The image list, and every file outside the data root that an attack could have made.
fn nothing_happened(host: &TestHost, victim: &str) {
    assert_eq!(host.http().get("/images/json").json(), json!([]));
    assert!(!std::path::Path::new(victim).exists(), "{victim} was written");
    assert!(!host.path(victim).exists(), "{victim} was written");
}

fn image(entries: &[Entry]) -> ImageArchive {
    ImageArchive::new("evil:1", vec![layer_tar(entries)], json!({}))
}

#[test]
fn layers_stay_in_their_root() {
    let host = TestHost::new();
    host.start_daemon(&[]);
    let before = host.inventory();
    let attacks: [(&str, &str, &[Entry]); 5] = [
        ("..", "/var/lib/evil1", &[Entry::File("../../../../../../var/lib/evil1", 0o644, "x")]),
        (
            "a symbolic link, then through it",
            "/var/lib/evil2",
            &[Entry::Symlink("out", "/var/lib"), Entry::File("out/evil2", 0o644, "x")],
        ),
        (
            "a relative symbolic link, then through it",
            "/var/lib/evil3",
            &[
                Entry::Symlink("out", "../../../../../../../../var/lib"),
                Entry::File("out/evil3", 0o644, "x"),
            ],
        ),
        (
            "a hard link out",
            "/var/lib/evil4",
            &[Entry::Hardlink("passwd", "../../../../../../../etc/passwd")],
        ),
        (
            "a hard link through a symbolic link",
            "/var/lib/evil5",
            &[Entry::Symlink("etc", "/etc"), Entry::Hardlink("mine", "etc/passwd")],
        ),
    ];
    let passwd = std::fs::read("/etc/passwd").unwrap();
    for (what, victim, entries) in attacks {
        let archive = image(entries);
        for bytes in [archive.docker(), archive.oci()] {
            let (taken, said) = load(&host, &bytes);
            // A path that is only *read* as inside (an absolute link, resolved in the root) may be
            // taken, as Docker does; written outside it must never be.
            if taken {
                host.http().delete("/images/evil:1?force=1");
            }
            assert!(
                host.engine() == EngineKind::Docker || !taken || !what.starts_with(".."),
                "{said}"
            );
            nothing_happened(&host, victim);
        }
    }
    assert_eq!(std::fs::read("/etc/passwd").unwrap(), passwd);
    before.assert_restored(&host);
}

#[test]
fn what_is_named_outside_is_refused() {
    let host = TestHost::new();
    host.start_daemon(&[]);
    if host.engine() == EngineKind::Docker {
        // dockerd 20.10 takes links that lead out into the layer, and resolves them in its root
        // later; hawser refuses the layer.
        return;
    }
    for entries in [
        &[Entry::File("../x", 0o644, "x")][..],
        &[Entry::Hardlink("passwd", "../../../etc/passwd")],
        &[Entry::Hardlink("passwd", "/etc/passwd")],
    ] {
        let (taken, said) = load(&host, &image(entries).docker());
        assert!(!taken, "{entries:?}: {said}");
        nothing_happened(&host, "/var/lib/x");
    }
}

#[test]
fn content_that_is_not_what_it_says_is_refused() {
    let host = TestHost::new();
    host.start_daemon(&[]);
    let before = host.inventory();
    let other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let lying = image(&[Entry::File("a", 0o644, "x")]).with_diff_ids(&[other]);
    let (taken, said) = load(&host, &lying.docker());
    assert!(!taken, "{said}");
    let lying = image(&[Entry::File("a", 0o644, "x")]).with_diff_ids(&[]);
    let (taken, said) = load(&host, &lying.docker());
    assert!(!taken, "{said}");
    let whole = image(&[Entry::File("a", 0o644, "x")]).docker();
    let cut = &whole[..whole.len() / 2];
    let (taken, said) = load(&host, cut);
    assert!(!taken, "{said}");
    let (taken, said) = load(&host, b"this is no archive at all, not even a bit of one");
    assert!(!taken, "{said}");
    nothing_happened(&host, "/var/lib/a");
    before.assert_restored(&host);
}
