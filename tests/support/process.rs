//! What a daemon's process holds and has spent, from /proc, and how much it may hold.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

use super::Daemon;

impl Daemon {
    /// File descriptors that it has open.
    pub fn open_files(&self) -> u64 {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("its files");
        files.count() as u64
    }

    /// Threads that it has.
    pub fn threads(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads");
        threads.count() as u64
    }

    /// Processor time that the threads it has have had (proc(5), schedstat).
    pub fn cpu_time(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads");
        let nanos = threads.map(|thread| {
            let path = thread.expect("a thread").path().join("schedstat");
            // A thread may end meanwhile.
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Bounds its file descriptors; returns what held before.
    pub fn bound_files(&self, files: Option<u64>) -> Option<u64> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let wanted = Rlimit { current: files, maximum: getrlimit(Resource::Nofile).maximum };
        prlimit(pid, Resource::Nofile, wanted).expect("a limit").current
    }
}

/// Whether this process, and a daemon that it starts, may have so many files open. Where the hard
/// limit is lower this fails in CI, and elsewhere the test says so and is skipped.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to know")]
pub fn may_open(files: u64, test: &str) -> bool {
    let present = getrlimit(Resource::Nofile);
    let is_enough = present.maximum.is_none_or(|maximum| maximum >= files);
    if is_enough {
        setrlimit(Resource::Nofile, Rlimit { current: present.maximum, ..present })
            .expect("the soft limit may be as high as the hard one");
        return true;
    }
    let text = format!(
        "it takes {files} open files, and the hard limit is {}: {test}",
        present.maximum.unwrap_or_default()
    );
    assert!(std::env::var_os("CI").is_none(), "{text}");
    eprintln!("skipped, because {text}");
    false
}
