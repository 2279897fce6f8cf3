//! The manual pages and the completions of shells, made of the program itself: its commands from clap,
//! its configuration from the structs' documentation, its plugins from docs/.
//!
//! It is a crate of its own so that neither the daemon carries the generators nor the chores have to
//! wait until the daemon compiles.

mod commands;
mod completions;
mod configuration;
mod markdown;
mod plugins;

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use roff::Roff;

/// A file of the manual or a completion.
#[derive(Debug)]
pub struct Page {
    /// Where it goes below `usr/share`: `man/man1/gz-monitor.1`.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Page {
    fn of_manual(name: &str, section: u8, text: String) -> Self {
        Self { path: format!("man/man{section}/{name}.{section}"), text }
    }
}

/// Everything, of that `date` (`2026-01-31`).
pub fn pages(date: &str) -> Vec<Page> {
    let mut pages = commands::pages(date);
    pages.push(configuration::page(date));
    pages.push(plugins::page(date));
    pages.extend(completions::pages());
    pages
}

/// Writes everything below `share`, which stands for `/usr/share`.
pub fn write(share: &Path, date: &str) -> anyhow::Result<()> {
    for page in pages(date) {
        let path = share.join(&page.path);
        let folder = path.parent().context("a page lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, page.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The beginning of the page `name(section)`: lines are not stretched, which the names of metrics and
/// keys would tear apart.
fn opening(name: &str, section: &str, date: &str) -> Roff {
    let source = concat!("gz-monitor ", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::new();
    roff.control("TH", [&name.to_uppercase(), section, date, source, "gz-monitor manual"]);
    roff.control("ad", ["l"]).control("nr", ["HY", "0"]).control("hy", ["0"]);
    roff
}
