//! Parts of a date, in UTC, of seconds since 1970.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The function of this name.
pub(super) fn part(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "minute" => |at| of(at, |date| f64::from(date.minute())),
        "hour" => |at| of(at, |date| f64::from(date.hour())),
        "day_of_week" => |at| of(at, |date| f64::from(date.weekday().to_sunday_zero_offset())),
        "day_of_month" => |at| of(at, |date| f64::from(date.day())),
        "day_of_year" => |at| of(at, |date| f64::from(date.day_of_year())),
        "days_in_month" => |at| of(at, |date| f64::from(date.days_in_month())),
        "month" => |at| of(at, |date| f64::from(date.month())),
        "year" => |at| of(at, |date| f64::from(date.year())),
        _ => return None,
    })
}

/// NaN of what is no time of the calendar.
fn of(seconds: f64, part: fn(DateTime) -> f64) -> f64 {
    if seconds.is_nan() {
        return f64::NAN;
    }
    let at = Timestamp::from_second(seconds.trunc() as i64);
    at.map_or(f64::NAN, |at| part(TimeZone::UTC.to_datetime(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_leap_day() {
        // 2024-02-29T13:45:59Z, a Thursday.
        let at = 1_709_214_359.9;
        let check = |name: &str, expected: f64| {
            assert_eq!(part(name).expect(name)(at), expected, "{name}");
        };
        check("minute", 45.0);
        check("hour", 13.0);
        check("day_of_week", 4.0);
        check("day_of_month", 29.0);
        check("day_of_year", 60.0);
        check("days_in_month", 29.0);
        check("month", 2.0);
        check("year", 2024.0);
        assert!(part("year").unwrap()(f64::NAN).is_nan());
        assert!(part("year").unwrap()(1e30).is_nan());
        assert!(part("rate").is_none());
    }
}
