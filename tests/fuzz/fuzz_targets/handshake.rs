//! Offers of subprotocols and extensions, whatever they are: what is answered is one of a few texts,
//! and nothing that the client said.

#![no_main]

use gz_monitor::server::ws::handshake::{PROTOCOLS, judge};
use http::{HeaderMap, HeaderValue, Method, Version};
use libfuzzer_sys::fuzz_target;

const DEFLATE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

fuzz_target!(|input: &[u8]| {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "h"),
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A line each; those that begin with a p are of subprotocols.
    for line in input.split(|byte| *byte == b'\n') {
        let (name, line) = match line {
            [b'p', rest @ ..] if !line.starts_with(b"permessage") => {
                ("sec-websocket-protocol", rest)
            }
            _ => ("sec-websocket-extensions", line),
        };
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name, value);
        }
    }
    let Ok(accepted) = judge(&Method::GET, Version::HTTP_11, &headers, true) else {
        return;
    };
    let (coding, answer) = (accepted.coding(), accepted.headers());
    let said = |name: &str| answer.get(name).map(|value| value.to_str().expect("ASCII"));
    let known = |protocol| PROTOCOLS.into_iter().find(|(name, _)| *name == protocol);
    match said("sec-websocket-protocol") {
        Some(protocol) => assert_eq!(known(protocol).map(|(_, e)| e), Some(coding.encoding)),
        None => assert_eq!(coding.encoding, Default::default()),
    }
    let extension = said("sec-websocket-extensions");
    assert_eq!(extension.is_some(), coding.deflate);
    let rest = extension.map(|text| text.strip_prefix(DEFLATE).expect("ours"));
    assert!(matches!(rest, None | Some("" | "; server_max_window_bits=15")));
});
