//! Everything that one collection gave, and how it went.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::key::{is_label_name, is_metric_name};
use super::{Moment, Reason, Rejected, Sample, SeriesKey, Stamp, Value, brief, rfc3339};

/// The result of one collection.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The collector's configured name.
    pub collector: Arc<str>,
    /// When the collection ended.
    pub at: Moment,
    /// How long it took.
    pub duration: Duration,
    /// What it read; kept also when it failed half-way.
    pub samples: Vec<Sample>,
    /// Samples that were refused, by reason.
    pub rejected: Rejected,
    /// Whether it succeeded.
    pub outcome: Outcome,
    /// Whether it is one of so many failures in a row that the collector counts as broken.
    pub broken: bool,
}

/// How a collection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded, or had nothing to report.
    Ok,
    /// It failed, with the reason.
    Failed(String),
    /// It did not return within its deadline.
    TimedOut,
    /// It cannot work, for this reason, and is not tried again before its configuration changes.
    Stopped(String),
    /// What it measures is not on this machine, for this reason. No failure, but not tried again
    /// before a reload.
    Absent(String),
}

/// Bounds on what one collection may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub samples: usize,
    pub labels: usize,
    /// Bytes of a metric name, label name or label value.
    pub text: usize,
    /// How far a sample's own time may be from that of its collection, before or after.
    pub clock_skew: Duration,
    /// Whether a gauge may be infinite or not a number. A counter never may.
    pub keeps_non_finite: bool,
}

impl Limits {
    /// Nothing may be brought.
    pub const NONE: Self = Self {
        samples: 0,
        labels: 0,
        text: 0,
        clock_skew: Duration::ZERO,
        keeps_non_finite: false,
    };
}

impl Outcome {
    /// Whether it counts as a failure.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Outcome::Ok | Outcome::Absent(_))
    }

    /// Whether it is the last one before somebody changes something.
    pub fn is_final(&self) -> bool {
        matches!(self, Outcome::Stopped(_) | Outcome::Absent(_))
    }
}

/// Turns borrowed samples into a batch's own. A collector emits the same series in the same order
/// nearly every time, so the keys of the last round are kept and compared by position: in the steady
/// state nothing is allocated but the vector.
pub struct BatchBuilder {
    extra: Vec<(String, String)>,
    limits: Limits,
    known: Vec<Arc<SeriesKey>>,
    samples: Vec<Sample>,
    /// Whether any of them has a time of its own.
    is_stamped: bool,
    rejected: Rejected,
}

impl BatchBuilder {
    /// A builder that adds the labels `extra` to every sample; a sample's own label wins.
    pub fn new(extra: Vec<(String, String)>, limits: Limits) -> Self {
        let (known, samples, rejected) = (Vec::new(), Vec::new(), Rejected::default());
        Self { extra, limits, known, samples, is_stamped: false, rejected }
    }

    /// Adds a sample that was read in this collection, or counts why not.
    pub fn push(&mut self, name: &str, labels: &[(&str, &str)], value: Value) {
        self.push_at(name, labels, value, None);
    }

    /// Adds a sample with a time of its own, if it has one, or counts why not.
    pub fn push_at(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        value: Value,
        stamp: Option<Stamp>,
    ) {
        let Limits { samples, labels: most, .. } = self.limits;
        if self.samples.len() >= samples || labels.len() > most {
            return self.rejected.add(Reason::Limit, || match labels.len() {
                count if count > most => format!("{}: {count} labels, not {most}", named(name)),
                _ => format!("{}: a collection may bring {samples} samples", named(name)),
            });
        }
        let refused = match value {
            Value::Counter(total) if !(total.is_finite() && total >= 0.0) => Some("a counter"),
            Value::Gauge(value) if !(value.is_finite() || self.limits.keeps_non_finite) => {
                Some("a gauge")
            }
            _ => None,
        };
        if let Some(kind) = refused {
            let what = || format!("{}: {kind} cannot be {}", named(name), value.get());
            return self.rejected.add(Reason::Value, what);
        }
        let position = self.samples.len();
        let known = self.known.get(position).filter(|key| self.is_same(key, name, labels));
        let key = match known {
            Some(key) => key.clone(),
            None => match self.make_key(name, labels) {
                Some(key) => key,
                None => return,
            },
        };
        match self.known.get_mut(position) {
            Some(slot) => slot.clone_from(&key),
            None => self.known.push(key.clone()),
        }
        self.is_stamped |= stamp.is_some();
        self.samples.push(Sample { key, value, stamp });
    }

    /// Counts a sample that somebody else has refused.
    pub fn reject(&mut self, reason: Reason, what: impl FnOnce() -> String) {
        self.rejected.add(reason, what);
    }

    /// Counts samples that somebody else has refused for one reason.
    pub fn reject_many(&mut self, reason: Reason, count: u64, what: impl FnOnce() -> String) {
        self.rejected.add_many(reason, count, what);
    }

