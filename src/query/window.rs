//! Functions of the samples of one series within a range: `rate` and its like.

use super::number::{Sum, mean, quantile, variance};

/// The samples of one series within `(from, to]`; there is at least one, and none is stale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) times: &'a [i64],
    pub(super) values: &'a [f64],
    /// How often each value counts in a mean, a sum and a count; empty if each counts once.
    pub(super) weights: &'a [f64],
    /// The bounds of the range, in milliseconds since 1970.
    pub(super) from: i64,
    pub(super) to: i64,
}

/// How a difference over a range is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// Of a gauge, over the whole range.
    Delta,
    /// Of a counter, over the whole range.
    Increase,
    /// Of a counter, per second.
    Rate,
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

impl Window<'_> {
    /// The difference between the ends of the range, extrapolated from the first and the last sample:
    /// all the way where they are about as near to an end as samples are to each other, half such a
    /// distance else, and no counter further back than to where it was zero.
    pub(super) fn difference(&self, kind: Difference) -> Option<f64> {
        let (count, values) = (self.values.len(), self.values);
        if count < 2 {
            return None;
        }
        let is_counter = kind != Difference::Delta;
        let mut result = values[count - 1] - values[0];
        if is_counter {
            let resets = values.windows(2).filter(|pair| pair[1] < pair[0]);
            result += resets.map(|pair| pair[0]).sum::<f64>();
        }
        let sampled = seconds(self.times[count - 1] - self.times[0]);
        let distance = sampled / (count - 1) as f64;
        let within_reach = |gap: f64| if gap >= distance * 1.1 { distance / 2.0 } else { gap };
        let mut before = within_reach(seconds(self.times[0] - self.from));
        let after = within_reach(seconds(self.to - self.times[count - 1]));
        if is_counter && result > 0.0 && values[0] >= 0.0 {
            before = before.min(sampled * (values[0] / result));
        }
        let result = result * ((sampled + before + after) / sampled);
        let range = seconds(self.to - self.from);
        Some(if kind == Difference::Rate { result / range } else { result })
    }

    /// The difference of the last two samples; as a rate it is that of a counter, per second.
    pub(super) fn last_difference(&self, is_rate: bool) -> Option<f64> {
        let [.., before, last] = self.values else { return None };
        let [.., earlier, at] = self.times else { return None };
        let reset = is_rate && last < before;
        let difference = if reset { *last } else { last - before };
        let distance = at - earlier;
        match (distance, is_rate) {
            (0, _) => None,
            (_, true) => Some(difference / seconds(distance)),
            (_, false) => Some(difference),
        }
    }

    /// The line of least squares: its slope per second, and its value at `origin`.
    fn line(&self, origin: i64) -> Option<(f64, f64)> {
        let count = self.values.len() as f64;
        if self.values.len() < 2 {
            return None;
        }
        let first = self.values[0];
        if self.values.iter().all(|value| *value == first) {
            return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
        }
        let [mut x, mut y, mut xy, mut xx] = [Sum::default(); 4];
        for (at, value) in self.times.iter().zip(self.values) {
            let at = seconds(at - origin);
            x.add(at);
            y.add(*value);
            xy.add(at * value);
            xx.add(at * at);
        }
        let covariance = xy.get() - x.get() * y.get() / count;
        let variance = xx.get() - x.get() * x.get() / count;
        let slope = covariance / variance;
        Some((slope, y.get() / count - slope * x.get() / count))
    }

    pub(super) fn slope(&self) -> Option<f64> {
        self.line(self.times[0]).map(|(slope, _)| slope)
    }

    /// Where the line of least squares is `ahead` seconds after `now`.
    pub(super) fn forecast(&self, now: i64, ahead: f64) -> Option<f64> {
        self.line(now).map(|(slope, value)| slope * ahead + value)
    }

    pub(super) fn changes(&self) -> f64 {
        let is_change =
            |pair: &&[f64]| pair[0] != pair[1] && !(pair[0].is_nan() && pair[1].is_nan());
        self.values.windows(2).filter(is_change).count() as f64
    }

    pub(super) fn resets(&self) -> f64 {
        self.values.windows(2).filter(|pair| pair[1] < pair[0]).count() as f64
    }

    /// The function of one range that has this name and needs nothing else.
    pub(super) fn plain(&self, function: &str) -> Option<f64> {
        let values = self.values;
        let extreme = |is_better: fn(f64, f64) -> bool| {
            values.iter().copied().reduce(|best, value| {
                if is_better(value, best) || best.is_nan() { value } else { best }
            })
        };
        match function {
            "rate" => self.difference(Difference::Rate),
            "increase" => self.difference(Difference::Increase),
            "delta" => self.difference(Difference::Delta),
            "irate" => self.last_difference(true),
            "idelta" => self.last_difference(false),
            "deriv" => self.slope(),
            "changes" => Some(self.changes()),
            "resets" => Some(self.resets()),
            "sum_over_time" | "avg_over_time" | "count_over_time" if !self.weights.is_empty() => {
                let count = Sum::of(self.weights.iter().copied());
                let sum =
                    Sum::of(values.iter().zip(self.weights).map(|(value, count)| value * count));
                Some(match function {
                    "sum_over_time" => sum,
                    "avg_over_time" => sum / count,
                    _ => count,
                })
            }
            "avg_over_time" => Some(mean(values)),
            "min_over_time" => extreme(|value, least| value < least),
            "max_over_time" => extreme(|value, most| value > most),
            "sum_over_time" => Some(Sum::of(values.iter().copied())),
            "count_over_time" => Some(values.len() as f64),
            "stddev_over_time" => Some(variance(values).sqrt()),
            "stdvar_over_time" => Some(variance(values)),
            "last_over_time" => values.last().copied(),
            "present_over_time" => Some(1.0),
            _ => None,
        }
    }

    pub(super) fn quantile(&self, rank: f64) -> f64 {
        quantile(rank, &mut self.values.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of samples at these seconds, over 0 to 100 s.
    fn check(function: &str, samples: &[(i64, f64)], expected: Option<f64>) {
        let times: Vec<i64> = samples.iter().map(|(second, _)| second * 1000).collect();
        let values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
        let window = Window { times: &times, values: &values, weights: &[], from: 0, to: 100_000 };
        assert_eq!(window.plain(function), expected, "{function} of {samples:?}");
    }

    #[test]
    fn differences_reach_to_the_ends_of_the_range() {
        let even = [(10, 100.0), (30, 120.0), (50, 140.0), (70, 160.0), (90, 180.0)];
        check("increase", &even, Some(100.0));
        check("rate", &even, Some(1.0));
        // Samples that end early are extrapolated by half a distance.
        check("increase", &[(10, 100.0), (20, 110.0), (30, 120.0)], Some(20.0 + 10.0 + 5.0));
        // Not below zero: the counter began at 12 s.
        check("increase", &[(20, 8.0), (50, 38.0), (80, 68.0)], Some(60.0 + 8.0 + 20.0));
        check("delta", &[(20, 8.0), (50, 38.0), (80, 68.0)], Some(100.0));
        check("rate", &[(50, 1.0)], None);
    }

    #[test]
    fn a_reset_is_not_a_loss() {
        let reset = [(10, 50.0), (30, 70.0), (50, 10.0), (70, 30.0), (90, 50.0)];
        check("increase", &reset, Some((70.0 - 50.0 + 50.0) * 100.0 / 80.0));
        check("resets", &reset, Some(1.0));
        check("changes", &reset, Some(4.0));
        check("irate", &[(10, 50.0), (20, 10.0)], Some(1.0));
        check("idelta", &[(10, 50.0), (20, 10.0)], Some(-40.0));
    }

    #[test]
    fn what_stands_for_many_counts_as_many() {
        let check = |function: &str, expected: f64| {
            let window = Window {
                times: &[10_000, 20_000],
                values: &[4.0, 1.0],
                weights: &[3.0, 1.0],
                from: 0,
                to: 100_000,
            };
            assert_eq!(window.plain(function), Some(expected), "{function}");
        };
        check("sum_over_time", 13.0);
        check("count_over_time", 4.0);
        check("avg_over_time", 3.25);
        check("last_over_time", 1.0);
    }

    #[test]
    fn over_time() {
        let samples = [(1, 2.0), (2, f64::NAN), (3, 4.0)];
        check("max_over_time", &samples, Some(4.0));
        check("min_over_time", &samples, Some(2.0));
        check("count_over_time", &samples, Some(3.0));
        check("last_over_time", &samples, Some(4.0));
        check("deriv", &[(0, 1.0), (10, 21.0), (20, 41.0)], Some(2.0));
        check("deriv", &[(0, 3.0), (10, 3.0)], Some(0.0));
    }
}
