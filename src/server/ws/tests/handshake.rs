//! Upgrade requests, good and bad.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use crate::hub::{Coding, Encoding};
use crate::server::ws::handshake::{Accepted, Refusal, judge};

/// The request of the RFC (section 1.3), without the subprotocols.
const REQUEST: [(&str, &str); 5] = [
    ("host", "server.example.com"),
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
];

/// The request with its headers of these names replaced, by none for an empty value.
fn with(changes: &[(&str, &str)]) -> HeaderMap {
    let kept = REQUEST.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let new = changes.iter().filter(|(_, value)| !value.is_empty());
    let header = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    kept.chain(new).map(header).fold(HeaderMap::new(), |mut headers, (name, value)| {
        headers.append(name, value);
        headers
    })
}

fn get(changes: &[(&str, &str)]) -> Result<Accepted, Refusal> {
    judge(&Method::GET, Version::HTTP_11, &with(changes), true)
}

fn in_words(answer: Result<Accepted, Refusal>) -> String {
    let (status, headers, reason) = match answer {
        Ok(accepted) => (101, accepted.headers(), ""),
        Err(refusal) => (refusal.status.as_u16(), refusal.headers(), refusal.reason),
    };
    let headers =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    format!("{status} {reason}\n{}", headers.join("\n"))
}

#[test]
fn the_request_of_the_rfc_is_granted() {
    insta::assert_snapshot!(in_words(get(&[])), @r"
    101 
    connection: Upgrade
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
    upgrade: websocket
    ");
}

#[test]
fn header_lists_are_read_as_lists() {
    let check = |changes: &[(&str, &str)]| assert!(get(changes).is_ok(), "{changes:?}");
    check(&[("connection", "keep-alive, Upgrade")]);
    check(&[("connection", "keep-alive"), ("connection", ",\tUPGRADE ,")]);
    check(&[("upgrade", "WebSocket")]);
    check(&[("upgrade", "h2c, websocket")]);
    check(&[("upgrade", "h2c"), ("upgrade", "websocket")]);
    // Unused bits of the last letter are set.
    check(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZR==")]);
    check(&[("sec-websocket-extensions", "")]);
}

#[test]
fn the_first_subprotocol_that_is_known_is_agreed_on() {
    let check = |offers: &[&str], expected: Option<&str>, encoding| {
        let offers: Vec<_> = offers.iter().map(|o| ("sec-websocket-protocol", *o)).collect();
        let accepted = get(&offers).unwrap();
        assert_eq!(accepted.coding(), Coding { encoding, deflate: false }, "{offers:?}");
        let header = accepted.headers().get("sec-websocket-protocol").cloned();
        assert_eq!(header.as_ref().map(|h| h.to_str().unwrap()), expected, "{offers:?}");
    };
    let (json, msgpack) = ("gz-monitor.v1.json", "gz-monitor.v1.msgpack");
    check(&[], None, Encoding::Json);
    check(&["chat, superchat"], None, Encoding::Json);
    check(&["GZ-MONITOR.V1.MSGPACK"], None, Encoding::Json);
    check(&[json], Some(json), Encoding::Json);
    check(
        &["gz-monitor.v2.json, gz-monitor.v1.msgpack,gz-monitor.v1.json"],
        Some(msgpack),
        Encoding::MessagePack,
    );
    check(&["chat", json, msgpack], Some(json), Encoding::Json);
    // A token is not to be repeated to whoever can see the answer.
    check(&["bearer.c2VjcmV0, gz-monitor.v1.msgpack"], Some(msgpack), Encoding::MessagePack);
    check(&["bearer.c2VjcmV0"], None, Encoding::Json);
}

#[test]
fn compression_is_agreed_on_if_it_is_offered_and_allowed() {
    let offer = [("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")];
    let accepted = get(&offer).unwrap();
    assert!(accepted.coding().deflate);
    insta::assert_snapshot!(in_words(Ok(accepted)), @r"
    101 
    connection: Upgrade
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
    sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover
    upgrade: websocket
    ");
    let accepted = judge(&Method::GET, Version::HTTP_11, &with(&offer), false).unwrap();
    assert!(!accepted.coding().deflate);
    assert!(!accepted.headers().contains_key("sec-websocket-extensions"));
}

#[test]
fn what_is_not_a_websocket_request_is_told_so() {
    insta::assert_snapshot!(in_words(judge(&Method::POST, Version::HTTP_11, &with(&[]), true)), @r"
    405 A WebSocket connection is opened with GET.
    allow: GET
    ");
    insta::assert_snapshot!(in_words(judge(&Method::GET, Version::HTTP_10, &with(&[]), true)), @"
    400 A WebSocket connection is opened with HTTP/1.1.
    ");
    let plain = [("upgrade", ""), ("connection", "keep-alive")];
    insta::assert_snapshot!(in_words(get(&plain)), @r#"
    426 This address speaks WebSocket only: the request must have "Upgrade: websocket".
    connection: Upgrade
    upgrade: websocket
    "#);
    assert_eq!(get(&[("upgrade", "h2c")]), get(&plain));
    insta::assert_snapshot!(in_words(get(&[("sec-websocket-version", "8")])), @r"
    426 Sec-WebSocket-Version must be 13.
    connection: Upgrade
    sec-websocket-version: 13
    upgrade: websocket
    ");
    assert_eq!(get(&[("sec-websocket-version", "")]), get(&[("sec-websocket-version", "13, 8")]));
    assert_eq!(get(&[("sec-websocket-version", "")]), get(&[("sec-websocket-version", "8")]));
}

#[test]
fn a_broken_websocket_request_is_refused() {
    let check = |changes: &[(&str, &str)], expected: &str| {
        let refusal = get(changes).unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.reason), (400, expected), "{changes:?}");
    };
    let host = "The request must have one Host header.";
    check(&[("host", "")], host);
    check(&[("host", "a"), ("host", "b")], host);
    let connection = "The Connection header must name Upgrade.";
    check(&[("connection", "")], connection);
    check(&[("connection", "keep-alive")], connection);
    check(&[("connection", "upgraded, not-upgrade")], connection);
    let key = "Sec-WebSocket-Key must be 16 bytes in base64.";
    check(&[("sec-websocket-key", "")], key);
    check(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ")], key);
    check(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub24=")], key);
    check(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ!=")], key);
    check(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZSEh")], key);
    let broken = "Sec-WebSocket-Extensions is no list of extensions.";
    check(&[("sec-websocket-extensions", "permessage-deflate;")], broken);
    let twice = [("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="); 2];
    check(&twice, key);
}