    /// Takes what was pushed since the last call, at the end of the collection, `at`.
    pub fn take(&mut self, at: Timestamp) -> (Vec<Sample>, Rejected) {
        self.known.truncate(self.samples.len());
        let mut samples =
            std::mem::replace(&mut self.samples, Vec::with_capacity(self.known.len()));
        if std::mem::take(&mut self.is_stamped) {
            let (skew, rejected) = (self.limits.clock_skew, &mut self.rejected);
            samples.retain(|Sample { key, stamp, .. }| {
                let far = stamp.filter(|stamp| !stamp.is_within(skew, at));
                if let Some(stamp) = far {
                    let what = || {
                        let (name, time) = (named(key.name()), rfc3339(stamp.wall()));
                        format!("{name}: {time} is further than {skew:?} from now")
                    };
                    rejected.add(Reason::Timestamp, what);
                }
                far.is_none()
            });
        }
        (samples, std::mem::take(&mut self.rejected))
    }

    fn is_same(&self, key: &SeriesKey, name: &str, labels: &[(&str, &str)]) -> bool {
        let own = |name: &str| labels.iter().any(|(label, _)| *label == name);
        let extra = self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let wanted = labels.iter().copied().chain(extra.filter(|(name, _)| !own(name)));
        let value_of = |name: &str| wanted.clone().find(|(label, _)| *label == name);
        // Both ways: of labels that share a name the first one counts, so counting them proves nothing.
        key.name() == name
            && key.labels().all(|label| value_of(label.0) == Some(label))
            && wanted.clone().all(|(name, _)| key.label(name).is_some())
    }

    fn make_key(&mut self, name: &str, labels: &[(&str, &str)]) -> Option<Arc<SeriesKey>> {
        let bad_label = labels.iter().map(|(label, _)| label).find(|label| !is_label_name(label));
        if !is_metric_name(name) || bad_label.is_some() {
            self.rejected.add(Reason::Invalid, || match bad_label {
                Some(label) => {
                    format!("{}: label \"{}\" is not allowed", named(name), brief(label))
                }
                None => format!("{} is not allowed", named(name)),
            });
            return None;
        }
        let texts = labels.iter().flat_map(|(label, value)| [*label, *value]).chain([name]);
        let (most, longest) = (self.limits.text, texts.map(str::len).max().unwrap_or(0));
        if longest > most {
            let what = || format!("{}: a text of {longest} bytes, not {most}", named(name));
            self.rejected.add(Reason::Limit, what);
            return None;
        }
        let extra = self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Some(Arc::new(SeriesKey::new(name, labels.iter().copied().chain(extra))))
    }
}

