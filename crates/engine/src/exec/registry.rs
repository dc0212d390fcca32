//! The execs that are known.
//!
//! Bounded per container: of those that have ended only the youngest are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hawser_runtime::Execed;

use crate::error::{Error, Result};
use crate::record::ContainerId;
use crate::spec::ExecConfig;

/// How many execs of one container that have ended, or were never started, are kept.
const KEPT: usize = 256;
/// When one that was made and not started counts as forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// All execs.
#[derive(Default)]
pub struct Execs {
    by_id: Mutex<HashMap<String, Arc<Exec>>>,
}

/// One exec.
pub(super) struct Exec {
    pub(super) id: String,
    pub(super) container: ContainerId,
    pub(super) config: ExecConfig,
    created: Instant,
    stage: Mutex<Stage>,
}

/// How far it has come.
#[derive(Clone)]
pub(super) enum Stage {
    Created,
    Starting,
    Started(Execed),
    /// It could not be started; the code says why.
    Failed(i32),
}

impl Exec {
    pub(super) fn new(container: ContainerId, config: ExecConfig) -> Self {
        let id = ContainerId::random().to_string();
        Self { id, container, config, created: Instant::now(), stage: Mutex::new(Stage::Created) }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage_lock().clone()
    }

    pub(super) fn set_stage(&self, stage: Stage) {
        *self.stage_lock() = stage;
    }

    /// Takes it for the one start it can have.
    pub(super) fn begin(&self) -> Result<()> {
        let mut stage = self.stage_lock();
        let what = match &*stage {
            Stage::Created => {
                *stage = Stage::Starting;
                return Ok(());
            }
            Stage::Starting => "is already running",
            Stage::Started(exec) if exec.exit_code().is_none() => "is already running",
            Stage::Started(_) | Stage::Failed(_) => "has already run",
        };
        Err(Error::conflict(format!("exec command {} {what}", self.id)))
    }

    pub(super) fn exit_code(&self) -> Option<i32> {
        match &*self.stage_lock() {
            Stage::Created | Stage::Starting => None,
            Stage::Started(exec) => exec.exit_code(),
            Stage::Failed(code) => Some(*code),
        }
    }

    /// Whether nothing more comes of it.
    fn is_over(&self) -> bool {
        let forgotten = || self.created.elapsed() > FORGOTTEN;
        self.exit_code().is_some() || matches!(self.stage(), Stage::Created) && forgotten()
    }

    fn stage_lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Execs {
    pub(super) fn add(&self, exec: Exec) -> Arc<Exec> {
        let exec = Arc::new(exec);
        let mut all = self.lock();
        let of_container = all.values().filter(|other| other.container == exec.container);
        let mut ended: Vec<_> = of_container
            .filter(|other| other.is_over())
            .map(|other| (other.created, other.id.clone()))
            .collect();
        ended.sort();
        for (_, id) in ended.iter().take(ended.len().saturating_sub(KEPT)) {
            all.remove(id);
        }
        all.insert(exec.id.clone(), Arc::clone(&exec));
        exec
    }

    pub(super) fn find(&self, id: &str) -> Result<Arc<Exec>> {
        let found = self.lock().get(id).cloned();
        found.ok_or_else(|| Error::not_found(format!("No such exec instance: {id}")))
    }

    /// Ids of a container's execs that have not ended.
    pub(crate) fn running_in(&self, container: &ContainerId) -> Vec<String> {
        let all = self.lock();
        let of_container = all.values().filter(|exec| exec.container == *container);
        of_container.filter(|exec| exec.exit_code().is_none()).map(|exec| exec.id.clone()).collect()
    }

    /// A container is gone.
    pub(crate) fn forget_container(&self, container: &ContainerId) {
        self.lock().retain(|_, exec| exec.container != *container);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Exec>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exec_starts_once() {
        let execs = Execs::default();
        let container = ContainerId::random();
        let exec = execs.add(Exec::new(container.clone(), ExecConfig::default()));
        assert_eq!(execs.running_in(&container), std::slice::from_ref(&exec.id));
        exec.begin().unwrap();
        assert!(exec.begin().unwrap_err().to_string().ends_with("is already running"));
        exec.set_stage(Stage::Failed(127));
        assert!(exec.begin().unwrap_err().to_string().ends_with("has already run"));
        assert!(execs.running_in(&container).is_empty());
    }

    #[test]
    fn ended_ones_are_bounded_and_go_with_the_container() {
        let execs = Execs::default();
        let container = ContainerId::random();
        for _ in 0..KEPT + 20 {
            let exec = execs.add(Exec::new(container.clone(), ExecConfig::default()));
            exec.set_stage(Stage::Failed(1));
        }
        assert!(execs.lock().len() <= KEPT + 2);
        execs.forget_container(&container);
        assert!(execs.lock().is_empty());
        assert!(execs.find("x").is_err_and(|e| e.to_string() == "No such exec instance: x"));
    }
}
