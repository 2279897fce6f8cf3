//! Which units are reported: globs over their names, and a bound on their number.

use glob::Pattern;
use gz_monitor_sdk::{Error, Result};
use serde::Deserialize;

use crate::units::Unit;

/// A glob over whole names of units.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Glob(Pattern);

impl TryFrom<String> for Glob {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let pattern = Pattern::new(&text);
        pattern.map(Self).map_err(|error| format!("{text:?} is no pattern: {error}"))
    }
}

impl Glob {
    /// One that is known to be a pattern.
    pub fn fixed(text: &str) -> Self {
        Self(Pattern::new(text).expect("the plugin's own patterns are patterns"))
    }
}

/// The units that are reported.
pub struct Filter {
    include: Vec<Glob>,
    exclude: Vec<Glob>,
    max_units: usize,
}

impl Filter {
    /// # Errors
    /// There is room for no unit, or for more than anyone can look at.
    pub fn new(include: Vec<Glob>, exclude: Vec<Glob>, max_units: usize) -> Result<Self> {
        if !(1..=5000).contains(&max_units) {
            return Err(Error::Config(format!("max_units: {max_units}; 1 to 5000")));
        }
        Ok(Self { include, exclude, max_units })
    }

    /// The units that are reported, by name, and how many more should be. If there are too many, those
    /// that have failed come first, then those that are not idle.
    pub fn apply(&self, mut units: Vec<Unit>) -> (Vec<Unit>, usize) {
        units.retain(|unit| unit.is_there() && self.passes(&unit.name));
        units.sort_by(|a, b| a.name.cmp(&b.name));
        let left_out = units.len().saturating_sub(self.max_units);
        if left_out > 0 {
            units.sort_by_key(|unit| (unit.active_state != "failed", unit.is_idle()));
            units.truncate(self.max_units);
        }
        (units, left_out)
    }

    fn passes(&self, name: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.0.matches(name));
        any(&self.include) && !any(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::unit;

    fn globs(texts: &[&str]) -> Vec<Glob> {
        texts.iter().map(|text| Glob::fixed(text)).collect()
    }

    #[test]
    fn names() {
        let check = |include: &[&str], exclude: &[&str], yes: &[&str], no: &[&str]| {
            let filter = Filter::new(globs(include), globs(exclude), 1).unwrap();
            for (names, expected) in [(yes, true), (no, false)] {
                for name in names {
                    assert_eq!(filter.passes(name), expected, "{include:?} {exclude:?} {name}");
                }
            }
        };
        check(&["*.service"], &[], &["ssh.service", "a@b.service"], &["ssh.socket", "x.service.d"]);
        check(&["*.service"], &["getty@*"], &["ssh.service"], &["getty@tty1.service"]);
        check(&["tty[12].mount", "a?.timer"], &[], &["tty2.mount", "ab.timer"], &["tty3.mount"]);
        check(&["*"], &["*.mount"], &["-.slice"], &["-.mount"]);
        check(&[], &[], &[], &["ssh.service"]);
        check(&["*x2d*"], &[], &["systemd-fsck@dev\\x2duuid.service"], &[]);
    }

    #[test]
    fn what_is_no_pattern() {
        let error = Glob::try_from("a[".to_owned()).unwrap_err();
        assert!(error.starts_with("\"a[\" is no pattern: "), "{error}");
        for max_units in [0, 5001] {
            assert!(Filter::new(Vec::new(), Vec::new(), max_units).is_err());
        }
    }

    #[test]
    fn too_many_units_and_those_that_are_not_there() {
        let units = || {
            let mut units = vec![
                unit("idle.service", "inactive"),
                unit("works.service", "active"),
                unit("broken.service", "failed"),
                unit("also.service", "active"),
                unit("gone.service", "inactive"),
            ];
            units[4].load_state = "not-found".to_owned();
            units
        };
        let check = |max_units, expected: &[&str], left_out| {
            let filter = Filter::new(globs(&["*"]), Vec::new(), max_units).unwrap();
            let (kept, more) = filter.apply(units());
            let names: Vec<_> = kept.iter().map(|unit| unit.name.as_str()).collect();
            assert_eq!((&names[..], more), (expected, left_out), "{max_units}");
        };
        let all = ["also.service", "broken.service", "idle.service", "works.service"];
        check(9, &all, 0);
        check(4, &all, 0);
        check(3, &["broken.service", "also.service", "works.service"], 1);
        check(1, &["broken.service"], 3);
    }
}
