//! How fast a task goes on: the rate of its progress, smoothed.

/// What is longer ago than this many seconds says little of the rate.
const MEMORY_SECONDS: f64 = 30.0;
/// Less than this many seconds of work says nothing of it.
const LEAST_SECONDS: f64 = 1.0;

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Position {
    /// Pieces done.
    Count(f64),
    Percent(f64),
}

impl Position {
    /// How much further it is than `before`, if the two can be compared.
    fn since(self, before: Self) -> Option<f64> {
        let gone = match (before, self) {
            (Self::Count(before), Self::Count(now)) => now - before,
            (Self::Percent(before), Self::Percent(now)) => now - before,
            _ => return None,
        };
        (gone >= 0.0).then_some(gone)
    }
}

/// What is known of the pace of a task: progress and time, of which the past weighs the less the
/// longer ago it is. Their quotient is the rate, however regular the reports are.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    last: Option<(Position, f64)>,
    gone: f64,
    seconds: f64,
}

impl Pace {
    /// That of a task which went on at this rate before a restart. What it did meanwhile is not known.
    pub fn resumed(rate: Option<f64>) -> Self {
        let rate = rate.filter(|rate| rate.is_finite() && *rate >= 0.0);
        rate.map_or_else(Self::default, |rate| Self {
            last: None,
            gone: rate * MEMORY_SECONDS,
            seconds: MEMORY_SECONDS,
        })
    }

    /// It was there at this time, in seconds by the monotonic clock.
    pub(super) fn observe(&mut self, position: Position, at: f64) {
        if let Some((before, then)) = self.last {
            match position.since(before) {
                // Two reports of one instant: the next one tells of both.
                Some(_) if at <= then => return,
                Some(gone) => {
                    let kept = (-(at - then) / MEMORY_SECONDS).exp();
                    self.gone = self.gone * kept + gone;
                    self.seconds = self.seconds * kept + (at - then);
                }
                // It begins anew, or counts something else.
                None => *self = Self::default(),
            }
        }
        self.last = Some((position, at));
    }

    /// Pieces, or percent, a second; `None` while too little is known.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.seconds >= LEAST_SECONDS).then(|| self.gone / self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::Position::{Count, Percent};
    use super::*;

    fn rate(reports: &[(Position, f64)]) -> Option<f64> {
        let mut pace = Pace::default();
        reports.iter().for_each(|(position, at)| pace.observe(*position, *at));
        pace.rate().map(|rate| (rate * 1_000.0).round() / 1_000.0)
    }

    #[test]
    fn a_steady_task_has_its_rate_however_often_it_reports() {
        assert_eq!(rate(&[]), None);
        assert_eq!(rate(&[(Count(0.0), 0.0)]), None);
        assert_eq!(rate(&[(Count(0.0), 0.0), (Count(5.0), 0.5)]), None, "too little is known");
        assert_eq!(rate(&[(Count(0.0), 0.0), (Count(5.0), 2.0)]), Some(2.5));
        let often: Vec<_> =
            (0..1_000).map(|n| (Percent(f64::from(n) / 10.0), f64::from(n))).collect();
        assert_eq!(rate(&often), Some(0.1));
        let uneven = [0.0, 1.0, 1.25, 40.0, 41.0, 300.0].map(|at| (Count(at * 3.0), at));
        assert_eq!(rate(&uneven), Some(3.0));
        let bursts =
            [(Count(0.0), 0.0), (Count(1.0), 10.0), (Count(20.0), 10.0), (Count(30.0), 20.0)];
        assert_eq!(rate(&bursts), Some(1.731), "what came at one instant is not lost");
    }

    #[test]
    fn the_past_fades_and_a_new_beginning_is_one() {
        let slower = [(Count(0.0), 0.0), (Count(1000.0), 10.0), (Count(1010.0), 300.0)];
        assert_eq!(rate(&slower), Some(0.035));
        let again =
            [(Count(0.0), 0.0), (Count(50.0), 10.0), (Count(0.0), 11.0), (Count(4.0), 13.0)];
        assert_eq!(rate(&again), Some(2.0));
        let other = [(Percent(0.0), 0.0), (Percent(50.0), 10.0), (Count(7.0), 11.0)];
        assert_eq!(rate(&other), None);
    }

    #[test]
    fn a_restart_keeps_the_rate_and_counts_nothing_of_the_time_between() {
        let mut pace = Pace::resumed(Some(4.0));
        assert_eq!(pace.rate(), Some(4.0));
        pace.observe(Count(900.0), 0.1);
        assert_eq!(pace.rate(), Some(4.0));
        pace.observe(Count(940.0), 10.1);
        assert_eq!(pace.rate(), Some(4.0));
        assert_eq!(Pace::resumed(None).rate(), None);
        assert_eq!(Pace::resumed(Some(f64::NAN)).rate(), None);
    }
}
