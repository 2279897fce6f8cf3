//! Counts requests as they are answered.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use parking_lot::Mutex;

/// HTTP requests since the start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HttpTotals {
    /// Answers by status code.
    pub by_code: BTreeMap<u16, u64>,
    /// Time from the request's head to the answer's, over all requests.
    pub duration: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<HttpTotals>);

impl Meter {
    pub(super) fn record(&self, status: StatusCode, duration: Duration) {
        let mut totals = self.0.lock();
        *totals.by_code.entry(status.as_u16()).or_default() += 1;
        totals.duration += duration;
    }

    pub(super) fn totals(&self) -> HttpTotals {
        self.0.lock().clone()
    }
}
