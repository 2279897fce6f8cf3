//! Asks filesystems how full they are, on threads of its own, so that one that does not answer (a
//! dead NFS server, a hung FUSE daemon) holds up neither the others nor the collector.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// statvfs(3) needs little stack, and a stuck thread may be there for days.
const STACK_BYTES: usize = 64 << 10;

/// A healthy filesystem answers in microseconds. When one takes longer than this, the next is asked
/// on another thread meanwhile, so that a healthy machine needs one thread only.
const PATIENCE: Duration = Duration::from_millis(10);

/// How full a filesystem is. Sizes are in bytes, files in inodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    pub size: f64,
    pub free: f64,
    /// What is free for those who are not root.
    pub available: f64,
    pub files: f64,
    pub files_free: f64,
}

/// What came of asking one filesystem.
#[derive(Debug)]
pub enum Answer {
    Usage(Usage),
    Failed(io::Error),
    /// It has not answered in time. It is not asked again before the call has returned.
    Stuck,
    /// As many filesystems are stuck as there may be threads, so it could not be asked.
    NoThread,
}

type Call = dyn Fn(&Path) -> io::Result<Usage> + Send + Sync;

/// Threads that call statvfs(3), at most so many, each call with a time-out.
pub struct Probes {
    timeout: Duration,
    threads_max: usize,
    call: Arc<Call>,
    threads: usize,
    stuck: Vec<(u64, PathBuf)>,
    next_id: u64,
    jobs: SyncSender<Option<Job>>,
    queue: Arc<Mutex<Receiver<Option<Job>>>>,
    reply: SyncSender<Reply>,
    replies: Receiver<Reply>,
}

/// A path to ask about; `None` in the queue asks a thread to end.
struct Job {
    id: u64,
    path: PathBuf,
}

struct Reply {
    id: u64,
    result: io::Result<Usage>,
}

/// A call that has been made and has not returned, within its time.
struct Running<'p> {
    id: u64,
    index: usize,
    path: &'p Path,
    deadline: Instant,
}

/// The state of one round.
struct Round<'p> {
    running: Vec<Running<'p>>,
    answers: Vec<Answer>,
}

impl Probes {
    /// At most `threads_max` threads, and `timeout` for each call.
    pub fn new(threads_max: usize, timeout: Duration) -> Self {
        Self::calling(Arc::new(statvfs), threads_max, timeout)
    }

    fn calling(call: Arc<Call>, threads_max: usize, timeout: Duration) -> Self {
        // Neither queue can fill up: a job is only sent when a thread is free to take it, and every
        // thread has at most one reply on its way.
        let (jobs, queue) = sync_channel(threads_max);
        let (reply, replies) = sync_channel(threads_max);
        let queue = Arc::new(Mutex::new(queue));
        let (threads, stuck, next_id) = (0, Vec::new(), 0);
        Self { timeout, threads_max, call, threads, stuck, next_id, jobs, queue, reply, replies }
    }

    /// Asks all of them; the answers are in the same order.
    pub fn ask<'p>(&mut self, paths: impl Iterator<Item = &'p Path>) -> Vec<Answer> {
        let mut round = Round { running: Vec::new(), answers: Vec::new() };
        while let Ok(reply) = self.replies.try_recv() {
            self.settle(reply, &mut round);
        }
        for (index, path) in paths.enumerate() {
            let stuck = self.stuck.iter().any(|(_, stuck)| stuck == path);
            round.answers.push(if stuck { Answer::Stuck } else { Answer::NoThread });
            if !stuck && self.free_a_thread(&mut round) {
                self.start(index, path, &mut round);
            }
        }
        while !round.running.is_empty() {
            self.wait(None, &mut round);
        }
        self.retire();
        round.answers
    }

    fn start<'p>(&mut self, index: usize, path: &'p Path, round: &mut Round<'p>) {
        self.next_id += 1;
        let job = Job { id: self.next_id, path: path.to_owned() };
        let deadline = Instant::now() + self.timeout;
        if self.jobs.send(Some(job)).is_ok() {
            round.running.push(Running { id: self.next_id, index, path, deadline });
        }
    }

    /// Waits for a thread without a call, or makes one; false if there can be none.
    fn free_a_thread(&mut self, round: &mut Round<'_>) -> bool {
        loop {
            if round.running.len() + self.stuck.len() < self.threads {
                return true;
            }
            let may_grow = self.threads < self.threads_max;
            if round.running.is_empty() || !self.wait(may_grow.then_some(PATIENCE), round) {
                if may_grow && self.spawn() {
                    return true;
                }
                if round.running.is_empty() {
                    return false;
                }
            }
        }
    }

    /// Waits until a call returns (then true), the oldest call's time is over, or `patience` is.
    fn wait(&mut self, patience: Option<Duration>, round: &mut Round<'_>) -> bool {
        let Some(oldest) = round.running.first() else { return false };
        let left = oldest.deadline.saturating_duration_since(Instant::now());
        if let Ok(reply) = self.replies.recv_timeout(patience.map_or(left, |p| p.min(left))) {
            self.settle(reply, round);
            return true;
        }
        let now = Instant::now();
        while let Some(late) = round.running.first().filter(|call| call.deadline <= now) {
            self.stuck.push((late.id, late.path.to_owned()));
            round.answers[late.index] = Answer::Stuck;
            round.running.remove(0);
        }
        false
    }

    /// Takes a reply, which may be that of a call given up earlier.
    fn settle(&mut self, reply: Reply, round: &mut Round<'_>) {
        self.stuck.retain(|(id, _)| *id != reply.id);
        if let Some(place) = round.running.iter().position(|call| call.id == reply.id) {
            let call = round.running.remove(place);
            round.answers[call.index] = match reply.result {
                Ok(usage) => Answer::Usage(usage),
                Err(error) => Answer::Failed(error),
            };
        }
    }

    fn spawn(&mut self) -> bool {
        let (queue, reply, call) = (self.queue.clone(), self.reply.clone(), self.call.clone());
        let thread = thread::Builder::new().name("statvfs".to_owned()).stack_size(STACK_BYTES);
        // Not joined at the end: a stuck call may never return.
        let spawned = thread.spawn(move || work(&queue, &reply, &*call)).is_ok();
        self.threads += usize::from(spawned);
        spawned
    }

    /// Lets go of the threads that waiting for slow filesystems has left over, but one.
    fn retire(&mut self) {
        while self.threads > self.stuck.len() + 1 && self.jobs.try_send(None).is_ok() {
            self.threads -= 1;
        }
    }
}

