//! What is packed: its version, and the time of its commit, which is the time of every file, so that
//! the same commit gives the same packages.

use std::path::Path;

use anyhow::Context as _;

use super::program::{output, program};

/// The version and its times.
pub struct Release {
    pub version: &'static str,
    /// Seconds since 1970.
    pub epoch: String,
    /// As in 2026-01-31.
    pub day: String,
    /// As in a mail, RFC 5322; Debian's changelog has it so.
    pub mail_date: String,
}

impl Release {
    /// The one that lies in `root`; SOURCE_DATE_EPOCH wins over the commit's time, and is needed where
    /// there is no git.
    pub fn of(root: &Path) -> anyhow::Result<Self> {
        let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(epoch) => epoch,
            Err(_) => output(program("git", root, ["log", "-1", "--format=%ct"]))
                .context("set SOURCE_DATE_EPOCH where there is no git")?,
        };
        let epoch = epoch.trim().to_owned();
        let date = |format: &str| {
            let mut command = program("date", root, ["--utc", &format!("--date=@{epoch}"), format]);
            command.env("LC_ALL", "C");
            output(command).map(|text| text.trim().to_owned())
        };
        let (day, mail_date) = (date("+%Y-%m-%d")?, date("+%a, %d %b %Y %T %z")?);
        Ok(Self { version: env!("CARGO_PKG_VERSION"), epoch, day, mail_date })
    }

    /// Debian's changelog of `package`; what has changed is told by the project's own.
    pub fn debian_changelog(&self, package: &str) -> String {
        let Self { version, mail_date, .. } = self;
        format!(
            "{package} ({version}-1) unstable; urgency=medium\n\n  \
             * gz-monitor {version}: see changelog.gz.\n\n \
             -- The gz-monitor authors <maintainers@gz-monitor.invalid>  {mail_date}\n"
        )
    }
}
