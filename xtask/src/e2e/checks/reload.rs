//! `systemctl reload` tells whether the new configuration holds.

use anyhow::ensure;

use super::{Check, Theme, installed};
use crate::e2e::patience::until;
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "reload",
    prepare: installed,
    checks: &[
        Check { name: "good", run: good },
        Check { name: "bad", run: bad },
        Check { name: "good-again", run: good_again },
    ],
};

const NEW: &str =
    "[[collector]]\nname = \"reloaded\"\ncommand = [\"/bin/echo\", \"reloaded_sample 1\"]\n";

fn good(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.configure("new", NEW)?;
    site.run(&["systemctl", "reload", UNIT])?;
    // The answer came after the change: the collector is known at once.
    site.collector("reloaded")?;
    until(|| {
        ensure!(site.samples("reloaded_sample")?.len() == 1, "no sample of it");
        Ok(())
    })?;
    ensure!(site.main_pid()? == before, "it was started anew");
    Ok(PASSED)
}

fn bad(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.configure("new", "[server]\nprot = 1\n")?;
    let output = site.output(&["systemctl", "reload", UNIT])?;
    ensure!(!output.status.success(), "the reload of a wrong configuration succeeded");
    site.collector("reloaded")?;
    ensure!(site.main_pid()? == before, "it was started anew");
    ensure!(site.property("ActiveState")? == "active", "it is not active any more");
    let text = site.property("StatusText")?;
    let says_so = ["refused", "reload", "configuration"].iter().any(|word| text.contains(word));
    ensure!(says_so, "nothing of it in the status {text:?}");
    let told = site.output(&["gz-monitor", "reload"])?;
    ensure!(told.status.code() == Some(78), "`gz-monitor reload` ended with {}", told.status);
    let complaint = String::from_utf8_lossy(&told.stderr);
    ensure!(complaint.contains("prot"), "`gz-monitor reload` does not name the key: {complaint}");
    Ok(Outcome::Passed(text))
}

fn good_again(site: &Site<'_>) -> Checked {
    site.unconfigure("new")?;
    site.run(&["systemctl", "reload", UNIT])?;
    ensure!(site.collector("reloaded").is_err(), "the collector is still there");
    let text = site.property("StatusText")?;
    ensure!(!text.contains("refused"), "the status still says {text:?}");
    Ok(PASSED)
}
