//! How an upstream has been: how long it takes, and whether it answers at all.
//!
//! In: what came of asking it, and when. Out: how long to wait before another is asked as well,
//! and whether it is asked in its turn. No clock is read here.

use std::time::{Duration, Instant};

/// Another is not asked before, however quick an upstream is: a name that it must look up itself
/// takes longer than one that it knows.
const LEAST_DELAY: Duration = Duration::from_millis(100);
/// Another is asked then, however slow it is.
const MOST_DELAY: Duration = Duration::from_millis(800);
/// As long as nothing is known.
const FIRST_DELAY: Duration = Duration::from_millis(300);
/// So many silences, one after the other, and it is asked last for a while.
const SILENCES: u32 = 3;
/// For how long at first; each further silence doubles it.
const FIRST_REST: Duration = Duration::from_secs(1);
/// For how long at most.
const MOST_REST: Duration = Duration::from_secs(32);

/// What is known of an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// The time that it takes, and how much that varies (as in RFC 6298).
    estimate: Option<(Duration, Duration)>,
    silences: u32,
    rests_until: Option<Instant>,
}

impl Health {
    /// It has answered well.
    pub(crate) fn answered(&mut self, took: Duration) {
        self.estimate = Some(match self.estimate {
            None => (took, took / 2),
            Some((mean, varies)) => ((mean * 7 + took) / 8, (varies * 3 + mean.abs_diff(took)) / 4),
        });
        self.spoke();
    }

    /// It has said something. How long it took to fail tells nothing about the next question.
    pub(crate) fn spoke(&mut self) {
        self.silences = 0;
        self.rests_until = None;
    }

    /// It has not answered in time, or nobody was there.
    pub(crate) fn silent(&mut self, now: Instant) {
        self.silences = self.silences.saturating_add(1);
        if let Some(further) = self.silences.checked_sub(SILENCES) {
            let rest = FIRST_REST.saturating_mul(1 << further.min(5)).min(MOST_REST);
            self.rests_until = Some(now + rest);
        }
    }

    /// Whether it is asked in its turn.
    pub(crate) fn is_well(&self, now: Instant) -> bool {
        self.rests_until.is_none_or(|until| until <= now)
    }

    /// How long it takes; none if it has never answered.
    pub(crate) fn latency(&self) -> Option<Duration> {
        self.estimate.map(|(mean, _)| mean)
    }

    /// How long to wait for it before another is asked as well.
    pub(crate) fn delay(&self) -> Duration {
        let usual = |(mean, varies): (Duration, Duration)| mean + 4 * varies;
        self.estimate.map_or(FIRST_DELAY, usual).clamp(LEAST_DELAY, MOST_DELAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_delay_follows_the_latency_within_bounds() {
        let mut health = Health::default();
        assert_eq!((health.delay(), health.latency()), (ms(300), None));
        for _ in 0..50 {
            health.answered(ms(2));
        }
        assert_eq!((health.delay(), health.latency()), (ms(100), Some(ms(2))));
        for _ in 0..50 {
            health.answered(ms(200));
        }
        assert!(health.delay() >= ms(200) && health.delay() < ms(300), "{:?}", health.delay());
        health.answered(ms(4000));
        assert_eq!(health.delay(), ms(800));
    }

    #[test]
    fn who_is_silent_rests_longer_and_longer() {
        let mut health = Health::default();
        let now = Instant::now();
        health.silent(now);
        health.silent(now);
        assert!(health.is_well(now));
        for rest in [1, 2, 4, 8, 16, 32, 32] {
            health.silent(now);
            assert!(!health.is_well(now + ms(1000 * rest - 1)));
            assert!(health.is_well(now + ms(1000 * rest)));
        }
        health.answered(ms(1));
        assert!(health.is_well(now));
        health.silent(now);
        assert!(health.is_well(now), "from the beginning");
    }
}
