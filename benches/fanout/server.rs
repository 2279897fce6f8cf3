//! The process of a server: it serves, and publishes what its standard input says.

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use super::options::Kind;
use super::{certificate, descriptors, message, ours, reference};

/// What a server does with an update of a task: its id, its number, its data.
pub type Publish = Box<dyn Fn(String, u64, String)>;

/// Serves until standard input ends.
pub fn run(kind: Kind, tls: bool) -> anyhow::Result<()> {
    descriptors::raise(u64::from(u16::MAX));
    // As many threads as the daemon has.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tls.then(shown).transpose()?;
    let (address, publish): (SocketAddr, Publish) = match kind {
        Kind::Ours => runtime.block_on(ours::start(folder.as_ref().map(TempDir::path)))?,
        Kind::Reference => runtime.block_on(reference::start())?,
    };
    let _inside = runtime.enter();
    let shown = folder.as_ref().map(|folder| folder.path().join(certificate::CERTIFICATE));
    let shown = shown.map(|path| path.display().to_string());
    writeln!(io::stdout(), "listening {address} {}", shown.unwrap_or_default())?;
    let mut publisher = Publisher { publish, number: 0 };
    for line in io::stdin().lock().lines() {
        publisher.obey(&line?)?;
    }
    Ok(())
}

/// A folder with a certificate.
fn shown() -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    certificate::make(folder.path())?;
    Ok(folder)
}

struct Publisher {
    publish: Publish,
    number: u64,
}

impl Publisher {
    /// `burst COUNT BYTES TASKS` publishes at once, `rate PER_SECOND COUNT BYTES TASKS` in time.
    fn obey(&mut self, line: &str) -> anyhow::Result<()> {
        let (word, numbers) = line.split_once(' ').context("a command with numbers")?;
        let numbers = numbers.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        match (word, &numbers[..]) {
            ("burst", &[count, bytes, tasks]) => {
                (0..count).for_each(|_| self.publish(bytes, tasks));
            }
            ("rate", &[per_second, count, bytes, tasks]) => {
                let begin = Instant::now();
                for index in 0..count {
                    let due = begin + Duration::from_secs(1) * index as u32 / per_second as u32;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    self.publish(bytes, tasks);
                }
            }
            _ => bail!("{line:?} is not understood"),
        }
        Ok(())
    }

    fn publish(&mut self, bytes: u64, tasks: u64) {
        self.number += 1;
        let task = message::task_id(self.number % tasks);
        let data = message::data(&task, self.number, bytes as usize);
        (self.publish)(task, self.number, data);
    }
}
