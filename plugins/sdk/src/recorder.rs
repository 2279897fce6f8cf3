//! Keeps what a collector emits, so that a plugin's own tests can look at it.

use std::fmt;

use crate::{Collector, Kind, Result, SampleRef, Sink};

/// Collects as a host does and keeps the samples, for the tests of a plugin. With a
/// [`Host`](crate::Host) whose root is a folder of the test's, a collector reads what the test has
/// written there:
///
/// ```
/// # use gz_monitor_sdk::{Collector, Host, Recorder, Result, Sink};
/// # struct Fans(Host);
/// # impl Collector for Fans {
/// #     type Config = ();
/// #     fn init(_: (), host: Host) -> Result<Self> { Ok(Fans(host)) }
/// #     fn collect(&mut self, out: &mut Sink<'_>) -> Result {
/// #         Ok(out.gauge("fan_rpm", 900.0, &[("fan", "cpu")]))
/// #     }
/// # }
/// let host = Host::new("tests/root".into(), |_, _| ());
/// let mut recorder = Recorder::default();
/// recorder.collect(&mut Fans::init((), host)?)?;
/// assert_eq!(recorder.value("fan_rpm", &[("fan", "cpu")]), Some(900.0));
/// assert_eq!(recorder.samples()[0].to_string(), r#"fan_rpm{fan="cpu"} 900"#);
/// # Result::Ok(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorder {
    samples: Vec<Recorded>,
}

/// A sample that a [`Recorder`] keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The name.
    pub name: String,
    /// Names and values of the labels, in the order of the collector.
    pub labels: Vec<(String, String)>,
    /// Whether `value` is a level or a running total.
    pub kind: Kind,
    /// The reading.
    pub value: f64,
}

impl Recorder {
    /// Has `collector` collect once, and keeps these samples in place of the last ones.
    ///
    /// # Errors
    /// That of the collector. What it emitted before is kept.
    pub fn collect<C: Collector>(&mut self, collector: &mut C) -> Result {
        self.samples.clear();
        let mut emit = |sample: SampleRef<'_>| self.samples.push(sample.into());
        collector.collect(&mut Sink::new(&mut emit))
    }

    /// The samples of the last collection, in the order in which they were emitted.
    pub fn samples(&self) -> &[Recorded] {
        &self.samples
    }

    /// The value of the sample with this name and just these labels, in any order. Of two the first.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is_it = |sample: &&Recorded| {
            let has = |(key, value): &(&str, &str)| {
                sample.labels.iter().any(|(k, v)| (k.as_str(), v.as_str()) == (*key, *value))
            };
            sample.name == name && sample.labels.len() == labels.len() && labels.iter().all(has)
        };
        self.samples.iter().find(is_it).map(|sample| sample.value)
    }
}

impl From<SampleRef<'_>> for Recorded {
    fn from(sample: SampleRef<'_>) -> Self {
        let SampleRef { name, labels, kind, value } = sample;
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Self { name: name.to_owned(), labels: labels.collect(), kind, value }
    }
}

/// As in Prometheus text: `fan_rpm{fan="cpu"} 900`.
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (index, (key, value)) in self.labels.iter().enumerate() {
            write!(f, "{}{key}={value:?}", if index == 0 { '{' } else { ',' })?;
        }
        if !self.labels.is_empty() {
            f.write_str("}")?;
        }
        write!(f, " {}", self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Host};

    struct Fans {
        rounds: u32,
    }

    impl Collector for Fans {
        type Config = ();

        fn init((): (), _: Host) -> Result<Self> {
            Ok(Self { rounds: 0 })
        }

        fn collect(&mut self, out: &mut Sink<'_>) -> Result {
            self.rounds += 1;
            out.counter("rounds_total", self.rounds.into(), &[]);
            if self.rounds > 1 {
                return Err(Error::Unavailable("worn out".to_owned()));
            }
            out.gauge("fan_rpm", 900.5, &[("fan", "cpu"), ("place", "left")]);
            Ok(())
        }
    }

    #[test]
    fn the_last_collection_is_kept() -> Result {
        let mut fans = Fans::init((), Host::new("/".into(), |_, _| ()))?;
        let mut recorder = Recorder::default();
        recorder.collect(&mut fans)?;
        let text: Vec<String> = recorder.samples().iter().map(ToString::to_string).collect();
        assert_eq!(text, ["rounds_total 1", r#"fan_rpm{fan="cpu",place="left"} 900.5"#]);
        let check = |labels: &[(&str, &str)], expected| {
            assert_eq!(recorder.value("fan_rpm", labels), expected, "{labels:?}");
        };
        check(&[("place", "left"), ("fan", "cpu")], Some(900.5));
        check(&[("fan", "cpu")], None);
        check(&[("fan", "cpu"), ("place", "right")], None);
        assert_eq!(recorder.samples()[0].kind, Kind::Counter);
        recorder.collect(&mut fans).expect_err("it is worn out");
        assert_eq!((recorder.samples().len(), recorder.value("rounds_total", &[])), (1, Some(2.0)));
        Ok(())
    }
}
