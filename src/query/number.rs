//! Arithmetic as Prometheus does it.

/// `value` as Prometheus prints it: the shortest digits that mean it, without an exponent.
pub fn text(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

/// A sum that keeps what the last digits would lose (Neumaier).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = Self::default();
        values.into_iter().for_each(|value| sum.add(value));
        sum.get()
    }

    pub(super) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        if sum.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.lost += (self.sum - sum) + value;
        } else {
            self.lost += (value - sum) + self.sum;
        }
        self.sum = sum;
    }

    pub(super) fn get(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

/// The mean, also of numbers whose sum is beyond all numbers.
pub(super) fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let sum = Sum::of(values.iter().copied());
    if sum.is_finite() || values.iter().any(|value| !value.is_finite()) {
        return sum / count;
    }
    Sum::of(values.iter().map(|value| value / count))
}

/// The variance of a whole population.
pub(super) fn variance(values: &[f64]) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, Sum::default());
    for value in values {
        count += 1.0;
        let off = value - mean;
        mean += off / count;
        squares.add(off * (value - mean));
    }
    squares.get() / count
}

/// The `rank` quantile, interpolated between the two values that it falls between.
pub(super) fn quantile(rank: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || rank.is_nan() {
        return f64::NAN;
    }
    if rank < 0.0 {
        return f64::NEG_INFINITY;
    }
    if rank > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(compare);
    let place = rank * (values.len() - 1) as f64;
    let below = place.floor();
    let above = (below as usize + 1).min(values.len() - 1);
    let weight = place - below;
    values[below as usize] * (1.0 - weight) + values[above] * weight
}

/// The order of numbers, in which NaN is the least.
pub(super) fn compare(a: &f64, b: &f64) -> std::cmp::Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal),
        (a, b) => b.cmp(&a),
    }
}

/// The lesser one, or NaN if one of them is.
pub(super) fn least(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

/// The greater one, or NaN if one of them is.
pub(super) fn greatest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_without_an_exponent() {
        let check = |value: f64, expected: &str| assert_eq!(text(value), expected);
        check(1.0, "1");
        check(-0.5, "-0.5");
        check(1e21, "1000000000000000000000");
        check(0.1 + 0.2, "0.30000000000000004");
        check(f64::INFINITY, "+Inf");
        check(f64::NAN, "NaN");
    }

    #[test]
    fn sums_and_means_keep_their_digits() {
        assert_eq!(Sum::of([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(Sum::of([f64::INFINITY, 1.0]), f64::INFINITY);
        assert_eq!(mean(&[1.7e308, 1.7e308]), 1.7e308);
        assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(mean(&[f64::NAN, 1.0]).is_nan());
        assert_eq!(variance(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), 4.0);
    }

    #[test]
    fn quantiles_interpolate() {
        let check =
            |rank, expected: f64| assert_eq!(quantile(rank, &mut [3.0, 1.0, 2.0]), expected);
        check(0.0, 1.0);
        check(0.5, 2.0);
        check(0.75, 2.5);
        check(1.0, 3.0);
        check(-0.1, f64::NEG_INFINITY);
        check(1.1, f64::INFINITY);
        assert!(quantile(f64::NAN, &mut [1.0]).is_nan() && quantile(0.5, &mut []).is_nan());
        assert!(quantile(0.0, &mut [1.0, f64::NAN]).is_nan(), "NaN is the least");
    }
}
