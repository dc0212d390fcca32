//! How many files the daemon may have open.
//!
//! In: the limits that it was started with. Out: the soft one raised as far as the hard one allows:
//! a shell's 1024 would be used up by a thousand silent clients, or by some hundred containers with
//! their handles, names and ports. It changes no other limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More is never needed, and would make programs slow that close all they might have inherited.
const ENOUGH: u64 = 1 << 20;

/// Raises the limit; where that is refused, the daemon works with what there is.
pub fn raise_open_files() {
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(ENOUGH, |hard| hard.min(ENOUGH));
    if now.current.is_none_or(|soft| soft >= wanted) {
        return;
    }
    let raised = Rlimit { current: Some(wanted), maximum: now.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum }).unwrap();
        raise_open_files();
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, maximum);
        assert_eq!(after.current, Some(maximum.map_or(ENOUGH, |hard| hard.min(ENOUGH))));
    }
}
