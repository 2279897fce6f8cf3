//! Which requests are let in, case by case.

use http::header::ALLOW;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request};

use super::judge::{Listed, judge};
use super::*;

/// A request in few words: `METHOD TARGET`, and its headers.
struct Asked<'a> {
    line: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    arrival: Arrival,
    listed: Listed,
}

/// A `GET` that comes to 192.0.2.7 by HTTP, with nothing listed.
fn asked<'a>(headers: &[(&'a str, &'a str)]) -> Asked<'a> {
    let arrival = Arrival { scheme: Scheme::HTTP, local: Some([192, 0, 2, 7].into()) };
    Asked { line: "GET /x", headers: headers.to_vec(), arrival, listed: Listed::default() }
}

/// The same, by name.
fn to<'a>(host: &'a str) -> Asked<'a> {
    asked(&[("host", host)])
}

impl<'a> Asked<'a> {
    fn line(self, line: &'a str) -> Self {
        Self { line, ..self }
    }

    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn by(mut self, scheme: Scheme, local: &str) -> Self {
        self.arrival = Arrival { scheme, local: local.parse().ok() };
        self
    }

    fn hosts(mut self, hosts: &[&str]) -> Self {
        let listed = |text: &&str| ListedHost::try_from((*text).to_owned()).expect("a host");
        self.listed.hosts = hosts.iter().map(listed).collect();
        self
    }

    fn origins(mut self, origins: &[&str]) -> Self {
        let listed = |text: &&str| ListedOrigin::try_from((*text).to_owned()).expect("an origin");
        self.listed.origins = origins.iter().map(listed).collect();
        self
    }

    fn judge(&self) -> Result<Admitted, Problem> {
        let (method, target) = self.line.split_once(' ').expect("a method and a target");
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        judge(&request, &self.arrival, &self.listed).map_err(|refusal| refusal.problem())
    }

    #[track_caller]
    fn is_let_in(&self) -> Admitted {
        self.judge().unwrap_or_else(|problem| panic!("{} {:?}: {problem}", self.line, self.headers))
    }

    #[track_caller]
    fn is_refused(&self, code: &str, helps: &str) {
        match self.judge() {
            Ok(_) => panic!("{} {:?} was let in", self.line, self.headers),
            Err(problem) => {
                let json = serde_json::to_value(&problem).expect("JSON");
                assert_eq!(json["code"], code, "{} {:?}: {problem}", self.line, self.headers);
                assert!(problem.to_string().contains(helps), "{problem}");
            }
        }
    }
}

#[test]
fn what_is_ours_by_itself() {
    for host in ["localhost:8080", "LOCALHOST", "127.0.0.1:8080", "127.3.2.1:1", "[::1]:8080"] {
        to(host).is_let_in();
    }
    // A tunnel has another port.
    to("localhost:9999").is_let_in();
    to("192.0.2.7:8080").is_let_in();
    to("[::ffff:192.0.2.7]:8080").is_let_in();
    to("192.0.2.7").by(Scheme::HTTP, "::ffff:192.0.2.7").is_let_in();
    to("[2001:db8::7]:1").by(Scheme::HTTP, "2001:db8::7").is_let_in();
}

#[test]
fn what_only_leads_here_is_refused() {
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "a.localhost",
        "localhost.",
        "192.0.2.8:8080",
        "0.0.0.0:8080",
        "127.1",
        "2130706433",
        "[::]:8080",
        "[2001:db8::7]",
    ] {
        to(host).is_refused("host_refused", "server.hosts");
    }
    to("evil.example:8080").is_refused("host_refused", "add evil.example to");
    // A Unix socket has no address of its own.
    to("192.0.2.7").by(Scheme::HTTP, "").is_refused("host_refused", "192.0.2.7");
    to("localhost").by(Scheme::HTTP, "").is_let_in();
}

#[test]
fn a_name_that_is_listed_is_ours() {
    let listed = |host| to(host).hosts(&["Monitor.example", "b.example:8443", "c.example:443"]);
    for host in ["monitor.example", "MONITOR.example:1", "b.example:8443", "c.example"] {
        listed(host).is_let_in();
    }
    for host in ["b.example", "b.example:8080", "a.monitor.example", "c.example:80"] {
        listed(host).is_refused("host_refused", "server.hosts");
    }
    to("198.51.100.1:9090").hosts(&["198.51.100.1"]).is_let_in();
}

#[test]
fn one_host_that_is_one() {
    asked(&[]).is_refused("invalid_host", "no Host");
    asked(&[("host", "localhost"), ("host", "localhost")]).is_refused("invalid_host", "more than");
    for host in ["", "a b", "user@localhost", "localhost/x", "localhost:x", "localhost,localhost"] {
        to(host).is_refused("invalid_host", "not a name or an address");
    }
}

#[test]
fn a_whole_address_counts_instead_of_the_header() {
    to("localhost").line("GET http://evil.example/x").is_refused("host_refused", "evil.example");
    to("evil.example").line("GET http://localhost:8080/x").is_let_in();
    asked(&[]).line("GET http://localhost/x").is_refused("invalid_host", "no Host");
    to("localhost").line("GET https://localhost/x").is_refused("host_refused", "http");
    to("localhost").line("GET http://u@localhost/x").is_refused("invalid_host", "request line");
    to("localhost").line("CONNECT evil.example:443").is_refused("host_refused", "evil.example");
}

