//! The checks, by theme; each theme has a container to itself.

mod collectors;
mod deb;
mod planted;
mod reload;
mod restart;
mod rpm;
mod sandbox;
mod service;
mod watchdog;

use clap::builder::PossibleValuesParser;

use super::report::Checked;
use super::site::Site;

/// A claim about the package, and how it is proven.
pub struct Check {
    pub name: &'static str,
    pub run: fn(&Site<'_>) -> Checked,
}

/// Checks that share a container, in their order.
pub struct Theme {
    pub name: &'static str,
    /// What comes before the first check.
    pub prepare: fn(&Site<'_>) -> anyhow::Result<()>,
    pub checks: &'static [Check],
}

const THEMES: [&Theme; 9] = [
    &service::THEME,
    &sandbox::THEME,
    &collectors::THEME,
    &reload::THEME,
    &watchdog::THEME,
    &restart::THEME,
    &deb::THEME,
    &rpm::THEME,
    &planted::THEME,
];

/// The names of the themes, for the command line.
pub fn theme_names() -> PossibleValuesParser {
    PossibleValuesParser::new(THEMES.map(|theme| theme.name))
}

/// The themes of these names; all of them if there is none.
pub fn chosen(names: &[String]) -> Vec<&'static Theme> {
    let is_chosen =
        |theme: &&Theme| names.is_empty() || names.iter().any(|name| name == theme.name);
    THEMES.into_iter().filter(is_chosen).collect()
}

/// What most themes begin with: the package is installed, which starts the service.
fn installed(site: &Site<'_>) -> anyhow::Result<()> {
    site.install_deb(&site.inputs.deb).map(drop)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own() {
        let names = THEMES.iter().flat_map(|theme| {
            theme.checks.iter().map(|check| format!("{}/{}", theme.name, check.name))
        });
        let names: Vec<String> = names.collect();
        let different: BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len());
    }

    #[test]
    fn themes_are_chosen_by_name() {
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names).iter().map(|theme| theme.name).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&["rpm", "deb"]), ["deb", "rpm"]);
        assert_eq!(chosen(&[]).len(), THEMES.len());
    }
}
