//! The opening handshake: what an upgrade request is answered (RFC 6455 section 4.2).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::header::{
    ALLOW, CONNECTION, HOST, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use sha1::{Digest, Sha1};

use super::extension::{self, Deflate};
use crate::hub::{Coding, Encoding};

/// Appended to a client's key before it is hashed (section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A key is only echoed, so unused bits that are set in its last letter do no harm.
const KEY_ENCODING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The subprotocols of this server, each with the encoding that it stands for. Others, such as one
/// that bears a token, are neither chosen nor repeated.
pub const PROTOCOLS: [(&str, Encoding); 2] =
    [("gz-monitor.v1.json", Encoding::Json), ("gz-monitor.v1.msgpack", Encoding::MessagePack)];

/// An upgrade request that can be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The subprotocol agreed on.
    protocol: Option<(&'static str, Encoding)>,
    deflate: Option<Deflate>,
    accept: HeaderValue,
}

/// Why a request is not granted, and how to say so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    pub status: StatusCode,
    /// A sentence for the body of the answer.
    pub reason: &'static str,
    headers: &'static [(HeaderName, &'static str)],
}

impl Accepted {
    /// How the client is spoken to from then on.
    pub fn coding(&self) -> Coding {
        let encoding = self.protocol.map(|(_, encoding)| encoding).unwrap_or_default();
        Coding { encoding, deflate: self.deflate.is_some() }
    }

    /// The headers of the answer, whose status is 101.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if let Some((protocol, _)) = self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        if let Some(deflate) = self.deflate {
            let answer = HeaderValue::from_static(deflate.answer());
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, answer);
        }
        headers
    }
}

impl Refusal {
    /// The headers that the status asks for, beyond those of every answer.
    pub fn headers(&self) -> HeaderMap {
        let header = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        self.headers.iter().map(header).collect()
    }

    const fn bad_request(reason: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason, headers: &[] }
    }
}

const NOT_GET: Refusal = Refusal {
    status: StatusCode::METHOD_NOT_ALLOWED,
    reason: "A WebSocket connection is opened with GET.",
    headers: &[(ALLOW, "GET")],
};

const NOT_AN_UPGRADE: Refusal = Refusal {
    status: StatusCode::UPGRADE_REQUIRED,
    reason: "This address speaks WebSocket only: the request must have \"Upgrade: websocket\".",
    headers: &[(UPGRADE, "websocket"), (CONNECTION, "Upgrade")],
};

const WRONG_VERSION: Refusal = Refusal {
    status: StatusCode::UPGRADE_REQUIRED,
    reason: "Sec-WebSocket-Version must be 13.",
    headers: &[(UPGRADE, "websocket"), (CONNECTION, "Upgrade"), (SEC_WEBSOCKET_VERSION, "13")],
};

/// Judges a request for an upgrade. Of the subprotocols that the client offers the first one in
/// [`PROTOCOLS`] is agreed on, in the client's order, and none if there is none; of the extensions
/// permessage-deflate, if `deflate` allows it. Whether this client may connect at all (origin,
/// token) is for others to say.
///
/// # Errors
/// The first rule of section 4.2.1 that the request breaks.
pub fn judge(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
    deflate: bool,
) -> Result<Accepted, Refusal> {
    if method != Method::GET {
        return Err(NOT_GET);
    }
    if version != Version::HTTP_11 {
        return Err(Refusal::bad_request("A WebSocket connection is opened with HTTP/1.1."));
    }
    if only(headers, &HOST).is_none() {
        return Err(Refusal::bad_request("The request must have one Host header."));
    }
    if !tokens(headers, &UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket")) {
        return Err(NOT_AN_UPGRADE);
    }
    if !tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return Err(Refusal::bad_request("The Connection header must name Upgrade."));
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(WRONG_VERSION);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let key = key.ok_or(Refusal::bad_request("Sec-WebSocket-Key must be 16 bytes in base64."))?;
    let protocol = tokens(headers, &SEC_WEBSOCKET_PROTOCOL)
        .find_map(|offer| PROTOCOLS.into_iter().find(|(name, _)| *name == offer));
    let offers = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().map(HeaderValue::as_bytes);
    let agreed = extension::agree(offers)
        .map_err(|_| Refusal::bad_request("Sec-WebSocket-Extensions is no list of extensions."))?;
    Ok(Accepted { protocol, deflate: agreed.filter(|_| deflate), accept: accept(key) })
}

/// The value of a header that must be there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (value, more) = (values.next()?, values.next());
    value.to_str().ok().filter(|_| more.is_none()).map(str::trim)
}

/// The members of a header that is a list, over all lines that it has (RFC 9110 section 5.6.1).
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn is_key(key: &str) -> bool {
    // 16 bytes take 24 letters: nothing longer is worth decoding.
    key.len() == 24 && KEY_ENCODING.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

fn accept(key: &str) -> HeaderValue {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(KEY_ENCODING.encode(digest)).expect("base64 is legal in a header")
}
