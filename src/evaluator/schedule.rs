//! When which rules are due: those of one interval together, on multiples of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::scheduler::Cadence;

/// When the rules of each interval are due next, in time since the start.
#[derive(Debug, Default)]
pub(super) struct Schedule(BTreeMap<Duration, Duration>);

/// What is due now.
#[derive(Debug, PartialEq)]
pub(super) struct Due {
    pub(super) intervals: BTreeSet<Duration>,
    /// Times that have passed, and were not used.
    pub(super) skipped: u64,
    /// When something is due next.
    pub(super) next: Option<Duration>,
}

impl Schedule {
    /// What of these intervals is due, which counts as done.
    pub(super) fn take_due(
        &mut self,
        intervals: impl Iterator<Item = Duration>,
        now: Duration,
    ) -> Due {
        let known: BTreeSet<Duration> = intervals.collect();
        self.0.retain(|interval, _| known.contains(interval));
        let mut due = Due { intervals: BTreeSet::new(), skipped: 0, next: None };
        for interval in known {
            let after = Cadence::new(interval).after(now);
            let next = self.0.entry(interval).or_insert(after);
            if *next <= now {
                due.skipped += (now - *next).div_duration_f64(interval) as u64;
                due.intervals.insert(interval);
                *next = after;
            }
            due.next = Some(due.next.map_or(*next, |first| first.min(*next)));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_due_on_multiples_of_their_interval_and_what_is_missed_is_counted() {
        let mut schedule = Schedule::default();
        let secs = Duration::from_secs;
        let mut check = |now: u64, due: &[u64], skipped: u64, next: u64| {
            let found = schedule.take_due([secs(10), secs(15)].into_iter(), secs(now));
            let intervals = due.iter().map(|seconds| secs(*seconds)).collect();
            assert_eq!(found, Due { intervals, skipped, next: Some(secs(next)) }, "at {now}");
        };
        check(3, &[], 0, 10);
        check(10, &[10], 0, 15);
        check(15, &[15], 0, 20);
        check(16, &[], 0, 20);
        check(47, &[10, 15], 3, 50);
    }
}
