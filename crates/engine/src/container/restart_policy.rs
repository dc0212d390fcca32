//! When a container that ended is started again, and after how long: pure rules.

use std::time::Duration;

use crate::record::Container;

/// The first wait, and the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);
/// A run that was longer than this starts the waits anew.
const LONG_RUN: Duration = Duration::from_secs(10);

/// Whether the policy starts it again after this end.
pub(super) fn wants_restart(record: &Container) -> bool {
    if record.state.stopped_by_user {
        return false;
    }
    let policy = &record.host_config.restart_policy;
    match policy.name.as_str() {
        "always" | "unless-stopped" => true,
        "on-failure" => {
            let most = policy.maximum_retry_count;
            record.state.exit_code != 0 && (most == 0 || i64::from(record.restart_count) < most)
        }
        _ => false,
    }
}

/// Whether the policy starts it when the daemon starts, having not run before.
pub(super) fn wants_start_with_daemon(record: &Container) -> bool {
    match record.host_config.restart_policy.name.as_str() {
        _ if record.state.started_at.is_none() => false,
        "always" => true,
        "unless-stopped" => !record.state.stopped_by_user,
        _ => false,
    }
}

/// How long to wait before the restart: doubled each time, from the start after a long run.
pub(super) fn next_wait(last: Option<Duration>, run: Duration) -> Duration {
    match last {
        Some(last) if run < LONG_RUN => (last * 2).min(LONGEST),
        _ => FIRST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;

    fn with(policy: &str, most: i64, exit_code: i32, count: u32) -> Container {
        let mut record = record("c");
        record.host_config.restart_policy.name = policy.to_owned();
        record.host_config.restart_policy.maximum_retry_count = most;
        record.state.exit_code = exit_code;
        record.restart_count = count;
        record
    }

    #[test]
    fn policies() {
        assert!(!wants_restart(&with("", 0, 1, 0)));
        assert!(!wants_restart(&with("no", 0, 1, 0)));
        assert!(wants_restart(&with("always", 0, 0, 9)));
        assert!(wants_restart(&with("on-failure", 0, 1, 99)));
        assert!(wants_restart(&with("on-failure", 3, 1, 2)));
        assert!(!wants_restart(&with("on-failure", 3, 1, 3)));
        assert!(!wants_restart(&with("on-failure", 0, 0, 0)));
        let mut stopped = with("always", 0, 1, 0);
        stopped.state.stopped_by_user = true;
        assert!(!wants_restart(&stopped));
    }

    #[test]
    fn only_what_ran_starts_with_the_daemon() {
        let mut always = with("always", 0, 0, 0);
        assert!(!wants_start_with_daemon(&always));
        always.state.started_at = Some(chrono::Utc::now());
        always.state.stopped_by_user = true;
        assert!(wants_start_with_daemon(&always));
        always.host_config.restart_policy.name = "unless-stopped".to_owned();
        assert!(!wants_start_with_daemon(&always));
    }

    #[test]
    fn waits_grow_and_start_anew() {
        let short = Duration::from_secs(1);
        assert_eq!(next_wait(None, short), FIRST);
        assert_eq!(next_wait(Some(FIRST), short), FIRST * 2);
        assert_eq!(next_wait(Some(LONGEST), short), LONGEST);
        assert_eq!(next_wait(Some(LONGEST), LONG_RUN), FIRST);
    }
}
