//! `cargo xtask tidy`: checks what the compiler can't: which crate may use which, how long
//! functions and files are, that every module says what it is, and that banned words stay out.
//!
//! In: the checkout. Out: one line per finding and exit code 1, or a line that says all is well.

mod arrows;
mod sources;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

/// Something that breaks a rule of the house.
pub struct Finding {
    /// File, relative to the root, and line if there is one.
    pub place: String,
    /// The rule, why it is there, and what to do.
    pub what: String,
}

fn main() -> Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy(),
        _ => bail!("usage: cargo xtask tidy"),
    }
}

fn tidy() -> Result<ExitCode> {
    let root = root()?;
    let mut findings = arrows::check(&root)?;
    let files = rust_files(&root)?;
    for file in &files {
        sources::check(&root, file, &mut findings)?;
    }
    for f in &findings {
        println!("{}: {}", f.place, f.what);
    }
    if findings.is_empty() {
        println!("tidy: {} files, all well", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} findings", findings.len());
    Ok(ExitCode::FAILURE)
}

fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask lies in the workspace")?.to_owned())
}

fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![root.join("crates"), root.join("xtask"), root.join("benches")];
    open.extend([root.join("tests"), root.join("fuzz")]);
    while let Some(dir) = open.pop() {
        if !dir.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
