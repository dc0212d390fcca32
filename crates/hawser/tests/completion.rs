//! Completion in a shell: bash is asked what it would offer; the scripts for other shells, which may
//! not be installed, are looked through.

#![expect(clippy::unwrap_used, reason = "all of it is tests")]

use std::process::Command;

/// What bash offers for the last of `words`.
fn offered(words: &[&str]) -> Vec<String> {
    let script = format!(
        "source <({ours} completion bash); COMP_WORDS=({line}); COMP_CWORD={last}; \
         _hawser hawser '{current}' '{previous}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        ours = env!("CARGO_BIN_EXE_hawser"),
        line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        last = words.len() - 1,
        current = words[words.len() - 1],
        previous = words[words.len() - 2],
    );
    let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    text(output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_commands() {
    assert_eq!(offered(&["hawser", "netw"]), ["network"]);
    assert_eq!(offered(&["hawser", "exp"]), ["explain"]);
    for verb in [
        "connect",
        "create",
        "disconnect",
        "inspect",
        "list",
        "ls",
        "prune",
        "remove",
        "rename",
        "rm",
        "update",
    ] {
        let verbs = offered(&["hawser", "network", verb]);
        assert!(verbs.contains(&verb.to_owned()), "{verb}: {verbs:?}");
    }
}

#[test]
fn bash_offers_flags() {
    for (words, flag) in [
        (&["hawser", "network", "create", "--dry"][..], "--dry-run"),
        (&["hawser", "network", "create", "--ip-r"], "--ip-range"),
        (&["hawser", "network", "update", "--lab"], "--label-rm"),
        (&["hawser", "network", "connect", "--gw"], "--gw-priority"),
        (&["hawser", "run", "--network-a"], "--network-alias"),
        (&["hawser", "container", "run", "--dry"], "--dry-run"),
    ] {
        let flags = offered(words);
        assert!(flags.contains(&flag.to_owned()), "{words:?}: {flags:?}");
    }
}

#[test]
fn other_shells_know_the_same() {
    for shell in ["zsh", "fish"] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_hawser")).args(["completion", shell]).output();
        let script = String::from_utf8(output.unwrap().stdout).unwrap();
        for word in ["explain", "rename", "update", "label-rm", "dry-run", "gw-priority"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