/// How a sample is told by its name, whatever that is.
fn named(name: &str) -> String {
    format!("name \"{}\"", brief(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SKEW: Duration = Duration::from_secs(60);
    const LIMITS: Limits =
        Limits { samples: 3, labels: 2, text: 20, clock_skew: SKEW, keeps_non_finite: false };
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_round_like_the_last_shares_its_keys() {
        let mut builder = BatchBuilder::new(vec![("dc".into(), "eu".into())], LIMITS);
        let mut round = |mode: &str| {
            builder.push("cpu", &[("mode", mode)], Value::Counter(1.0));
            builder.take(NOW).0.remove(0).key
        };
        let first = round("idle");
        assert_eq!(first.to_string(), r#"cpu{dc="eu",mode="idle"}"#);
        assert!(Arc::ptr_eq(&first, &round("idle")));
        assert_eq!(round("user").to_string(), r#"cpu{dc="eu",mode="user"}"#);
    }

    #[test]
    fn a_label_given_twice_is_not_two_labels() {
        let mut builder = BatchBuilder::new(Vec::new(), LIMITS);
        let mut round = |labels: &[(&str, &str)]| {
            builder.push("up", labels, Value::Gauge(1.0));
            builder.take(NOW).0.remove(0).key.to_string()
        };
        assert_eq!(round(&[("a", "1"), ("b", "2")]), r#"up{a="1",b="2"}"#);
        assert_eq!(round(&[("a", "1"), ("a", "1")]), r#"up{a="1"}"#);
        assert_eq!(round(&[("a", "1"), ("a", "2")]), r#"up{a="1"}"#);
    }

    #[test]
    fn bad_samples_are_counted_and_dropped() {
        let mut builder = BatchBuilder::new(Vec::new(), LIMITS);
        builder.push("bad name", &[], Value::Gauge(0.0));
        builder.push("ok", &[("9", "x")], Value::Gauge(0.0));
        builder.push("ok", &[("a", "a value beyond all bounds")], Value::Gauge(0.0));
        builder.push("ok", &[("a", ""), ("b", ""), ("c", "")], Value::Gauge(0.0));
        for name in ["a", "b", "c", "d"] {
            builder.push(name, &[], Value::Gauge(0.0));
        }
        builder.push("total", &[], Value::Counter(-1.0));
        builder.push("total", &[], Value::Counter(f64::NAN));
        let (samples, rejected) = builder.take(NOW);
        assert_eq!(samples.len(), 3);
        let counts = |rejected: Rejected| Reason::ALL.map(|reason| rejected.count(reason));
        assert_eq!(rejected.first(), Some((Reason::Invalid, "name \"bad name\" is not allowed")));
        // The last two are beyond the number of samples before they are looked at.
        assert_eq!(counts(rejected), [2, 0, 0, 5, 0]);
        builder.push("total", &[], Value::Counter(-1.0));
        builder.push("total", &[], Value::Counter(f64::INFINITY));
        builder.push("gauge", &[], Value::Gauge(f64::NAN));
        let (samples, rejected) = builder.take(NOW);
        assert_eq!(
            rejected.first(),
            Some((Reason::Value, "name \"total\": a counter cannot be -1"))
        );
        assert_eq!((samples.len(), counts(rejected)), (0, [0, 3, 0, 0, 0]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |name: &str, labels: &[(&str, &str)], value, expected: &str| {
            let mut builder = BatchBuilder::new(Vec::new(), LIMITS);
            builder.push(name, labels, value);
            let (_, rejected) = builder.take(NOW);
            assert_eq!(rejected.first().map(|(_, what)| what), Some(expected));
        };
        let gauge = Value::Gauge(0.0);
        check("a\x1b[2J", &[], gauge, "name \"a\\u{1b}[2J\" is not allowed");
        check("a", &[("__b", "")], gauge, "name \"a\": label \"__b\" is not allowed");
        check(
            "a",
            &[("b", "123456789012345678901")],
            gauge,
            "name \"a\": a text of 21 bytes, not 20",
        );
        let many = [("a", ""), ("b", ""), ("c", "")];
        check("a", &many, gauge, "name \"a\": 3 labels, not 2");
        check("a", &[], Value::Counter(f64::NAN), "name \"a\": a counter cannot be NaN");
        check("a", &[], Value::Gauge(f64::INFINITY), "name \"a\": a gauge cannot be inf");
    }

    #[test]
    fn gauges_that_are_no_numbers_are_kept_if_they_may_be() {
        let limits = Limits { keeps_non_finite: true, ..LIMITS };
        let mut builder = BatchBuilder::new(Vec::new(), limits);
        builder.push("a", &[], Value::Gauge(f64::NAN));
        builder.push("b", &[], Value::Counter(f64::INFINITY));
        let (samples, rejected) = builder.take(NOW);
        assert_eq!((samples.len(), rejected.count(Reason::Value)), (1, 1));
    }

    #[test]
    fn a_time_of_its_own_is_kept_if_it_is_near() {
        let mut builder = BatchBuilder::new(Vec::new(), LIMITS);
        let at: Timestamp = "2024-01-10T10:00:00Z".parse().unwrap();
        let mut round = |apart_s: i64| {
            let stamp = at.as_second() + apart_s;
            let stamp = Stamp::of_unix_ns(stamp * 1_000_000_000);
            builder.push("first", &[], Value::Gauge(1.0));
            builder.push_at("it", &[], Value::Gauge(1.0), Some(stamp));
            builder.push("last", &[], Value::Gauge(1.0));
            let (samples, rejected) = builder.take(at);
            let it = samples.iter().find(|sample| sample.key.name() == "it");
            let shared = samples.iter().map(|sample| Arc::strong_count(&sample.key)).min();
            assert_eq!((samples[0].stamp, shared), (None, Some(2)));
            (it.and_then(|it| it.stamp).map(|it| it.wall()), rejected.count(Reason::Timestamp))
        };
        let near: Timestamp = "2024-01-10T09:59:00Z".parse().unwrap();
        assert_eq!(round(-60), (Some(near), 0));
        assert_eq!(round(0), (Some(at), 0));
        for far in [-61, 61, i64::from(i32::MIN), -at.as_second()] {
            assert_eq!(round(far), (None, 1), "{far}");
        }
        assert_eq!(size_of::<Sample>(), 32);
    }

    proptest! {
        /// Whatever came before, a sample gets the key that its own name and labels say.
        #[test]
        fn reuse_never_confuses_series(rounds in prop::collection::vec(
            prop::collection::vec(("[ab]", prop::collection::vec(("[xyz]", "[01]"), 0..3)), 0..3),
            1..6,
        )) {
            let mut builder = BatchBuilder::new(vec![("x".into(), "own".into())], LIMITS);
            for round in rounds {
                for (name, labels) in &round {
                    let labels: Vec<_> = labels.iter().map(|(n, v)| (&**n, &**v)).collect();
                    builder.push(name, &labels, Value::Gauge(0.0));
                }
                for (sample, (name, labels)) in builder.take(NOW).0.iter().zip(&round) {
                    let own = labels.iter().map(|(n, v)| (&**n, &**v));
                    let expected = SeriesKey::new(name, own.chain([("x", "own")]));
                    prop_assert_eq!(&*sample.key, &expected);
                }
            }
        }
    }
}
