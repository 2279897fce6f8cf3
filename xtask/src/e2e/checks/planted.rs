//! The checks can fail: without its directive each of these does.

use anyhow::{Context as _, ensure};

use super::{Check, Theme, sandbox, service, watchdog};
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::Site;

pub const THEME: Theme = Theme {
    name: "planted",
    prepare: sandbox::prepare,
    checks: &[
        Check { name: "no-protect-system", run: no_protect_system },
        Check { name: "no-restrict-address-families", run: no_restrict_address_families },
        Check { name: "no-watchdog", run: no_watchdog },
        Check { name: "no-notify", run: no_notify },
    ],
};

fn no_protect_system(site: &Site<'_>) -> Checked {
    fails_without(site, "ProtectSystem", sandbox::directives, "write-etc")
}

fn no_restrict_address_families(site: &Site<'_>) -> Checked {
    fails_without(site, "RestrictAddressFamilies", sandbox::directives, "packet-socket")
}

/// Without `Type=notify` the manager does not wait until the daemon says that it is ready.
fn no_notify(site: &Site<'_>) -> Checked {
    fails_without(site, "Type", service::ready_means_collected, "/readyz")
}

fn no_watchdog(site: &Site<'_>) -> Checked {
    fails_without(site, "WatchdogSec", watchdog::stopped_process, "is still the service")
}

/// Runs a check on a unit that lacks a directive; it must fail, and say this.
fn fails_without(
    site: &Site<'_>,
    directive: &str,
    check: fn(&Site<'_>) -> Checked,
    reason: &str,
) -> Checked {
    let script = format!("/^{directive}=/d;{}", watchdog::IMPATIENT);
    let said = match site.changed(&script, || Ok(check(site)))? {
        Ok(Outcome::Passed(_) | Outcome::Skipped(_)) => None,
        Err(error) => Some(format!("{error:#}")),
    };
    let said = said.with_context(|| format!("the check passes without {directive}"))?;
    ensure!(said.contains(reason), "it fails for another reason: {said}");
    Ok(PASSED)
}
