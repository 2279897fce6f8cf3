//! The daemon in one line, for `systemctl status`: how many of what, and what is not well.

use std::fmt;

use crate::pipeline::Pipeline;

/// Collectors that are named; of more it is said how many.
const NAMED_MAX: usize = 4;

/// What the line is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StatusLine {
    /// What needs somebody's attention, such as a reload that was refused.
    pub(super) notes: Vec<String>,
    pub(super) collectors: usize,
    /// The names of collectors that do not work.
    pub(super) failing: Vec<String>,
    pub(super) clients: usize,
    pub(super) firing: usize,
    pub(super) addresses: Vec<String>,
}

impl StatusLine {
    /// Takes what the state has to tell.
    pub(super) fn look(&mut self, state: &Pipeline) {
        self.collectors = state.collectors.iter().count();
        let ill = state.collectors.iter().filter(|(_, status)| status.state.is_trouble());
        self.failing = ill.map(|(name, _)| name.to_owned()).collect();
        self.firing = state.alerts.stats().firing;
    }
}

impl fmt::Display for StatusLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            write!(f, "{note}; ")?;
        }
        count(f, self.collectors, "collector")?;
        if !self.failing.is_empty() {
            let named = &self.failing[..self.failing.len().min(NAMED_MAX)];
            write!(f, " ({} failing: {}", self.failing.len(), named.join(", "))?;
            match self.failing.len() - named.len() {
                0 => write!(f, ")")?,
                more => write!(f, " and {more} more)")?,
            }
        }
        f.write_str(", ")?;
        count(f, self.clients, "client")?;
        f.write_str(", ")?;
        count(f, self.firing, "firing alert")?;
        if !self.addresses.is_empty() {
            write!(f, ", listening on {}", self.addresses.join(", "))?;
        }
        Ok(())
    }
}

fn count(f: &mut fmt::Formatter<'_>, count: usize, noun: &str) -> fmt::Result {
    write!(f, "{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts_and_names() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let well = StatusLine {
            collectors: 12,
            clients: 3,
            firing: 1,
            addresses: names(&["127.0.0.1:8080", "/run/gz-monitor/gz-monitor.sock"]),
            ..StatusLine::default()
        };
        insta::assert_snapshot!(well, @"12 collectors, 3 clients, 1 firing alert, listening on 127.0.0.1:8080, /run/gz-monitor/gz-monitor.sock");
        let ill = StatusLine {
            notes: names(&["configuration not reloaded: 2 problems"]),
            collectors: 1,
            failing: names(&["disk-x"]),
            ..StatusLine::default()
        };
        insta::assert_snapshot!(ill, @"configuration not reloaded: 2 problems; 1 collector (1 failing: disk-x), 0 clients, 0 firing alerts");
        let many = StatusLine { failing: names(&["a", "b", "c", "d", "e", "f"]), ..ill };
        insta::assert_snapshot!(many, @"configuration not reloaded: 2 problems; 1 collector (6 failing: a, b, c, d and 2 more), 0 clients, 0 firing alerts");
    }
}
