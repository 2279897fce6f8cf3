//! What the notifier is given of the daemon.

use std::sync::Arc;

use super::Plugins;
use crate::api;
use crate::notify::{Kept, Ledger, Means, Notice};
use crate::pipeline::Handle;
use crate::server::Past;

/// Everything that it needs; `kept` is what the daemon before has left.
pub(super) fn means(
    pipeline: &Handle,
    past: &Past,
    ledger: Option<Arc<dyn Ledger>>,
    kept: Kept,
    plugins: &Plugins,
) -> Means {
    let handle = pipeline.clone();
    let look = move || {
        let (alerts, cursor, _) = handle.read_and_follow(|state, _| {
            let alerts = state.alerts.iter().map(api::Alert::from);
            alerts.collect::<Vec<_>>()
        });
        // As the stream has them.
        let alerts = alerts.iter().filter_map(|alert| {
            let text = api::encode(alert);
            serde_json::from_str::<Notice>(&text).ok()
        });
        (alerts.collect(), cursor.position())
    };
    Means {
        hub: pipeline.hub.clone(),
        archive: past.archive.clone(),
        ledger,
        kept,
        look: Arc::new(look),
        launcher: plugins.host().launcher(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}
