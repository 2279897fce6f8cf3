//! What is done while the disk fails, until it works again, and at the end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::{Landing, Phase, Publisher, land};
use crate::alert;
use crate::persist::database::Group;
use crate::persist::disk::{Job, Trouble};
use crate::persist::proof::Proof;
use crate::persist::start::BLOCK;
use crate::pipeline::{Command, Input, Step};
use crate::severity::Severity;

/// The rule of the alert that tells of trouble.
const RULE: &str = "storage";
/// Between two attempts to have the disk work again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a mark may take that says that events may be lost. A disk that hangs gets none.
const MARK_TIMEOUT: Duration = Duration::from_millis(200);

impl Publisher {
    /// Keeps in memory what is published without being stored.
    pub(super) async fn remember(&mut self, steps: &[Step]) {
        let first = steps.iter().flat_map(Step::events).next().map(|event| event.seq);
        if let Some(first) = first.filter(|_| !self.is_marked) {
            self.is_marked = true;
            self.mark(first).await;
        }
        {
            let mut backlog = self.backlog.lock();
            for (event, at) in steps.iter().flat_map(|s| s.events().map(|e| (e.clone(), s.at))) {
                backlog.add(event, at.wall);
            }
            self.vitals.backlog.store(backlog.len(), Ordering::Relaxed);
        }
        for step in steps {
            if self.phase == Phase::Recovering
                && let Some(group) = &mut self.meanwhile
            {
                group.add(step);
                if group.tasks.len() + group.alerts.len() + group.events.len() > self.queue {
                    self.meanwhile = None;
                }
            }
            if step.snapshot.is_some() && self.phase == Phase::Asking {
                self.recover(step);
            }
        }
    }

    /// Has the file beside the database say that events from this number on may be lost, so that
    /// nobody is told later that all of them are there. It may be that the disk does not take that
    /// either; then all that is known of it dies with this process.
    async fn mark(&self, lost_from: u64) {
        let file = self.disks.as_ref().and_then(|disks| disks.proof.lock().clone());
        if let (Some(file), Some((epoch, reserved))) = (file, self.stored.clone()) {
            let proof = Proof { epoch, reserved, lost_from: Some(lost_from) };
            let written = tokio::task::spawn_blocking(move || file.write(&proof));
            if !matches!(timeout(MARK_TIMEOUT, written).await, Ok(Ok(Ok(())))) {
                tracing::warn!("the disk does not even take the mark that events may be lost");
            }
        }
    }

    /// Stores all tasks and alerts as they are at this step, and all events that wait.
    fn recover(&mut self, step: &Step) {
        self.is_restoring = false;
        let line = self.handle.hub.line();
        let mut group = Group {
            snapshot: step.snapshot.clone(),
            line: Some((line.epoch, line.last + BLOCK)),
            floor: line.last,
            ..Group::default()
        };
        {
            let backlog = self.backlog.lock();
            (group.events, group.lost) = (backlog.all(), backlog.lost());
            if let Some(first) = backlog.first() {
                group.floor = first - 1;
            }
        }
        let last = group.events.last().map(|(event, _)| event.seq);
        self.storing_backlog = last.max(group.lost.map(|lost| lost.to)).unwrap_or(0);
        (self.phase, self.meanwhile) = (Phase::Recovering, Some(Group::default()));
        self.commit(group);
    }

    pub(super) fn committed(&mut self) {
        if let Some((epoch, reserved)) = self.storing.take() {
            self.handle.hub.allow(&epoch, reserved);
            self.stored = Some((epoch, reserved));
        }
        match self.phase {
            Phase::Recovering => {
                let mut backlog = self.backlog.lock();
                backlog.stored(self.storing_backlog);
                self.vitals.backlog.store(backlog.len(), Ordering::Relaxed);
                drop(backlog);
                match self.meanwhile.take() {
                    Some(group) => {
                        self.phase = Phase::CatchingUp;
                        self.commit(Group { makes_whole: true, ..group });
                    }
                    None => self.phase = Phase::Resting(Instant::now()),
                }
            }
            Phase::CatchingUp => self.recovered(),
            // It came late; now that it works again, everything else is to be stored as well.
            Phase::Resting(_) => self.phase = Phase::Resting(Instant::now()),
            Phase::Well | Phase::Opening | Phase::Asking => {}
        }
    }

    fn recovered(&mut self) {
        self.backlog.lock().stored(u64::MAX);
        self.vitals.backlog.store(0, Ordering::Relaxed);
        self.vitals.is_degraded.store(false, Ordering::Relaxed);
        (self.phase, self.is_marked) = (Phase::Well, false);
        tracing::info!("storage works again, and all that was kept in memory is on disk");
        self.resolve_alert();
    }

    pub(super) fn fall_ill(&mut self, trouble: Trouble) {
        self.meanwhile = None;
        let was_well = !self.vitals.is_degraded.swap(true, Ordering::Relaxed);
        self.phase = Phase::Resting(Instant::now() + RETRY);
        if !was_well {
            return tracing::debug!(trouble, "storage still does not work");
        }
        tracing::error!(trouble, "storage does not work: the stream goes on, in memory only");
        let mut message = format!("Events, tasks and alerts are kept in memory only: {trouble}");
        message.truncate(message.floor_char_boundary(4_000));
        let report = alert::Report {
            rule_id: RULE.to_owned(),
            rule_name: "Storage".to_owned(),
            severity: Severity::High,
            labels: alert::Labels::new(),
            annotations: alert::Labels::new(),
            message,
            value: None,
            threshold: None,
        };
        self.wishes.push_back(Input::Command(Command::FireAlert(report)));
    }

    pub(super) fn resolve_alert(&mut self) {
        let id = alert::id_of(RULE, &alert::Labels::new());
        let is_firing = |alert: &alert::Alert| alert.state == alert::State::Firing;
        // What was wished last may not have come about yet.
        let is_wished = self.wishes.iter().any(|wish| matches!(wish, Input::Command(_)));
        if is_wished || self.handle.read(|state, _| state.alerts.get(&id).is_some_and(is_firing)) {
            self.wishes.push_back(Input::Command(Command::ResolveAlert { id }));
        }
    }

    /// The pipeline has ended: everything is stored that is not, and no number is left reserved.
    pub(super) async fn finish(&mut self) {
        let Some(disks) = &self.disks else { return };
        let limit = self.commit_timeout;
        if self.flight.is_some() {
            let landing = timeout(limit, land(&mut self.flight)).await;
            self.is_restoring |= matches!(landing, Ok(Landing::Opened(Ok(Some(_)))));
        }
        if self.is_restoring {
            // What is in the database is more than what is known here.
            return;
        }
        let line = self.handle.hub.line();
        let line = Some((line.epoch, line.last));
        let group = if self.phase == Phase::Well {
            Group { line, ..Group::default() }
        } else {
            let (reply, opened) = oneshot::channel();
            let given = disks.jobs.try_send(Job::Open(reply)).is_ok();
            // One that was never read has tasks and alerts that are not known here.
            if !given || !matches!(timeout(limit, opened).await, Ok(Ok(Ok(None)))) {
                return;
            }
            let backlog = self.backlog.lock();
            Group {
                line,
                snapshot: Some(self.handle.read(|state, _| state.records())),
                events: backlog.all(),
                lost: backlog.lost(),
                makes_whole: true,
                ..Group::default()
            }
        };
        let (reply, done) = oneshot::channel();
        if disks.jobs.try_send(Job::Commit(Box::new(group), reply)).is_ok() {
            let _ = timeout(limit, done).await;
        }
    }
}
