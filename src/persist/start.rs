//! The beginning and the end of storage: where the number line goes on, and how it is left.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::archive::Reader;
use super::audit_book::AuditBook;
use super::backlog::Backlog;
use super::database::{Group, LineRow};
use super::disk::{Disk, Opened, Unusable};
use super::keeper::{Books, Recent};
use super::ledger::Ledger;
use super::publish::{Disks, Publisher};
use super::readers::Readers;
use super::side::Side;
use super::{Config, Folder, History, Vitals};
use crate::audit;
use crate::hub::{Archive, Gap, Line, Reason};
use crate::notify;
use crate::pipeline::{Handle, Records, Step};
use crate::store::history::Shelf;

/// Numbers that are reserved at once. After a crash the line goes on behind what was reserved.
pub(super) const BLOCK: u64 = 1 << 16;

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file}: another gz-monitor uses it; give this one a folder of its own by storage.path, or say storage.enabled = false", file = .0.display())]
    InUse(PathBuf),
    #[error("{file}: {reason}; set storage.path to another folder, or install the newer gz-monitor again", file = file.display())]
    Newer { file: PathBuf, reason: String },
    #[error("cannot start the thread of the database: {0}")]
    Thread(std::io::Error),
}

/// Storage that was read, before there is anything to be stored.
pub struct Ready {
    /// Where the number line goes on.
    pub line: Line,
    /// What was kept.
    pub records: Records,
    /// The last samples of the daemon before.
    pub recent: Recent,
    /// The samples that were kept.
    pub shelf: Option<Arc<dyn Shelf>>,
    /// The events that were kept.
    pub archive: Option<Arc<dyn Archive>>,
    /// What was kept of notifications.
    pub notifications: notify::Kept,
    /// How it is doing.
    pub vitals: Arc<Vitals>,
    config: Config,
    disk: Option<Disk>,
    backlog: Arc<Mutex<Backlog>>,
    trouble: Option<String>,
}

/// Storage at work.
pub struct Storage {
    pub vitals: Arc<Vitals>,
    /// Where notifications are kept. Storage ends when it is dropped.
    pub ledger: Option<Arc<dyn notify::Ledger>>,
    /// Where it is kept what was changed by whom, and the last number there. The same goes for it.
    pub audit: Option<(Arc<dyn audit::Book>, u64)>,
    history: Option<Arc<RwLock<History>>>,
    publisher: JoinHandle<()>,
    disk: Option<thread::JoinHandle<()>>,
}

/// Opens the database and reads it. A disk that does not work is no error: the daemon runs without,
/// says so, and tries again.
///
/// # Errors
/// [`Error`].
pub fn open(
    config: &Config,
    history: &History,
    folder: &Folder,
    now: Timestamp,
) -> Result<Ready, Error> {
    let vitals = Arc::new(Vitals::default());
    let ready = |line, records, recent, disk, trouble| {
        let (config, vitals) = (config.clone(), vitals.clone());
        Ready::new(config, vitals, line, (records, recent), disk, trouble)
    };
    let nothing = || (Records::default(), Recent::new());
    let Some(path) = folder.path() else {
        if *folder == Folder::Homeless {
            tracing::warn!(
                "there is no folder for the database, neither $STATE_DIRECTORY nor $HOME; events, tasks and alerts are in memory only; storage.path names one"
            );
        }
        let (records, recent) = nothing();
        return Ok(ready(Line::anew(0), records, recent, None, None));
    };
    let mut disk = Disk::new(path, config.sync, history.clone(), vitals.clone());
    let trouble = match disk.open(now) {
        Ok(opened) => match go_on(&mut disk, &opened, now) {
            Ok(line) => {
                tracing::info!(
                    file = %disk.database_path().display(), epoch = line.epoch, last = line.last,
                    events = opened.line.events, "storage is open"
                );
                disk.is_loaded = true;
                return Ok(ready(line, opened.records, opened.recent, Some(disk), None));
            }
            Err(trouble) => {
                disk.is_loaded = true;
                let line = Line::anew(opened.line.reserved);
                let Opened { records, recent, .. } = opened;
                return Ok(ready(line, records, recent, Some(disk), Some(trouble)));
            }
        },
        Err(Unusable::InUse) if matches!(folder, Folder::Usual(_)) => {
            tracing::warn!(
                file = %disk.database_path().display(),
                "another gz-monitor of this user has the database; this one keeps events, tasks and alerts in memory only; storage.path gives it a folder of its own"
            );
            let (records, recent) = nothing();
            return Ok(ready(Line::anew(0), records, recent, None, None));
        }
        Err(Unusable::InUse) => return Err(Error::InUse(disk.database_path())),
        Err(Unusable::Newer(refusal)) => {
            let (file, reason) = (disk.database_path(), refusal.to_string());
            return Err(Error::Newer { file, reason });
        }
        Err(Unusable::Trouble(trouble)) => trouble,
    };
    let (line, records) = match disk.look() {
        Some((line, records)) => {
            disk.is_loaded = true;
            (Line::anew(line.reserved), records)
        }
        // The numbers that are in there are not known; those that follow are to be above them.
        None => (Line::anew(now.as_millisecond().max(0) as u64), Records::default()),
    };
    Ok(ready(line, records, Recent::new(), Some(disk), Some(trouble)))
}

