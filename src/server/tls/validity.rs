//! When a certificate is valid, and when somebody should be told that it soon is not. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Nobody needs longer to renew one.
const SOON_MAX: Duration = Duration::from_secs(14 * 86_400);
/// Of a lifetime; certificates of a week are renewed when a third of it is left.
const SOON_SHARE: u32 = 5;

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// What clients will make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Valid,
    /// It is valid for no longer than that.
    EndsIn(Duration),
    /// Either it was made for later, or the clock of this machine is wrong.
    NotYet,
    Expired,
}

impl Validity {
    /// How it stands at `now`.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if now > self.not_after {
            return Standing::Expired;
        }
        if now < self.not_before {
            return Standing::NotYet;
        }
        let span = |from: Timestamp, to: Timestamp| to.duration_since(from).unsigned_abs();
        let lifetime = span(self.not_before, self.not_after);
        let left = span(now, self.not_after);
        if left < SOON_MAX.min(lifetime / SOON_SHARE) {
            return Standing::EndsIn(left);
        }
        Standing::Valid
    }

    /// What is to be said about it at `now`, if anything is.
    pub fn concern(&self, now: Timestamp) -> Option<String> {
        let Self { not_before, not_after } = self;
        match self.standing(now) {
            Standing::Valid => None,
            Standing::EndsIn(left) => {
                let days = left.as_secs() / 86_400;
                let noun = if days == 1 { "day" } else { "days" };
                Some(format!("the TLS certificate expires in {days} {noun}, {not_after}"))
            }
            Standing::NotYet => {
                Some(format!("the TLS certificate is not valid before {not_before}"))
            }
            Standing::Expired => Some(format!("the TLS certificate expired {not_after}")),
        }
    }
}

/// A time of a certificate; one beyond all calendars is their end.
pub(super) fn timestamp(since_1970: Duration) -> Timestamp {
    let since = SignedDuration::try_from(since_1970).unwrap_or(SignedDuration::MAX);
    Timestamp::from_duration(since).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_told_in_time() {
        let at = |text: &str| text.parse::<Timestamp>().expect(text);
        let check = |validity: [&str; 2], now: &str, expected: &str| {
            let [not_before, not_after] = validity.map(at);
            let concern = Validity { not_before, not_after }.concern(at(now));
            assert_eq!(concern.as_deref().unwrap_or_default(), expected);
        };
        let quarter = ["2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"];
        check(
            quarter,
            "2025-12-31T23:59:59Z",
            "the TLS certificate is not valid before 2026-01-01T00:00:00Z",
        );
        check(quarter, "2026-01-01T00:00:00Z", "");
        check(quarter, "2026-03-18T00:00:00Z", "");
        check(
            quarter,
            "2026-03-18T00:00:01Z",
            "the TLS certificate expires in 13 days, 2026-04-01T00:00:00Z",
        );
        check(
            quarter,
            "2026-03-30T12:00:00Z",
            "the TLS certificate expires in 1 day, 2026-04-01T00:00:00Z",
        );
        check(
            quarter,
            "2026-04-01T00:00:00Z",
            "the TLS certificate expires in 0 days, 2026-04-01T00:00:00Z",
        );
        check(quarter, "2026-04-01T00:00:01Z", "the TLS certificate expired 2026-04-01T00:00:00Z");
        let week = ["2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"];
        check(week, "2026-01-06T00:00:00Z", "");
        check(
            week,
            "2026-01-07T00:00:00Z",
            "the TLS certificate expires in 1 day, 2026-01-08T00:00:00Z",
        );
    }
}
