//! Compiled system-call filters, kept so that a container's start does not wait for the compiler.
//!
//! In: a filter as the OCI configuration has it. Out: the same as the kernel takes it, from an earlier container's
//! state. Compiling takes `libseccomp` 15 ms, more than all the rest of a container's creation; `crun` takes the
//! result in an annotation instead. Other OCI runtimes compile each time. It compiles nothing itself.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oci_spec::runtime::Spec;

/// Filters by their source text.
#[derive(Debug, Default)]
pub(crate) struct Filters(Mutex<HashMap<String, Arc<str>>>);

/// `crun` ignores the source when this is there.
const ANNOTATION: &str = "run.oci.seccomp_bpf_data";
/// Filters that are kept; there is one for each set of capabilities in use.
const MOST: usize = 64;
/// The kernel takes 4096 instructions of 8 bytes.
const LONGEST: usize = 32 << 10;

impl Filters {
    /// Adds the compiled filter to the configuration if it is known; else gives its source, by which
    /// [`Self::learn`] is to keep it when the container exists.
    pub(crate) fn apply(&self, program: &Path, spec: &mut Spec) -> Option<String> {
        if program.file_name().is_none_or(|name| name != "crun") {
            return None;
        }
        let source = serde_json::to_string(spec.linux().as_ref()?.seccomp().as_ref()?).ok()?;
        let known = self.lock().get(&source).cloned();
        let Some(data) = known else { return Some(source) };
        let annotations = spec.annotations_mut().get_or_insert_default();
        annotations.insert(ANNOTATION.to_owned(), data.to_string());
        None
    }

    /// Keeps the filter that the OCI runtime compiled; `state` is the container's folder of its state.
    pub(crate) fn learn(&self, source: String, state: &Path) {
        let compiled = match std::fs::read(state.join("seccomp.bpf")) {
            Ok(compiled) if !compiled.is_empty() && compiled.len() <= LONGEST => compiled,
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(%error, "no compiled system-call filter");
                return;
            }
        };
        let mut filters = self.lock();
        if filters.len() >= MOST {
            filters.clear();
        }
        filters.insert(source, STANDARD.encode(compiled).into());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