#[test]
fn a_page_of_ours_and_no_other() {
    for method in ["GET /x", "POST /x", "PATCH /x", "PUT /x", "DELETE /x", "OPTIONS /x"] {
        let from = |origin| to("localhost:8080").line(method).with("origin", origin);
        assert!(from("http://localhost:8080").is_let_in().foreign.is_none());
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:8080",
            "http://127.0.0.1:8080",
            "http://evil.example",
            "http://localhost.evil.example:8080",
        ] {
            from(origin).is_refused("origin_refused", "server.origins");
        }
        for origin in ["null", "", "*", "file://", "http://localhost:8080/", "http://a http://b"] {
            from(origin).is_refused("origin_refused", "does not say where");
        }
        let twice = from("http://localhost:8080").with("origin", "http://localhost:8080");
        twice.is_refused("origin_refused", "does not say where");
    }
    // The port that browsers leave out.
    to("localhost").with("origin", "http://localhost").is_let_in();
    to("localhost:80").with("origin", "http://localhost").is_let_in();
    to("localhost:443").by(Scheme::HTTPS, "").with("origin", "https://localhost").is_let_in();
    let plain = to("localhost").by(Scheme::HTTPS, "").with("origin", "http://localhost");
    plain.is_refused("origin_refused", "http://localhost");
}

#[test]
fn a_name_cannot_vouch_for_itself() {
    let rebound = to("evil.example:8080").with("origin", "http://evil.example:8080");
    rebound.is_refused("host_refused", "evil.example");
}

#[test]
fn a_page_that_is_listed() {
    let from = |origin| {
        let origins = &["https://dash.example", "http://b.example:3000"];
        to("localhost:8080").origins(origins).with("origin", origin)
    };
    let admitted = from("https://dash.example").with("sec-fetch-site", "cross-site").is_let_in();
    assert_eq!(admitted.foreign, Some(HeaderValue::from_static("https://dash.example")));
    from("http://b.example:3000").line("DELETE /x").is_let_in();
    for origin in ["http://dash.example", "https://dash.example:8443", "http://b.example"] {
        from(origin).is_refused("origin_refused", origin);
    }
}

#[test]
fn what_other_pages_cause_without_an_origin() {
    let caused = |line, site, mode, dest| {
        let headers =
            [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
        headers
            .into_iter()
            .fold(to("localhost:8080").line(line), |asked, (name, value)| asked.with(name, value))
    };
    for site in ["cross-site", "same-site", "anything"] {
        caused("GET /x", site, "no-cors", "image").is_refused("cross_site", "another site");
        caused("GET /x", site, "no-cors", "script").is_refused("cross_site", "another site");
        caused("GET /x", site, "navigate", "iframe").is_refused("cross_site", "another site");
        caused("POST /x", site, "navigate", "document").is_refused("cross_site", "another site");
        caused("GET /x", site, "websocket", "websocket").is_refused("cross_site", "another site");
        caused("GET /x", site, "navigate", "document").is_let_in();
    }
    for site in ["same-origin", "none"] {
        caused("GET /x", site, "no-cors", "script").is_let_in();
        caused("POST /x", site, "cors", "empty").is_let_in();
    }
}

#[test]
fn a_listed_page_may_read_and_asks_first() {
    let origins = &["https://dash.example"];
    let answered = |line: &str, origin: Option<&'static str>| {
        let asked = to("localhost").line(line).origins(origins);
        let asked = match origin {
            Some(origin) => asked.with("origin", origin),
            None => asked,
        };
        let mut headers = HeaderMap::new();
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        let method: Method = line.split(' ').next().expect("one").parse().expect("a method");
        asked.is_let_in().complete(&method, &mut headers);
        let text =
            |name: &str| headers.get(name).map(|value| value.to_str().expect("ASCII").to_owned());
        [
            text("access-control-allow-origin"),
            text("access-control-allow-methods"),
            text("access-control-allow-headers"),
            text("vary"),
        ]
        .map(Option::unwrap_or_default)
    };
    let origin = Some("https://dash.example");
    assert_eq!(answered("GET /x", origin), ["https://dash.example", "", "", "origin"]);
    let preflight = [
        "https://dash.example",
        "GET, POST",
        "authorization, content-type, idempotency-key",
        "origin",
    ];
    assert_eq!(answered("OPTIONS /x", origin), preflight);
    assert_eq!(answered("GET /x", None), ["", "", "", "origin"], "a cache must tell them apart");
    assert_eq!(answered("GET /x", Some("http://localhost")), ["", "", "", "origin"]);
}

#[test]
fn safe_addresses() {
    let is = |asked: Asked<'_>| asked.is_let_in().is_trusted;
    assert!(is(to("localhost")) && is(to("127.0.0.1:1")));
    assert!(!is(to("192.0.2.7")) && !is(to("a.example").hosts(&["a.example"])));
    assert!(is(to("192.0.2.7").by(Scheme::HTTPS, "192.0.2.7")));
}

#[test]
fn lists_are_of_hosts_and_origins() {
    let host = |text: &str| ListedHost::try_from(text.to_owned()).map(String::from);
    assert_eq!(host("Monitor.Example"), Ok("monitor.example".to_owned()));
    assert_eq!(host("[::1]:80"), Ok("[::1]:80".to_owned()));
    for text in ["*", "*.example", "http://a", "a/b", "", "0.0.0.0", "[::]:80"] {
        assert!(host(text).is_err_and(|error| error.contains(&format!("{text:?}"))), "{text}");
    }
    let origin = |text: &str| ListedOrigin::try_from(text.to_owned()).map(String::from);
    assert_eq!(origin("https://Dash.Example:443"), Ok("https://dash.example".to_owned()));
    for text in ["*", "https://*.example", "null", "dash.example", "https://a/", ""] {
        assert!(origin(text).is_err_and(|error| error.contains(&format!("{text:?}"))), "{text}");
    }
}
