//! Maintenance: times that come again, at which alerts are silent.

use cronexpr::{Crontab, MakeTimestamp};
use jiff::{SignedDuration, Timestamp};

use super::{Alert, MaintenanceConfig, Matcher, matcher};
use crate::units::HumanDuration;

/// A week, and a little more: what takes longer is no window.
const LONGEST: HumanDuration = HumanDuration::secs(8 * 86_400);

/// Times at which alerts of some labels are silent.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) name: String,
    schedule: Crontab,
    duration: SignedDuration,
    matchers: Vec<Matcher>,
}

impl Window {
    /// Reads one.
    ///
    /// # Errors
    /// With the key that is wrong, and what is.
    pub(super) fn read(config: &MaintenanceConfig) -> Result<Self, (&'static str, String)> {
        if config.duration.is_zero() || config.duration > LONGEST {
            let message = format!("longer than 0s, and {} at most", LONGEST.exact());
            return Err(("duration", message));
        }
        let fields = config.schedule.split_whitespace().count();
        if fields != 5 {
            let message = format!(
                "a schedule has five fields, this one {fields}: minute, hour, day of the month, \
                 month, day of the week, such as \"30 2 * * SUN\""
            );
            return Err(("schedule", message));
        }
        if config.timezone.contains(char::is_whitespace) || config.timezone.is_empty() {
            return Err(("timezone", "write one such as \"UTC\" or \"Europe/Berlin\"".to_owned()));
        }
        let parse = |zone: &str| cronexpr::parse_crontab(&format!("{} {zone}", config.schedule));
        if let Err(error) = parse("UTC") {
            return Err(("schedule", one_line(&error.to_string())));
        }
        let schedule = parse(&config.timezone).map_err(|_| {
            let message = format!("this machine knows no time zone {:?}", config.timezone);
            ("timezone", message)
        })?;
        let duration = SignedDuration::try_from(*config.duration).unwrap_or(SignedDuration::MAX);
        let matchers: Result<Vec<Matcher>, _> =
            config.matchers.iter().map(|text| text.parse()).collect();
        let matchers =
            matchers.map_err(|error: super::MatcherError| ("matchers", error.to_string()))?;
        Ok(Self { name: config.name.clone(), schedule, duration, matchers })
    }

    /// When it is over, if now is within.
    pub(super) fn end(&self, now: Timestamp) -> Option<Timestamp> {
        // A time at which it began so long ago is its end.
        let begin = now.checked_sub(self.duration).ok()?;
        let begun = self.schedule.find_next(MakeTimestamp(begin)).ok()?.timestamp();
        (begun <= now).then(|| begun.checked_add(self.duration).unwrap_or(Timestamp::MAX))
    }

    pub(super) fn covers(&self, alert: &Alert) -> bool {
        matcher::all(&self.matchers, alert)
    }
}

/// The sentence of an error that also draws an arrow.
fn one_line(text: &str) -> String {
    text.rsplit('^').next().unwrap_or(text).trim().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(
        schedule: &str,
        hours: u64,
        timezone: &str,
    ) -> Result<Window, (&'static str, String)> {
        Window::read(&MaintenanceConfig {
            name: "night".to_owned(),
            schedule: schedule.to_owned(),
            duration: HumanDuration::secs(hours * 3_600),
            timezone: timezone.to_owned(),
            matchers: Vec::new(),
        })
    }

    #[test]
    fn a_window_is_open_from_its_begin_to_its_end() {
        let night = window("30 2 * * SUN", 2, "UTC").expect("read");
        let check = |at: &str, expected: Option<&str>| {
            let end = night.end(at.parse().expect(at)).map(|end| end.to_string());
            assert_eq!(end.as_deref(), expected, "{at}");
        };
        // The 1st of March 2026 is a Sunday.
        check("2026-03-01T02:29:59Z", None);
        check("2026-03-01T02:30:00Z", Some("2026-03-01T04:30:00Z"));
        check("2026-03-01T04:29:59Z", Some("2026-03-01T04:30:00Z"));
        check("2026-03-01T04:30:00Z", None);
        check("2026-03-02T03:00:00Z", None);
    }

    #[test]
    fn a_window_follows_the_clocks_of_its_zone() {
        let night = window("0 3 * * *", 1, "Europe/Berlin").expect("read");
        let is_open = |at: &str| night.end(at.parse().expect(at)).is_some();
        assert!(is_open("2026-01-10T02:10:00Z") && !is_open("2026-01-10T01:10:00Z"));
        assert!(is_open("2026-07-10T01:10:00Z") && !is_open("2026-07-10T02:10:00Z"));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let refused = |schedule: &str, hours, zone: &str| {
            window(schedule, hours, zone).expect_err(schedule).0
        };
        assert_eq!(refused("30 2 * *", 1, "UTC"), "schedule");
        assert_eq!(refused("61 2 * * *", 1, "UTC"), "schedule");
        assert_eq!(refused("0 2 * * FOO", 1, "UTC"), "schedule");
        assert_eq!(refused("0 2 * * *", 0, "UTC"), "duration");
        assert_eq!(refused("0 2 * * *", 300, "UTC"), "duration");
        assert_eq!(refused("0 2 * * *", 1, "Europe/Atlantis"), "timezone");
        assert_eq!(refused("0 2 * * *", 1, ""), "timezone");
    }
}
