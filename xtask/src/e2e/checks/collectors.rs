//! Every collector delivers in the sandbox, and the plugins that are shipped do what they are for.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Theme, installed};
use crate::e2e::patience::until;
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "collectors",
    prepare: installed,
    checks: &[
        Check { name: "none-fails", run: none_fails },
        Check { name: "systemd-units", run: systemd_units },
        Check { name: "nvidia-is-silent", run: nvidia_is_silent },
        Check { name: "dropped-in-library", run: dropped_in_library },
    ],
};

fn none_fails(site: &Site<'_>) -> Checked {
    until(|| {
        let answer = site.json("/api/v1/collectors")?;
        let collectors = answer["collectors"].as_array().context("a list of collectors")?;
        let ill = collectors.iter().filter(|collector| !is_well(collector));
        let ill: Vec<String> =
            ill.map(|collector| format!("{}: {}", collector["name"], collector["error"])).collect();
        ensure!(ill.is_empty(), "{}", ill.join("; "));
        ensure!(collectors.len() > 5, "only {} collectors", collectors.len());
        Ok(Outcome::Passed(format!("{} collectors", collectors.len())))
    })
}

/// It delivers, or this host has nothing for it.
fn is_well(collector: &Value) -> bool {
    collector["state"] == "ok" || collector["state"] == "absent"
}

/// The real systemd of the container, over D-Bus, from within the sandbox.
fn systemd_units(site: &Site<'_>) -> Checked {
    if site.collector("systemd-units").is_err() {
        return Ok(Outcome::Skipped("the package has no systemd-units plugin".to_owned()));
    }
    let value_of = |unit: &str, state: &str| {
        let query = format!("node_systemd_unit_state&label=name={unit}&label=state={state}");
        let samples = site.samples(&query)?;
        let value = samples.first().and_then(|sample| sample["value"].as_f64());
        value.with_context(|| {
            let collector = site.collector("systemd-units");
            format!("no {state} of {unit}: {}", collector.unwrap_or_default())
        })
    };
    let config = "[[collector]]\nplugin = \"systemd-units\"\ninterval = \"500ms\"\n";
    site.configured(config, || {
        until(|| {
            ensure!(value_of(UNIT, "active")? == 1.0, "it is not seen to be active");
            ensure!(value_of(UNIT, "failed")? == 0.0, "it is said to have failed");
            Ok(())
        })?;
        site.run(&["systemd-run", "--quiet", "--unit=e2e-broken", "/bin/false"])?;
        let seen = until(|| {
            ensure!(value_of("e2e-broken.service", "failed")? == 1.0, "no failure is seen");
            Ok(PASSED)
        });
        site.run(&["systemctl", "reset-failed", "e2e-broken.service"])?;
        seen
    })
}

/// No GPU is no fault, and nothing that fills a log.
fn nvidia_is_silent(site: &Site<'_>) -> Checked {
    site.run(&["journalctl", "--sync"])?;
    let argv = ["journalctl", "--unit", UNIT, "--priority=warning", "--output=cat", "--quiet"];
    let lines = site.run(&[&argv[..], &["COLLECTOR=nvidia"]].concat())?;
    ensure!(lines.is_empty(), "the journal has {lines:?} of it");
    if let Ok(collector) = site.collector("nvidia") {
        ensure!(is_well(&collector), "it is {}: {}", collector["state"], collector["error"]);
    }
    Ok(PASSED)
}

/// A library appears in a plugin folder: its samples do too, without a restart, and go with it.
fn dropped_in_library(site: &Site<'_>) -> Checked {
    const LIBRARY: &str = "/usr/local/lib/gz-monitor/plugins/acts.so";
    site.configured("[plugins]\nrescan = \"200ms\"\n", || {
        let before = site.main_pid()?;
        site.copy(&site.inputs.acts, LIBRARY)?;
        let seen = until(|| {
            ensure!(!site.samples("acts_version")?.is_empty(), "no sample");
            Ok(())
        });
        site.run(&["rm", LIBRARY])?;
        seen?;
        until(|| {
            ensure!(site.collector("acts").is_err(), "it is still there");
            Ok(())
        })?;
        ensure!(site.main_pid()? == before, "the daemon was started anew");
        Ok(PASSED)
    })
}
