//! The thread that owns the database: it opens, commits, opens again after trouble, and closes.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::database::{Database, Group, LineRow};
use super::keeper::{Keeper, Recent};
use super::proof::{Proof, ProofFile};
use super::schema::{self, Refusal};
use super::side::Reply;
use super::{History, Sync, Vitals, rows};
use crate::audit;
use crate::notify::{self, Kept, Written};
use crate::pipeline::{Handle, Records};

/// The database's name in its folder, and that of the file beside it.
const DATABASE: &str = "gz-monitor.db";
const PROOF: &str = "gz-monitor.line";
/// How often old events are looked for when nothing else is done.
const BETWEEN_REMOVALS: Duration = Duration::from_secs(30);
/// Samples that are to be written wait for events for so long, then for one commit at a time.
const SAMPLES_WAIT: Duration = Duration::from_secs(2);

/// Why storage does not work, for people.
pub(super) type Trouble = String;

/// Where the lock is, once it is held.
pub(super) type SharedProof = Arc<Mutex<Option<Arc<ProofFile>>>>;

/// What the thread is to do, and where it says how it went.
pub(super) enum Job {
    /// Open what is not open. The answer has what was found in it, the first time.
    Open(Reply<Option<Records>>),
    Commit(Box<Group>, Reply<()>),
    /// The last is given back when it is done.
    Notify(Box<notify::Change>, Reply<Written>, OwnedSemaphorePermit),
    /// The same of what was changed by whom.
    Audit(Vec<audit::Entry>, Reply<u64>, OwnedSemaphorePermit),
}

/// Why nothing can be stored there, ever.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// Another process has the lock.
    #[error("another gz-monitor uses it")]
    InUse,
    #[error("{0}")]
    Newer(Refusal),
    #[error("{0}")]
    Trouble(Trouble),
}

/// The folder with the database, and what is open of it.
pub(super) struct Disk {
    folder: PathBuf,
    sync: Sync,
    pub(super) history: Arc<RwLock<History>>,
    pub(super) proof: SharedProof,
    pub(super) generation: Arc<AtomicU64>,
    pub(super) vitals: Arc<Vitals>,
    database: Option<Database>,
    pub(super) keeper: Keeper,
    /// Where it is said that samples could not be written.
    troubles: Option<mpsc::Sender<Trouble>>,
    next_removal: Instant,
    /// When there was last a portion for the history, or nothing to be done.
    kept_at: Instant,
    /// Whether the tasks and alerts in it were read.
    pub(super) is_loaded: bool,
    /// What was found of notifications, until somebody takes it in.
    pub(super) notifications: Option<Kept>,
    were_notifications_read: bool,
    /// The last number of the audit, once it is known.
    pub(super) audited: Option<u64>,
}

/// What was there when it was first opened.
pub(super) struct Opened {
    pub(super) line: LineRow,
    pub(super) records: Records,
    /// The last samples of the daemon before.
    pub(super) recent: Recent,
    /// What the file beside it says.
    pub(super) proof: Option<Proof>,
    /// Whether it was made just now.
    pub(super) is_new: bool,
}

impl Disk {
    pub(super) fn new(folder: &Path, sync: Sync, history: History, vitals: Arc<Vitals>) -> Self {
        Self {
            folder: folder.to_owned(),
            sync,
            history: Arc::new(RwLock::new(history)),
            proof: SharedProof::default(),
            generation: Arc::default(),
            keeper: Keeper::new(vitals.history.clone()),
            vitals,
            database: None,
            troubles: None,
            next_removal: Instant::now() + BETWEEN_REMOVALS,
            kept_at: Instant::now(),
            is_loaded: false,
            notifications: None,
            were_notifications_read: false,
            audited: None,
        }
    }

