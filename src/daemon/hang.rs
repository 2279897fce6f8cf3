//! Has a part of the daemon hang, for the tests of the watchdog; nothing in a release build.

/// Runs a part of the daemon. Of a debug build, the one that `$GZ_MONITOR_DEBUG_HANG` names stops
/// where it is at SIGUSR1, with all that it holds.
#[cfg(debug_assertions)]
pub(super) async fn can_hang(name: &str, part: impl Future<Output = ()>) {
    use tokio::signal::unix::{SignalKind, signal};

    if std::env::var("GZ_MONITOR_DEBUG_HANG").as_deref() != Ok(name) {
        return part.await;
    }
    let Ok(mut told) = signal(SignalKind::user_defined1()) else { return part.await };
    let mut part = std::pin::pin!(part);
    tokio::select! {
        () = &mut part => {}
        _ = told.recv() => std::future::pending().await,
    }
}

/// Runs a part of the daemon.
#[cfg(not(debug_assertions))]
pub(super) async fn can_hang(_: &str, part: impl Future<Output = ()>) {
    part.await;
}
