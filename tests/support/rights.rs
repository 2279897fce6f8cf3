//! A daemon with the rights that the unit gives it: a user of its own and ambient capabilities.

use super::Builder;

/// Whether this test may become another user; without it, it says so and is skipped, but in CI.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to know")]
pub fn is_root(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root && std::env::var_os("CI").is_none() {
        eprintln!("skipped, because it takes root: {test}");
        return false;
    }
    true
}

/// The user nobody with these capabilities, as AmbientCapabilities= has them: "+kill,+net_raw".
pub fn as_service(builder: Builder, capabilities: &str) -> Builder {
    let (bounding, ambient) =
        (format!("--inh-caps=-all,{capabilities}"), format!("--ambient-caps=-all,{capabilities}"));
    builder.under(&[
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--no-new-privs",
        &bounding,
        &ambient,
        "--",
    ])
}