    pub(super) fn database_path(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// Takes the lock, opens the database and reads it; one that is broken is set aside.
    pub(super) fn open(&mut self, now: Timestamp) -> Result<Opened, Unusable> {
        let trouble =
            |what: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", what.display());
        let mut make = DirBuilder::new();
        let made = make.recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| Unusable::Trouble(trouble(&self.folder, &error)))?;
        let path = self.folder.join(PROOF);
        let held = self.proof.lock().clone();
        let proof = match held {
            Some(held) => held,
            None => {
                let lock = ProofFile::lock(&path);
                let lock = lock.map_err(|error| Unusable::Trouble(trouble(&path, &error)))?;
                Arc::new(lock.ok_or(Unusable::InUse)?)
            }
        };
        *self.proof.lock() = Some(proof.clone());
        let path = self.database_path();
        let mut opened = Database::open(&path, self.sync);
        if let Err(Refusal::Broken(error)) = &opened {
            let aside = schema::set_aside(&path, now);
            let aside = aside.map_err(|error| Unusable::Trouble(trouble(&path, &error)))?;
            tracing::error!(
                error, file = %path.display(), aside = %aside.display(),
                "THE DATABASE IS BROKEN: it was set aside, and a new one is begun without the events, tasks, alerts and samples in it"
            );
            opened = Database::open(&path, self.sync);
        }
        let mut database = opened.map_err(|refusal| match refusal {
            Refusal::Newer(_) => Unusable::Newer(refusal),
            refusal => Unusable::Trouble(trouble(&path, &refusal)),
        })?;
        let records = database.load().map_err(|error| Unusable::Trouble(trouble(&path, &error)))?;
        if !self.were_notifications_read {
            let kept = database.notifications();
            let kept = kept.map_err(|error| Unusable::Trouble(trouble(&path, &error)))?;
            (self.notifications, self.were_notifications_read) = (Some(kept), true);
        }
        let audited = database.audited();
        let (last, count) = audited.map_err(|error| Unusable::Trouble(trouble(&path, &error)))?;
        self.audited = Some(last);
        self.vitals.audit_entries.store(count, Ordering::Relaxed);
        let start = self.keeper.is_first.then_some(now);
        let recent = database.keep(|connection| self.keeper.load(connection, start));
        let recent = recent.map_err(|error| Unusable::Trouble(trouble(&path, &error)))?;
        let (line, is_new) = (database.line.clone(), database.is_new());
        self.database = Some(database);
        self.generation.fetch_add(1, Ordering::Release);
        Ok(Opened { line, records, recent, proof: proof.read(), is_new })
    }

    /// Reads a database that cannot be written: better than to begin with nothing.
    pub(super) fn look(&mut self) -> Option<(LineRow, Records)> {
        let path = self.database_path();
        let mut look = || -> Result<(LineRow, Records), Refusal> {
            let frozen = schema::open_frozen(&path)?;
            self.keeper.look(&frozen)?;
            Ok((LineRow::read(&frozen)?, rows::load(&frozen)?))
        };
        let seen = look();
        if let Err(error) = &seen {
            tracing::warn!(%error, file = %path.display(), "what is in the database cannot be read");
        }
        seen.ok()
    }

    pub(super) fn commit(&mut self, group: &Group, now: Timestamp) -> Result<(), Trouble> {
        let started = Instant::now();
        let database = self.database.as_mut().ok_or("the database is not open")?;
        let history = self.history.read().clone();
        let done = database.commit(group, &history, now);
        let done = done.map_err(|error| error.to_string()).and_then(|()| self.prove(group));
        let path = self.database_path();
        match done {
            Ok(()) => {
                self.vitals.committed(started.elapsed());
                self.measure();
                Ok(())
            }
            Err(error) => {
                self.vitals.failures.fetch_add(1, Ordering::Relaxed);
                // What a connection knows after a failed write is not to be trusted.
                self.database = None;
                Err(format!("{}: {error}", path.display()))
            }
        }
    }

    /// Writes what has become of notifications; what was found and is not known yet goes first.
    fn notify(&mut self, change: &notify::Change) -> Result<Written, Trouble> {
        if let Some(kept) = self.notifications.take() {
            return Ok(Written::Found(kept));
        }
        let started = Instant::now();
        let database = self.database.as_mut().ok_or("the database is not open")?;
        match database.notify(change) {
            Ok(()) => {
                self.vitals.committed(started.elapsed());
                Ok(Written::Done(self.generation.load(Ordering::Acquire)))
            }
            // Whether the database is any good, the next commit of events will tell.
            Err(error) => Err(format!("{}: {error}", self.database_path().display())),
        }
    }

    /// Writes what was changed by whom, and removes what is beyond the bounds.
    fn audit(&mut self, entries: &[audit::Entry]) -> Result<u64, Trouble> {
        let started = Instant::now();
        let history = self.history.read().clone();
        let database = self.database.as_mut().ok_or("the database is not open")?;
        match database.audit(entries, &history, Timestamp::now()) {
            Ok((shift, count)) => {
                self.vitals.committed(started.elapsed());
                self.vitals.audit_entries.store(count, Ordering::Relaxed);
                Ok(shift)
            }
            // Whether the database is any good, the next commit of events will tell.
            Err(error) => Err(format!("{}: {error}", self.database_path().display())),
        }
    }

    /// Brings the file beside the database up to date, which is to come after the database.
    fn prove(&self, group: &Group) -> Result<(), String> {
        if group.line.is_none() && !group.makes_whole {
            return Ok(());
        }
        let line = self.database.as_ref().map(|database| database.line.clone());
        let (Some(line), Some(file)) = (line, self.proof.lock().clone()) else {
            return Ok(());
        };
        let before = file.read().filter(|_| !group.makes_whole);
        let lost_from = before.and_then(|before| before.lost_from);
        let proof = Proof { epoch: line.epoch, reserved: line.reserved, lost_from };
        file.write(&proof).map_err(|error| format!("{PROOF} beside it: {error}"))
    }