/// Where the line goes on, once that is in the database.
fn go_on(disk: &mut Disk, opened: &Opened, now: Timestamp) -> Result<Line, String> {
    let LineRow { epoch, reserved, .. } = &opened.line;
    let proof = opened.proof.as_ref();
    let is_proven = !opened.is_new
        && proof.is_some_and(|proof| proof.epoch == *epoch && proof.reserved <= *reserved);
    // Above whatever is known to have been given, in a new line as well.
    let last = proof.map_or(0, |proof| proof.reserved).max(*reserved);
    let mut line = Line::anew(last);
    if is_proven {
        line.epoch.clone_from(epoch);
    } else if !opened.is_new {
        tracing::warn!(
            file = %disk.database_path().display(),
            "the database cannot be proven to be the newest of its line; the stream gets a new epoch"
        );
    }
    line.limit = last + BLOCK;
    let lost_from = proof.filter(|_| is_proven).and_then(|proof| proof.lost_from);
    let lost = lost_from.map(|from| Gap { from, to: last, reason: Reason::Storage });
    let reserve = Some((line.epoch.clone(), line.limit));
    let group = Group { line: reserve, lost, floor: last, makes_whole: true, ..Group::default() };
    disk.commit(&group, now)?;
    Ok(line)
}

impl Ready {
    fn new(
        config: Config,
        vitals: Arc<Vitals>,
        line: Line,
        (records, recent): (Records, Recent),
        mut disk: Option<Disk>,
        trouble: Option<String>,
    ) -> Self {
        let backlog = Arc::new(Mutex::new(Backlog::new(*config.backlog)));
        vitals.is_on.store(disk.is_some(), Ordering::Relaxed);
        let notifications = disk.as_mut().and_then(|disk| disk.notifications.take());
        let readers = |disk: &Disk| Readers::new(&disk.database_path(), disk.generation.clone());
        let archive = disk
            .as_ref()
            .map(|disk| Arc::new(Reader::new(readers(disk), backlog.clone())) as Arc<dyn Archive>);
        let shelf = disk.as_ref().map(|disk| {
            Arc::new(Books::new(disk.keeper.catalogue.clone(), readers(disk))) as Arc<dyn Shelf>
        });
        let notifications = notifications.unwrap_or_default();
        Self {
            line,
            records,
            recent,
            shelf,
            archive,
            notifications,
            vitals,
            config,
            disk,
            backlog,
            trouble,
        }
    }

    /// Takes over: from now on every step is stored and published, in this order.
    ///
    /// # Errors
    /// [`Error::Thread`].
    pub fn start(self, handle: Handle, steps: mpsc::Receiver<Step>) -> Result<Storage, Error> {
        let Self { line, config, disk, backlog, trouble, vitals, .. } = self;
        let history = disk.as_ref().map(|disk| disk.history.clone());
        let (mut disks, mut thread, mut ledger, mut audit) = (None, None, None, None);
        let (telling, troubles) = mpsc::channel(1);
        if let Some(mut disk) = disk {
            disk.start(handle.clone(), telling);
            // One at a time: the next group is what has come together meanwhile. And one of
            // notifications beside it, and one of the audit.
            let (jobs, received) = sync_channel(3);
            let readers = Readers::new(&disk.database_path(), disk.generation.clone());
            let audited = disk.audited.unwrap_or_default();
            let proof = disk.proof.clone();
            let builder = thread::Builder::new().name("gz-storage".to_owned());
            let spawned = builder.spawn(move || disk.run(&received));
            thread = Some(spawned.map_err(Error::Thread)?);
            let limit = *config.commit_timeout;
            ledger =
                Some(Arc::new(Ledger(Side::new(jobs.clone(), limit))) as Arc<dyn notify::Ledger>);
            let book = AuditBook { side: Side::new(jobs.clone(), limit), readers };
            audit = Some((Arc::new(book) as Arc<dyn audit::Book>, audited));
            disks = Some(Disks { jobs, proof, troubles });
        }
        let stored = (line.limit < u64::MAX).then_some((line.epoch, line.limit));
        let publisher =
            Publisher::new(handle, steps, disks, backlog, vitals.clone(), &config, stored);
        let publisher = tokio::spawn(publisher.run(trouble));
        Ok(Storage { vitals, ledger, audit, history, publisher, disk: thread })
    }
}

impl Storage {
    /// Adopts new bounds of what is kept.
    pub fn configure(&self, history: &History) {
        if let Some(present) = &self.history {
            *present.write() = history.clone();
        }
    }

    /// Returns when all that came before the end of the pipeline is stored, and the database closed.
    pub async fn ended(mut self) {
        (self.ledger, self.audit) = (None, None);
        // It ends with the pipeline.
        let _ = self.publisher.await;
        if let Some(disk) = self.disk {
            let _ = tokio::task::spawn_blocking(move || disk.join()).await;
        }
    }
}
