//! Writes that take only a part, wherever it ends; clients that do not do their part of a farewell.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::SockRef;
use tokio_util::either::Either;

use super::super::Transport;
use super::{Frames, Served, json, masked, plain, tcp};
use crate::hub::{self, Client, SlowClient};
use crate::server::WebSocketConfig;

/// Sizes of messages, such that frames end at every place of a small buffer.
const MESSAGES: u64 = 120;

/// Publishes while a client reads in small pieces; it gets everything in order.
async fn read_in_pieces(served: Served, mut read: impl FnMut(&mut [u8]) -> usize + Send + 'static) {
    let reading = tokio::task::spawn_blocking(move || {
        let mut frames = Frames::default();
        assert_eq!(json(frames.next(&mut read, 7))["type"], "initial_state");
        for seq in 1..=MESSAGES {
            // From byte by byte to more than the kernel has.
            let piece = 1 + (seq * 37 % 900) as usize;
            assert_eq!(json(frames.next(&mut read, piece))["seq"], seq);
        }
    });
    served.until("there", |clients| clients.len() == 1).await;
    for index in 0..MESSAGES as usize {
        served.publish(index * 61 % 3_000);
    }
    reading.await.expect("all messages, whole and in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_whole_wherever_tcp_cuts_them() {
    let (server, mut client) = tcp();
    // The least that the kernel allows.
    SockRef::from(&server).set_send_buffer_size(1).expect("a small buffer");
    SockRef::from(&client).set_recv_buffer_size(1).expect("a small buffer");
    let served = Served::new();
    served.serve(plain(server), &[]).await;
    read_in_pieces(served, move |buffer| client.read(buffer).expect("bytes")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_whole_wherever_a_unix_socket_cuts_them() {
    let (server, mut client) = UnixStream::pair().expect("a connection");
    SockRef::from(&server).set_send_buffer_size(1).expect("a small buffer");
    server.set_nonblocking(true).expect("not to wait");
    let server = tokio::net::UnixStream::from_std(server).expect("a socket");
    let transport = Transport::new(Either::Right(server)).expect("a socket");
    let served = Served::new();
    served.serve(transport, &[]).await;
    read_in_pieces(served, move |buffer| client.read(buffer).expect("bytes")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_with_the_handshake_is_heard_first() {
    let served = Served::new();
    let (server, mut client) = tcp();
    let early = masked(0x81, br#"{"type":"ping"}"#);
    let (first, rest) = early.split_at(9);
    client.write_all(rest).expect("sent");
    served.serve(plain(server), first).await;
    let mut frames = Frames::default();
    let mut next = || json(frames.next(|buffer| client.read(buffer).expect("bytes"), 4096));
    assert_eq!(next()["type"], "initial_state");
    assert_eq!(next()["type"], "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_and_never_reads_the_answer_is_forgotten() {
    let served = Served::new();
    let (server, mut client) = tcp();
    served.serve(plain(server), &[]).await;
    served.until("there", |clients| clients.len() == 1).await;
    client.write_all(&masked(0x88, &1000u16.to_be_bytes())).expect("sent");
    served.until("gone", <[_]>::is_empty).await;
    assert_eq!(served.hub.clients.ended()[&1000], 1);
    assert_eq!((served.hub.clients.count(), served.app.connections().0), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ends_its_side_is_gone() {
    let served = Served::new();
    let (server, client) = tcp();
    served.serve(plain(server), &[]).await;
    served.until("there", |clients| clients.len() == 1).await;
    client.shutdown(Shutdown::Write).expect("an end");
    served.until("gone", <[_]>::is_empty).await;
    assert_eq!(served.hub.clients.ended()[&1006], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_slow_is_told_so_if_that_is_the_policy() {
    let websocket =
        WebSocketConfig { slow_client: SlowClient::Disconnect, ..WebSocketConfig::default() };
    let hub = hub::Config { client_buffer: 8, ..hub::Config::default() };
    let served = Served::with(hub, websocket);
    let (server, mut client) = tcp();
    SockRef::from(&server).set_send_buffer_size(1).expect("a small buffer");
    served.serve(plain(server), &[]).await;
    served.until("there", |clients| clients.len() == 1).await;
    while served.hub.clients.ended().is_empty() {
        served.publish(3_000);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(served.hub.clients.ended()[&1013], 1);
    let mut frames = Frames::default();
    let mut first = 0;
    while first != 0x88 {
        let (byte, payload) = frames.next(|buffer| client.read(buffer).expect("bytes"), 60_000);
        first = byte;
        assert!(first == 0x81 || payload.starts_with(&1013u16.to_be_bytes()), "{payload:?}");
    }
    assert_eq!(served.app.stream().slow_disconnects(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_sent_away_by_its_number_and_no_other() {
    let served = Served::new();
    let mut ends = Vec::new();
    for count in 1..=3 {
        let (server, client) = tcp();
        served.serve(plain(server), &[]).await;
        served.until("there", |clients| clients.len() == count).await;
        ends.push(client);
    }
    assert!(!served.app.shards.send_away(99).await);
    assert!(served.app.shards.send_away(2).await);
    let (mut frames, mut client) = (Frames::default(), ends.remove(1));
    let mut next = || frames.next(|buffer| client.read(buffer).expect("bytes"), 4096);
    assert_eq!(json(next())["type"], "initial_state");
    let (first, payload) = next();
    assert_eq!((first, &payload[..2]), (0x88, &1008u16.to_be_bytes()[..]));
    drop(client);
    let numbers = |clients: &[Client]| clients.iter().map(|client| client.number).eq([1, 3]);
    served.until("gone", numbers).await;
}
