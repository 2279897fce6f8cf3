//! TLS, from the handshake's end on, with a client that is rustls' own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use rustls::{StreamOwned, SupportedProtocolVersion, version};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

use super::super::Transport;
use super::{Frames, PATIENCE, Served, json, masked, stream, tcp};

type TlsClient = StreamOwned<ClientConnection, TcpStream>;

/// A handshake that is done, with what the client has sent right after it.
async fn connect(
    versions: &[&'static SupportedProtocolVersion],
    early: &[u8],
) -> (Transport, TlsClient) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a root");
    let provider = Arc::new(ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a certificate");
    let (ours, theirs) = tcp();
    theirs.set_nodelay(true).expect("no delay");
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(client), name).expect("a session");
    let mut theirs = StreamOwned::new(session, theirs);
    let early = early.to_vec();
    let handshake = tokio::task::spawn_blocking(move || {
        // Its last words of the handshake and its first ones go together.
        theirs.write_all(&early).expect("sent");
        theirs.flush().expect("sent");
        theirs
    });
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let session = acceptor.accept(stream(ours)).await.expect("a handshake");
    let client = handshake.await.expect("a handshake");
    let stream = Either::Left(Either::Right(Box::new(session)));
    (Transport::new(stream).expect("a socket"), client)
}

/// The next frame, however it is cut.
fn next(client: &mut TlsClient, frames: &mut Frames) -> (u8, Vec<u8>) {
    frames.next(|buffer| client.read(buffer).expect("bytes"), 5_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_encrypted_and_what_was_said_at_once_is_heard() {
    for versions in [[&version::TLS12], [&version::TLS13]] {
        let served = Served::new();
        let (transport, mut client) =
            connect(&versions, &masked(0x81, br#"{"type":"ping"}"#)).await;
        served.serve(transport, &[]).await;
        served.until("there", |clients| clients.len() == 1).await;
        let mut frames = Frames::default();
        assert_eq!(json(next(&mut client, &mut frames))["type"], "initial_state");
        assert_eq!(json(next(&mut client, &mut frames))["type"], "pong");
        let seq = served.publish(100);
        assert_eq!(json(next(&mut client, &mut frames))["seq"], seq);
        client.write_all(&masked(0x89, b"?")).expect("sent");
        assert_eq!(next(&mut client, &mut frames), (0x8a, b"?".to_vec()));
        client.write_all(&masked(0x88, &1000u16.to_be_bytes())).expect("sent");
        assert_eq!(next(&mut client, &mut frames), (0x88, 1000u16.to_be_bytes().to_vec()));
        assert_eq!(client.read(&mut [0]).expect("the end is said in TLS, too"), 0);
        drop(client);
        served.until("gone", <[_]>::is_empty).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_gets_everything_when_it_goes_on() {
    const MESSAGES: u64 = 300;
    let served = Served::new();
    let (transport, mut client) = connect(&[&version::TLS13], &[]).await;
    served.serve(transport, &[]).await;
    served.until("there", |clients| clients.len() == 1).await;
    for index in 0..MESSAGES as usize {
        served.publish(20_000 + index);
    }
    // More than the kernel and TLS take.
    served.until("behind", |clients| clients[0].lag.messages > 0).await;
    let reading = tokio::task::spawn_blocking(move || {
        let mut frames = Frames::default();
        assert_eq!(json(next(&mut client, &mut frames))["type"], "initial_state");
        let mut messages = 1..=MESSAGES;
        // What has left the log is told, because nobody keeps it here.
        let mut last = 0;
        while last < MESSAGES {
            let message = json(next(&mut client, &mut frames));
            last = match message["type"].as_str() {
                Some("gap") => message["data"]["to"].as_u64().expect("a number"),
                _ => message["seq"].as_u64().expect("a number"),
            };
            assert!(messages.any(|seq| seq == last), "{message} is out of order");
        }
        // Longer than the records that TLS is made of, and both ways at once.
        client.write_all(&masked(0x81, br#"{"type":"ping"}"#)).expect("sent");
        assert_eq!(json(next(&mut client, &mut frames))["type"], "pong");
    });
    tokio::time::timeout(PATIENCE, reading).await.expect("in time").expect("all messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_ends_the_connection_and_so_does_an_end_without_a_word() {
    let served = Served::new();
    let (transport, client) = connect(&[&version::TLS13], &[]).await;
    served.serve(transport, &[]).await;
    served.until("there", |clients| clients.len() == 1).await;
    let (_, mut raw) = client.into_parts();
    raw.write_all(&[0x17, 3, 3, 0, 20]).expect("sent");
    raw.write_all(&[9; 20]).expect("sent");
    served.until("gone", <[_]>::is_empty).await;
    let (transport, client) = connect(&[&version::TLS13], &[]).await;
    served.serve(transport, &[]).await;
    served.until("there", |clients| clients.len() == 1).await;
    drop(client.into_parts());
    served.until("gone", <[_]>::is_empty).await;
    assert_eq!(served.hub.clients.ended()[&1006], 2);
}
