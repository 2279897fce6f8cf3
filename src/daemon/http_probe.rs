//! Whether HTTP is served: each accept loop answers, and so does the handler of `/healthz`.

use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint as _, Request, Response};
use tokio::sync::{mpsc, oneshot};

/// Asks an accept loop whether it gets on. It ends when the last of these is dropped.
pub(super) type Asking = mpsc::Sender<oneshot::Sender<()>>;

/// Asks whether HTTP is served. No connection is made: a host under a flood of them, or out of file
/// descriptors, is busy and not dead.
#[derive(Clone)]
pub(super) struct HttpProbe {
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    loops: Arc<Mutex<Vec<mpsc::WeakSender<oneshot::Sender<()>>>>>,
}

impl HttpProbe {
    pub(super) fn new(endpoint: Arc<BoxEndpoint<'static, Response>>) -> Self {
        Self { endpoint, loops: Arc::default() }
    }

    /// These are the accept loops from now on.
    pub(super) fn watch<'a>(&self, loops: impl Iterator<Item = &'a Asking>) {
        *self.loops.lock() = loops.map(mpsc::Sender::downgrade).collect();
    }

    /// True once all have answered.
    pub(super) async fn is_answered(&self) -> bool {
        let loops = self.loops.lock().clone();
        for asking in loops.iter().filter_map(mpsc::WeakSender::upgrade) {
            let (reply, answer) = oneshot::channel();
            if asking.send(reply).await.is_err() || answer.await.is_err() {
                return false;
            }
        }
        let request = Request::builder().uri_str("/healthz").finish();
        let answer = self.endpoint.call(request).await;
        answer.is_ok_and(|response| response.status() == StatusCode::OK)
    }
}
