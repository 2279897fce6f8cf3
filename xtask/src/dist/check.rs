//! Whether lintian and rpmlint have anything to say that is not answered: the overrides in
//! packaging/lintian and the filters in packaging/rpm/rpmlint.toml each say why.

use std::path::Path;

use anyhow::Context as _;

use super::Packages;
use super::program::{program, run};

/// An error if either finds something.
pub fn run_linters(root: &Path, packages: &Packages) -> anyhow::Result<()> {
    let arguments = ["--fail-on=error,warning", "--allow-root", "--tag-display-limit=0"];
    let mut lintian = program("lintian", root, arguments);
    lintian.arg(&packages.deb).arg(&packages.deb_dev);
    run(lintian).context("lintian (apt-get install lintian)")?;
    let mut rpmlint = program("rpmlint", root, ["--strict", "--config=packaging/rpm/rpmlint.toml"]);
    rpmlint.arg(&packages.rpm).arg(&packages.rpm_dev);
    run(rpmlint).context("rpmlint (apt-get install rpmlint)")
}
