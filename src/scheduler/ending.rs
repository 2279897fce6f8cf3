//! Knows when a source has ended, on whatever thread it was used last.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::plugin::process::GRACE;

/// How long the end of a source is waited for: what it has, and a little for it to be noticed. One
/// that hangs in this process ends late or never.
const PATIENCE: Duration = GRACE.saturating_add(Duration::from_millis(500));

/// Kept by whatever may still use a source.
#[derive(Debug)]
pub struct Alive {
    _sender: mpsc::Sender<Infallible>,
}

/// Told when every [`Alive`] of a source is gone.
#[derive(Debug)]
pub(super) struct Gone(mpsc::Receiver<Infallible>);

/// Both sides of one source.
pub(super) fn pair() -> (Alive, Gone) {
    let (sender, receiver) = mpsc::channel(1);
    (Alive { _sender: sender }, Gone(receiver))
}

impl Gone {
    /// Waits for the end, but not for long.
    pub(super) async fn wait(mut self) {
        let _ = tokio::time::timeout(PATIENCE, self.0.recv()).await;
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_closed()
    }
}
