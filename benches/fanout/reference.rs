//! The server that ours is measured against: poem's WebSocket stream, tokio's broadcast channel and a
//! task per client, as one writes it from their documentation.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::Data;
use poem::web::websocket::{Message, WebSocket, WebSocketStream};
use poem::{EndpointExt as _, IntoResponse, Route, Server, get, handler};
use serde::Deserialize;
use tokio::sync::broadcast::{self, error::RecvError};

use super::message;
use super::server::Publish;

/// More than are ever under way: nobody is to lose a message.
const CHANNEL: usize = 4_096;

/// An update of a task.
struct Update {
    task: String,
    text: String,
}

type Updates = broadcast::Sender<Arc<Update>>;

pub async fn start() -> anyhow::Result<(SocketAddr, Publish)> {
    let (updates, _) = broadcast::channel(CHANNEL);
    let app = Route::new().at("/ws", get(stream)).data(updates.clone());
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    let address =
        acceptor.local_addr().into_iter().find_map(|address| address.as_socket_addr().copied());
    tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
    let publish = move |task, number, data: String| {
        let text = message::envelope(number, &data);
        // Nobody may be there to get it.
        let _ = updates.send(Arc::new(Update { task, text }));
    };
    Ok((address.context("an address")?, Box::new(publish)))
}

#[handler]
fn stream(socket: WebSocket, Data(updates): Data<&Updates>) -> impl IntoResponse + use<> {
    let updates = updates.subscribe();
    socket.on_upgrade(move |socket| serve(socket, updates))
}

async fn serve(mut socket: WebSocketStream, mut updates: broadcast::Receiver<Arc<Update>>) {
    let mut wanted: Option<Vec<String>> = None;
    loop {
        tokio::select! {
            update = updates.recv() => match update {
                Ok(update) => {
                    let is_wanted = wanted.as_ref().is_none_or(|ids| ids.contains(&update.task));
                    let text = || Message::Text(update.text.clone());
                    if is_wanted && socket.send(text()).await.is_err() {
                        return;
                    }
                }
                // The client sees that there is a gap.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let Ok(subscribe) = serde_json::from_str::<Subscribe>(&text) else { return };
                    wanted = Some(subscribe.filter.task_ids);
                    let answer = Message::text(r#"{"type":"subscribed"}"#);
                    if socket.send(answer).await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

#[derive(Deserialize)]
struct Subscribe {
    filter: Filter,
}

#[derive(Deserialize)]
struct Filter {
    task_ids: Vec<String>,
}
