//! How others reach the task of a collector.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::Notify;

/// The ways to reach every running collector. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Controls(Arc<RwLock<BTreeMap<String, Arc<Notify>>>>);

/// There is no running collector of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no running collector {0:?}")]
pub struct NotRunning(pub String);

impl Controls {
    /// Has a collector start anew: its failures are forgotten, its source is made again, and it
    /// collects at once.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub fn restart(&self, collector: &str) -> Result<(), NotRunning> {
        let controls = self.0.read();
        let control = controls.get(collector).ok_or_else(|| NotRunning(collector.to_owned()))?;
        control.notify_one();
        Ok(())
    }

    /// Makes a collector known, and returns what its task waits on.
    pub(super) fn add(&self, collector: &str) -> Arc<Notify> {
        let control = Arc::new(Notify::new());
        self.0.write().insert(collector.to_owned(), control.clone());
        control
    }

    pub(super) fn remove(&self, collector: &str) {
        self.0.write().remove(collector);
    }
}
