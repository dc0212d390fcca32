//! What one source file must keep to: lengths, module documentation, banned words, `unsafe`.

use std::path::Path;

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::Finding;

const FUNCTION_LINES: usize = 80;
const FILE_LINES: usize = 500;
const NAMELESS: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];
/// Where `unsafe` may stand, and why: kernel structures and file descriptors across threads.
const UNSAFE_ROOMS: &[&str] = &["crates/kernel/src/", "crates/runtime/src/raw.rs"];
const PURE_ROOMS: &[&str] = &["crates/model/src/", "crates/hoststate/src/", "crates/plan/src/"];
const IMPURE: &[&str] =
    &["std::fs", "std::env", "std::process", "std::thread", "std::time", "SystemTime"];

/// Adds the findings of one file.
pub fn check(root: &Path, file: &Path, findings: &mut Vec<Finding>) -> Result<()> {
    let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("read {name}"))?;
    let syntax = syn::parse_file(&text).with_context(|| format!("parse {name}"))?;
    let mut report = |line: usize, what: String| {
        findings.push(Finding { place: format!("{name}:{line}"), what });
    };
    if !syntax.attrs.iter().any(|a| a.path().is_ident("doc")) {
        report(
            1,
            "module without `//!`: say what it is, what goes in and out, what it is not".into(),
        );
    }
    let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if NAMELESS.contains(&stem) {
        report(1, format!("a module named {stem} says nothing: name it after its purpose"));
    }
    let production = production_lines(&text, &syntax);
    if !name.contains("/tests/") && production > FILE_LINES {
        report(
            1,
            format!("{production} lines without tests, {FILE_LINES} at most: split it by purpose"),
        );
    }
    words(&name, &text, production, &mut report);
    let mut long = Functions::default();
    long.visit_file(&syntax);
    for (line, function, lines) in long.too_long {
        report(line, format!("function {function} has {lines} lines, {FUNCTION_LINES} at most"));
    }
    let safe = !UNSAFE_ROOMS.iter().any(|room| name.starts_with(room));
    if safe && let Some(line) = long.unsafe_line {
        report(line, format!("unsafe outside {UNSAFE_ROOMS:?}"));
    }
    Ok(())
}

fn words(name: &str, text: &str, production: usize, report: &mut impl FnMut(usize, String)) {
    if name.starts_with("xtask/") {
        return; // the rules name the words that they ban
    }
    let pure = PURE_ROOMS.iter().any(|room| name.starts_with(room));
    for (index, line) in text.lines().enumerate() {
        for word in ["TODO", "FIXME", "XXX", "#[allow(", "#![allow("] {
            if line.contains(word) {
                report(
                    index + 1,
                    format!(
                        "`{word}`: do it now, or write an issue; lints are `expect`ed with a reason"
                    ),
                );
            }
        }
        if pure && index < production && IMPURE.iter().any(|w| line.contains(w)) {
            report(index + 1, "a pure crate does no I/O and knows no clock or environment".into());
        }
    }
}

/// Lines before the test module.
fn production_lines(text: &str, syntax: &syn::File) -> usize {
    let is_test = |attrs: &[syn::Attribute]| {
        attrs.iter().any(|a| {
            a.path().is_ident("cfg")
                && a.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
        })
    };
    let tests = syntax.items.iter().find_map(|item| match item {
        syn::Item::Mod(m) if is_test(&m.attrs) => Some(m.span().start().line),
        _ => None,
    });
    tests.map_or_else(|| text.lines().count(), |line| line - 1)
}

#[derive(Default)]
struct Functions {
    too_long: Vec<(usize, String, usize)>,
    unsafe_line: Option<usize>,
}

impl Functions {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let span = block.span();
        let lines = span.end().line - span.start().line + 1;
        if lines > FUNCTION_LINES {
            self.too_long.push((span.start().line, name.to_string(), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        self.measure(&f.sig.ident, &f.block);
        visit::visit_item_fn(self, f);
    }

    fn visit_impl_item_fn(&mut self, f: &'ast syn::ImplItemFn) {
        self.measure(&f.sig.ident, &f.block);
        visit::visit_impl_item_fn(self, f);
    }

    fn visit_expr_unsafe(&mut self, e: &'ast syn::ExprUnsafe) {
        self.unsafe_line.get_or_insert(e.span().start().line);
        visit::visit_expr_unsafe(self, e);
    }
}
