//! Which requests are answered at all. Pure. docs/security.md tells what each rule is against.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use super::authority::{Authority, Host};
use super::listed::{ListedHost, ListedOrigin};
use super::origin::Origin;
use super::proxy::{ListedProxy, ProxyHeader};
use super::reason::Reason;
use crate::sample::brief;
use crate::server::problem::Problem;

/// How a request has come: what the connection says, which nobody can make up.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// That of the client, where it speaks with a proxy that is believed.
    pub(crate) scheme: Scheme,
    /// Our end of it; a Unix socket has no address.
    pub(crate) local: Option<IpAddr>,
}

/// What the configuration adds.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed {
    pub(super) hosts: Vec<ListedHost>,
    pub(super) origins: Vec<ListedOrigin>,
    pub(super) proxies: Vec<ListedProxy>,
    pub(super) header: ProxyHeader,
}

/// A request that is answered.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// The page that it comes from, if that is another's and listed.
    pub(super) foreign: Option<HeaderValue>,
    /// Whether another page might have got another answer.
    pub(super) varies: bool,
    /// Whether browsers take the address for a safe one ("potentially trustworthy").
    pub(crate) is_trusted: bool,
}

/// A request that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(super) reason: Reason,
    detail: String,
}

impl Refusal {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// The answer. 421 is what RFC 9110 section 7.4 has for a host that is not ours.
    pub(crate) fn problem(&self) -> Problem {
        let (status, code) = match self.reason {
            Reason::InvalidHost => (StatusCode::BAD_REQUEST, "invalid_host"),
            Reason::Host => (StatusCode::MISDIRECTED_REQUEST, "host_refused"),
            Reason::Origin => (StatusCode::FORBIDDEN, "origin_refused"),
            Reason::Site => (StatusCode::FORBIDDEN, "cross_site"),
            Reason::Forwarded => (StatusCode::BAD_REQUEST, "invalid_forwarded"),
        };
        Problem::new(status, code, &self.detail)
    }
}

/// Judges a request by whom it means and by the page that it comes from.
///
/// # Errors
/// The first rule that it breaks.
pub(super) fn judge<B>(
    request: &Request<B>,
    arrival: &Arrival,
    listed: &Listed,
) -> Result<Admitted, Refusal> {
    let called = called(request, arrival)?;
    let is_loopback = called.host.is_loopback();
    if !is_loopback && !is_own_address(&called.host, arrival) {
        let is_listed = listed.hosts.iter().any(|host| host.is(&called));
        is_listed.then_some(()).ok_or_else(|| not_ours(&called))?;
    }
    let own = Origin::of(arrival.scheme.as_str(), called);
    let foreign = match origin(request.headers())? {
        None => {
            same_site(request)?;
            None
        }
        Some((origin, _)) if origin == own => None,
        Some((origin, value)) if listed.origins.iter().any(|one| one.is(&origin)) => Some(value),
        Some((origin, _)) => {
            let detail = format!(
                "The request comes from a page of {origin}, which is not {own}; if it is meant to, add it to server.origins."
            );
            return Err(Refusal::new(Reason::Origin, detail));
        }
    };
    Ok(Admitted {
        foreign: foreign.cloned(),
        varies: !listed.origins.is_empty(),
        is_trusted: is_loopback || arrival.scheme == Scheme::HTTPS,
    })
}

/// Whom the request means (RFC 9112 section 3.2).
fn called<B>(request: &Request<B>, arrival: &Arrival) -> Result<Authority, Refusal> {
    let invalid = |detail: &str| Refusal::new(Reason::InvalidHost, detail);
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().ok_or_else(|| invalid("The request has no Host header."))?;
    if hosts.next().is_some() {
        return Err(invalid("The request has more than one Host header."));
    }
    let host = Authority::parse(host.to_str().unwrap_or_default().trim()).ok_or_else(|| {
        invalid("The Host header is not a name or an address, with a port or without.")
    })?;
    // A whole address in the first line counts instead, as if somebody had taken us for a proxy.
    let Some(authority) = request.uri().authority() else { return Ok(host) };
    if request.uri().scheme().is_some_and(|scheme| *scheme != arrival.scheme) {
        let detail = format!("This connection is {}, and the address is not.", arrival.scheme);
        return Err(Refusal::new(Reason::Host, detail));
    }
    let text = "The address in the request line has no valid host.";
    Authority::parse(authority.as_str()).ok_or_else(|| invalid(text))
}

/// No name server can make a page's name be an address.
fn is_own_address(host: &Host, arrival: &Arrival) -> bool {
    let local = arrival.local.map(|address| address.to_canonical());
    matches!(host, Host::Address(address) if Some(*address) == local)
}

fn not_ours(called: &Authority) -> Refusal {
    let host = &called.host;
    let detail = format!(
        "{called} is not a name of this daemon, though it leads here; if it is meant to be, add {host} to server.hosts."
    );
    Refusal::new(Reason::Host, detail)
}

/// The page that the request comes from, if its browser says so.
fn origin(headers: &HeaderMap) -> Result<Option<(Origin, &HeaderValue)>, Refusal> {
    let mut values = headers.get_all(ORIGIN).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match Origin::parse(text) {
        Some(origin) if values.next().is_none() => Ok(Some((origin, value))),
        _ => {
            let detail = format!(
                "The page that the request comes from does not say where it is from (Origin: {}).",
                brief(text)
            );
            Err(Refusal::new(Reason::Origin, detail))
        }
    }
}

/// A request without `Origin` that another site's page has caused: an image, a script, a frame. A
/// link to us is followed.
fn same_site<B>(request: &Request<B>) -> Result<(), Refusal> {
    let header = |name: &str| request.headers().get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let is_ours = matches!(header("sec-fetch-site"), b"" | b"same-origin" | b"none");
    let is_link = matches!(*request.method(), Method::GET | Method::HEAD)
        && header("sec-fetch-mode") == b"navigate"
        && header("sec-fetch-dest") == b"document";
    if is_ours || is_link {
        return Ok(());
    }
    let detail = "A page of another site cannot have this as an image, a script, a frame or a form's target.";
    Err(Refusal::new(Reason::Site, detail))
}
