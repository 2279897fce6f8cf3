//! What a client was given on its connection, so that nothing is sent twice to who resumes.

use crate::hub::{Filter, Subject};

/// Runs that are remembered. Who changes its filter more often cannot resume on the same connection.
const GIVEN_MAX: usize = 16;

/// A run of the stream of which a client was given what a filter matches.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) filter: Filter,
}

impl Given {
    pub(super) fn has(&self, seq: u64, subject: &Subject) -> bool {
        (self.from..=self.to).contains(&seq) && self.filter.matches(subject)
    }
}

/// All that a client was given by filters before its present one.
#[derive(Debug)]
pub(super) struct Past {
    /// The number of the first message that was due by the present filter.
    pub(super) from: u64,
    /// `None` once there were too many. Most clients have none.
    #[expect(clippy::box_collection, reason = "there is one of these for every connection")]
    runs: Option<Box<Vec<Given>>>,
    is_forgotten: bool,
}

impl Past {
    pub(super) fn new(from: u64) -> Self {
        Self { from, runs: None, is_forgotten: false }
    }

    /// The runs; `None` if they were too many to remember.
    pub(super) fn runs(&self) -> Option<Vec<Given>> {
        let runs = self.runs.as_deref().cloned().unwrap_or_default();
        (!self.is_forgotten).then_some(runs)
    }

    /// Remembers what is being sent again: it is not to be sent a third time.
    pub(super) fn push(&mut self, run: Given) {
        if !self.is_forgotten {
            self.runs.get_or_insert_default().push(run);
        }
    }

    /// Another filter is in force for what comes behind `to`.
    pub(super) fn change(&mut self, to: u64, filter: Filter) {
        self.push(Given { from: self.from, to, filter });
        self.from = to + 1;
        if self.runs.as_ref().is_some_and(|runs| runs.len() > GIVEN_MAX) {
            (self.runs, self.is_forgotten) = (None, true);
        }
    }
}