    fn measure(&self) {
        let Some(database) = &self.database else { return };
        self.vitals.events.store(database.line.events, Ordering::Relaxed);
        self.vitals.event_bytes.store(database.line.bytes, Ordering::Relaxed);
        self.vitals.file_bytes.store(database.file_bytes(), Ordering::Relaxed);
    }

    /// Has it write the history that this is the way to, from now on.
    pub(super) fn start(&mut self, handle: Handle, troubles: mpsc::Sender<Trouble>) {
        self.keeper.start(Arc::new(move |see| {
            handle.read(|state, _| see(state.store.history()));
        }));
        self.troubles = Some(troubles);
    }

    /// Does its jobs until nobody has any more; between them, what is to be done for the history.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let now = Instant::now();
            let turn = match self.database {
                Some(_) => self.keeper.next_turn(now),
                None => now + BETWEEN_REMOVALS,
            };
            let due = turn.min(self.next_removal);
            match jobs.recv_timeout(due.saturating_duration_since(now)) {
                // Whoever gave the job may have gone meanwhile.
                Ok(Job::Open(reply)) => drop(reply.send(self.open_again())),
                Ok(Job::Commit(group, reply)) => {
                    drop(reply.send(self.commit(&group, Timestamp::now())));
                    self.keep_if_late();
                }
                Ok(Job::Notify(change, reply, turn)) => {
                    drop(turn);
                    drop(reply.send(self.notify(&change)));
                    self.keep_if_late();
                }
                Ok(Job::Audit(entries, reply, turn)) => {
                    drop(turn);
                    drop(reply.send(self.audit(&entries)));
                    self.keep_if_late();
                }
                Err(RecvTimeoutError::Timeout) => self.between_jobs(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let (history, now) = (self.history.read().clone(), Timestamp::now());
        let Some(mut database) = self.database.take() else { return };
        let keeper = &mut self.keeper;
        let saved = database.keep(|connection| keeper.finish(connection, &history, now));
        if let Err(error) = saved {
            tracing::warn!(%error, "the last samples were not saved");
        }
        if let Err(error) = database.close() {
            tracing::warn!(%error, "the database was not closed in order");
        }
    }

    fn between_jobs(&mut self) {
        let now = Instant::now();
        if now >= self.next_removal {
            self.next_removal = now + BETWEEN_REMOVALS;
            self.remove_old();
        }
        if now >= self.keeper.next_turn(now) {
            self.keep();
        }
    }

    /// Events that come without a pause do not keep samples from being written for ever.
    fn keep_if_late(&mut self) {
        let now = Instant::now();
        if now < self.keeper.next_turn(now) {
            self.kept_at = now;
        } else if now >= self.kept_at + SAMPLES_WAIT {
            self.keep();
        }
    }

    /// Does a portion of what is to be done for the history.
    fn keep(&mut self) {
        self.kept_at = Instant::now();
        let (history, now) = (self.history.read().clone(), Timestamp::now());
        let (Some(database), keeper) = (self.database.as_mut(), &mut self.keeper) else { return };
        let done = database.keep(|connection| keeper.turn(connection, &history, now));
        self.vitals.file_bytes.store(database.file_bytes(), Ordering::Relaxed);
        let Err(error) = done else { return };
        self.keeper.forget();
        if error.is_busy() {
            tracing::debug!(%error, "samples are written later");
            return;
        }
        self.database = None;
        self.vitals.failures.fetch_add(1, Ordering::Relaxed);
        let trouble = format!("{}: {error}", self.database_path().display());
        // If there is no room, trouble is known already.
        let _ = self.troubles.as_ref().map(|troubles| troubles.try_send(trouble));
    }

    fn open_again(&mut self) -> Result<Option<Records>, Trouble> {
        if self.database.is_some() {
            return Ok(None);
        }
        let opened = self.open(Timestamp::now()).map_err(|unusable| unusable.to_string())?;
        let was_loaded = std::mem::replace(&mut self.is_loaded, true);
        Ok((!was_loaded).then_some(opened.records))
    }

    fn remove_old(&mut self) {
        let (history, now) = (self.history.read().clone(), Timestamp::now());
        let database = self.database.as_ref();
        let overdue = database.map(|database| database.is_overdue(&history, now));
        if matches!(overdue, Some(Ok(true)))
            && let Err(error) = self.commit(&Group::default(), now)
        {
            tracing::warn!(error, "old events were not removed");
        }
        let database = self.database.as_ref();
        let overdue = database.map(|database| database.is_audit_overdue(&history, now));
        if matches!(overdue, Some(Ok(true)))
            && let Err(error) = self.audit(&[])
        {
            tracing::warn!(error, "old entries of the audit were not removed");
        }
    }
}
