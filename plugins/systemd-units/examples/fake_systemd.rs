//! A bus with a service on it that answers as systemd does, for trying the plugin out where there is
//! no systemd: `fake_systemd FOLDER` prints the bus's address and runs until its standard input ends.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../src/tests/fake.rs"]
mod fake;

use fake::{BusDaemon, Fake, Property};

fn main() -> io::Result<()> {
    let folder =
        std::env::args_os().nth(1).ok_or(io::Error::other("usage: fake_systemd FOLDER"))?;
    let (bus, fake) = (BusDaemon::start(&PathBuf::from(folder)), Fake::new());
    let running = [
        ("Type", Property::Text("notify")),
        ("ActiveEnterTimestamp", Property::Long(1_700_000_000_000_000)),
        ("NRestarts", Property::Number(2)),
        ("CPUUsageNSec", Property::Long(1_500_000_000)),
        ("MemoryCurrent", Property::Long(8 << 20)),
        ("TasksCurrent", Property::Long(4)),
    ];
    fake.add("ssh.service", "active", &running);
    fake.add("backup.service", "failed", &[("Type", Property::Text("oneshot"))]);
    fake.serve(&bus);
    writeln!(io::stdout(), "{}", bus.address)?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
