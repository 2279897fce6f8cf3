//! Peers that do not speak the protocol, or stop in the middle of it: none of them keeps its place.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Daemon, PATIENCE, Raw, until};
use crate::{crowd, quiet, until_clients};

/// So few places that one which is not given back is missed.
const PLACES: usize = 8;

async fn narrow(more: &str) -> Daemon {
    quiet("", &format!("[server]\nmax_connections = {PLACES}\nheader_timeout = \"300ms\"\n{more}"))
        .await
}

/// Waits for the end of a connection, in whatever way it ends; what came before it.
async fn ending(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
    answer
}

/// All places can be had, and served.
async fn is_as_before(daemon: &Daemon) {
    let clients = until("every place is free", async || {
        let mut clients = Vec::new();
        for index in 0..PLACES {
            let mut raw = Raw(crowd::connect(daemon.address, index).await);
            raw.send(crowd::handshake(daemon.address).as_bytes()).await;
            let mut status = [0; 12];
            timeout(PATIENCE, raw.0.read_exact(&mut status)).await.expect("in time").ok()?;
            (status.as_slice() == b"HTTP/1.1 101").then(|| clients.push(raw))?;
        }
        Some(clients)
    });
    drop(clients.await);
    let host = daemon.address;
    let request =
        format!("GET /api/v1/clients HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    until("its own numbers are told again", async || {
        // By hand: who finds no place is told so before it asks, which an HTTP client takes for a fault.
        let mut stream = crowd::connect(host, 0).await;
        stream.write_all(request.as_bytes()).await.ok()?;
        let answer = String::from_utf8(ending(&mut stream).await).expect("text");
        (answer.starts_with("HTTP/1.1 200") && answer.contains(r#"{"clients":[]}"#)).then_some(())
    })
    .await;
}

/// Bytes that nobody means, the same in each run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

#[tokio::test]
async fn garbage_instead_of_a_handshake_is_cut_off() {
    let daemon = narrow("").await;
    let mut texts: Vec<Vec<u8>> = (0..20).map(|seed| noise(seed, 1 << 10)).collect();
    texts.extend((20..24).map(|seed| noise(seed, 256 << 10)));
    texts.extend([
        // TLS, HTTP/2, a proxy's preface, SSH, and things that look like HTTP.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"GET /ws HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\0\r\n\r\n".to_vec(),
        [b"GET /ws HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 64 << 10]].concat(),
        b"\x81\x85\x01\x02\x03\x04hello".to_vec(),
        vec![0; 4 << 10],
        b"\r\n\r\n\r\n\r\n".to_vec(),
    ]);
    for (index, text) in texts.iter().enumerate() {
        let mut stream = crowd::connect(daemon.address, index).await;
        // It may hang up in the middle.
        let _ = stream.write_all(text).await;
        let answer = ending(&mut stream).await;
        assert!(!answer.starts_with(b"HTTP/1.1 101"), "{}", text.escape_ascii());
    }
    is_as_before(&daemon).await;
}

#[tokio::test]
async fn garbage_after_the_upgrade_ends_the_connection_and_no_other() {
    let daemon = narrow("").await;
    let mut other = daemon.websocket().await;
    other.next_of("initial_state").await;
    for seed in 0..40 {
        let stream = crowd::connect(daemon.address, seed as usize).await;
        let mut stream = crowd::upgrade(stream, daemon.address).await.0;
        let _ = stream.write_all(&noise(seed, 8 << 10)).await;
        // Noise may begin like a long message, whose rest is not to come.
        let _ = stream.shutdown().await;
        ending(&mut stream).await;
    }
    other.ask(serde_json::json!({"type": "ping"}), "pong").await;
    until_clients(&daemon, 1).await;
    drop(other);
    is_as_before(&daemon).await;
}

#[tokio::test]
async fn handshakes_that_are_never_finished_give_their_places_back() {
    let daemon = narrow("").await;
    let request = crowd::handshake(daemon.address);
    for round in 0..3 {
        let mut strangers = Vec::new();
        for index in 0..PLACES {
            let mut stream = crowd::connect(daemon.address, index).await;
            let sent = &request[..(index + round) * request.len() / (PLACES + 3)];
            let _ = stream.write_all(sent.as_bytes()).await;
            strangers.push(stream);
        }
        for mut stranger in strangers {
            let answer = ending(&mut stranger).await;
            assert!(!answer.starts_with(b"HTTP/1.1 101"), "{}", answer.escape_ascii());
        }
    }
    is_as_before(&daemon).await;
}

#[tokio::test]
async fn one_that_sends_its_head_byte_by_byte_is_cut_off_all_the_same() {
    let daemon = narrow("").await;
    let mut stream = crowd::connect(daemon.address, 0).await;
    let (mut reader, mut writer) = stream.split();
    let drip = async {
        for byte in crowd::handshake(daemon.address).bytes().cycle() {
            // Without the end of the head, for ever.
            if byte != b'\r' && byte != b'\n' && writer.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = drip => {}
        _ = reader.read_to_end(&mut answer) => {}
        () = tokio::time::sleep(PATIENCE) => panic!("it is still there"),
    }
    assert!(!answer.starts_with(b"HTTP/1.1 101"), "{}", answer.escape_ascii());
    is_as_before(&daemon).await;
}

#[tokio::test]
async fn half_closed_sockets_are_closed() {
    let daemon = narrow("").await;
    let request = crowd::handshake(daemon.address);
    // Before a word, in the middle of the head, right after it, and after the upgrade.
    for sent in [&request[..0], &request[..50], &request[..]] {
        for index in 0..PLACES {
            let mut stream = crowd::connect(daemon.address, index).await;
            let _ = stream.write_all(sent.as_bytes()).await;
            let _ = stream.shutdown().await;
            ending(&mut stream).await;
        }
    }
    for index in 0..PLACES {
        let stream = until("a place is free", async || {
            let mut stream = crowd::connect(daemon.address, index).await;
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut status = [0; 12];
            timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("in time").ok()?;
            (status.as_slice() == b"HTTP/1.1 101").then_some(stream)
        });
        let mut stream = stream.await;
        stream.shutdown().await.expect("a socket");
        ending(&mut stream).await;
    }
    is_as_before(&daemon).await;
}
