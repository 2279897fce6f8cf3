//! `gz-monitor-plugin(7)`: docs/plugins.md and docs/plugins-libraries.md as one page.

use roff::roman;

use crate::markdown::{render, to_roff};
use crate::{Page, opening};

const PROGRAMS: &str = include_str!("../../../docs/plugins.md");
const LIBRARIES: &str = include_str!("../../../docs/plugins-libraries.md");

/// The page.
pub fn page(date: &str) -> Page {
    let mut roff = opening("gz-monitor-plugin", "7", date);
    roff.control("SH", ["NAME"]);
    roff.text([roman("gz-monitor-plugin - programs and libraries that collect for gz-monitor")]);
    let programs = PROGRAMS.replacen("# Plugins", "## Description", 1);
    let libraries = LIBRARIES.replacen("# Libraries as plugins", "# Libraries", 1);
    to_roff(&mut roff, &programs, 2);
    to_roff(&mut roff, &libraries, 1);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("gz-monitor(1), gz-monitor-plugin-check(1), gz-monitor.toml(5)")]);
    // The first line has man(1) lay out the tables.
    Page::of_manual("gz-monitor-plugin", 7, format!("'\\\" t\n{}", render(&roff)))
}
