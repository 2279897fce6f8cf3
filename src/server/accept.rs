//! The accept loop: takes connections until it is told to stop, whatever a single one does.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio_util::either::Either;

use super::socket::{Accepted, Listener};
use super::{App, connection};
use crate::hub::Peer;

/// Out of file descriptors, say: to try again at once would only burn a processor.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);
/// It may go on for hours, at ten attempts a second.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// Serves `listener` until the other end of `asked` is dropped, and answers whoever asks by it whether
/// it does. Connections live on; [`App::close`] ends them.
pub async fn serve(
    listener: Listener,
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    app: App,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut warned: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            question = asked.recv() => match question {
                Some(reply) => {
                    // Whoever asked may have gone.
                    let _ = reply.send(());
                    continue;
                }
                None => return,
            },
        };
        match accepted {
            Ok((socket, peer)) => admit(socket, peer, &endpoint, &app),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if warned.is_none_or(|at| at.elapsed() > BETWEEN_WARNINGS) {
                    warned = Some(Instant::now());
                    tracing::warn!(%error, "cannot accept connections; trying again");
                } else {
                    tracing::debug!(%error, "cannot accept connections; trying again");
                }
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

fn admit<E>(socket: Accepted, peer: Peer, endpoint: &Arc<E>, app: &App)
where
    E: Endpoint<Output = Response> + 'static,
{
    let config = app.config();
    match app.admit(peer, &config) {
        Ok(permit) => {
            let (endpoint, app) = (endpoint.clone(), app.clone());
            tokio::spawn(connection::serve(socket, peer, endpoint, app, config, permit));
        }
        // To say so by TLS would take a handshake, of which there are too many already.
        Err(_) if matches!(socket, Either::Left(_)) && app.certificate().is_some() => {}
        Err(status) => {
            tokio::spawn(refuse(socket, status));
        }
    }
}

/// Says why in as few bytes as HTTP allows.
async fn refuse(mut socket: Accepted, status: StatusCode) {
    let text = format!(
        "HTTP/1.1 {status}\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let write = async {
        socket.write_all(text.as_bytes()).await?;
        socket.shutdown().await?;
        // A socket that is closed with bytes unread is reset, and the answer may be lost with it.
        let mut unread = [0; 1024];
        while socket.read(&mut unread).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // Who cannot take a hundred bytes in a second gets no answer.
    let _ = tokio::time::timeout(Duration::from_secs(1), write).await;
}

/// The connection ended before it was accepted (accept(2), "Error handling").
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
