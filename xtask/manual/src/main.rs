//! `cargo run --package gz-monitor-manual -- SHARE`: writes the pages below SHARE.

use std::path::PathBuf;

use clap::Parser;

/// Writes the manual pages and the completions of shells.
#[derive(Parser)]
struct Arguments {
    /// The folder that stands for /usr/share.
    share: PathBuf,
    /// The date of the pages, as in 2026-01-31.
    #[arg(long)]
    date: String,
}

fn main() -> anyhow::Result<()> {
    let Arguments { share, date } = Arguments::parse();
    gz_monitor_manual::write(&share, &date)
}