/// What a thread does until it is asked to end, or its owner is gone.
fn work(queue: &Mutex<Receiver<Option<Job>>>, replies: &SyncSender<Reply>, call: &Call) {
    loop {
        let Ok(Ok(Some(job))) = queue.lock().map(|queue| queue.recv()) else { return };
        let reply = Reply { id: job.id, result: call(&job.path) };
        if replies.send(reply).is_err() {
            return;
        }
    }
}

fn statvfs(path: &Path) -> io::Result<Usage> {
    let stat = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks as f64 * stat.f_frsize as f64;
    Ok(Usage {
        size: bytes(stat.f_blocks),
        free: bytes(stat.f_bfree),
        available: bytes(stat.f_bavail),
        files: stat.f_files as f64,
        files_free: stat.f_ffree as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Condvar;

    const EMPTY: Usage =
        Usage { size: 0.0, free: 0.0, available: 0.0, files: 0.0, files_free: 0.0 };

    /// A machine in which the mounts below /stuck answer only once they are let go.
    #[derive(Default)]
    struct Machine {
        let_go: Mutex<bool>,
        changed: Condvar,
        calls: Mutex<usize>,
    }

    impl Machine {
        fn answer(&self, path: &Path) -> io::Result<Usage> {
            *self.calls.lock().unwrap() += 1;
            if path.starts_with("/stuck") {
                let let_go = self.let_go.lock().unwrap();
                drop(self.changed.wait_while(let_go, |let_go| !*let_go).unwrap());
            }
            if path.starts_with("/missing") {
                Err(io::ErrorKind::NotFound.into())
            } else {
                Ok(EMPTY)
            }
        }

        fn let_go(&self) {
            *self.let_go.lock().unwrap() = true;
            self.changed.notify_all();
        }
    }

    fn probes(threads_max: usize) -> (Arc<Machine>, Probes) {
        let machine = Arc::new(Machine::default());
        let call = {
            let machine = machine.clone();
            move |path: &Path| machine.answer(path)
        };
        (machine, Probes::calling(Arc::new(call), threads_max, Duration::from_secs(1)))
    }

    fn ask(probes: &mut Probes, paths: &[&str]) -> String {
        let answers = probes.ask(paths.iter().map(Path::new));
        let letter = |answer: &Answer| match answer {
            Answer::Usage(_) => 'U',
            Answer::Failed(_) => 'F',
            Answer::Stuck => 'S',
            Answer::NoThread => 'N',
        };
        answers.iter().map(letter).collect()
    }

    /// Waits until the calls that were let go have returned.
    fn settle(probes: &mut Probes) {
        for _ in 0..1_000 {
            ask(probes, &[]);
            if probes.stuck.is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{} calls have not returned", probes.stuck.len());
    }

    #[test]
    fn healthy_mounts_need_one_thread() {
        let (machine, mut probes) = probes(4);
        assert_eq!(ask(&mut probes, &["/a", "/missing", "/b"]), "UFU");
        assert_eq!(ask(&mut probes, &[]), "");
        assert_eq!(*machine.calls.lock().unwrap(), 3);
        assert!(probes.threads <= 1);
    }

    #[test]
    fn a_stuck_mount_is_skipped_until_it_answers() {
        let (machine, mut probes) = probes(4);
        assert_eq!(ask(&mut probes, &["/a", "/stuck", "/b"]), "USU");
        assert_eq!(ask(&mut probes, &["/a", "/stuck", "/b"]), "USU");
        assert_eq!(*machine.calls.lock().unwrap(), 5, "the stuck mount was asked once");
        machine.let_go();
        settle(&mut probes);
        assert_eq!(ask(&mut probes, &["/a", "/stuck", "/b"]), "UUU");
        assert_eq!(probes.threads, 1);
    }

    #[test]
    fn threads_are_bounded() {
        let (machine, mut probes) = probes(3);
        let stuck = ["/stuck/1", "/stuck/2", "/stuck/3", "/stuck/4"];
        assert_eq!(ask(&mut probes, &stuck), "SSSN");
        assert_eq!(ask(&mut probes, &["/a", "/stuck/1"]), "NS");
        assert_eq!(probes.threads, 3);
        machine.let_go();
        settle(&mut probes);
        assert_eq!(ask(&mut probes, &stuck), "UUUU");
    }

    #[test]
    fn the_working_directory_has_a_size() {
        let usage = statvfs(Path::new(".")).unwrap();
        assert!(usage.size > 0.0 && usage.free <= usage.size && usage.available <= usage.free);
        assert_eq!(
            statvfs(Path::new("/no/such/path")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
