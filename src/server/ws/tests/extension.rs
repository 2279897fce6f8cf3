//! Offers of extensions, and what is answered.

use crate::server::ws::extension::agree;

const SHARED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const WITH_WINDOW: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15";

/// What these lines of the header are answered: "" if nothing is agreed on, "broken" if they are none.
fn check(lines: &[&str], expected: &str) {
    let answer = match agree(lines.iter().map(|line| line.as_bytes())) {
        Ok(agreed) => agreed.map_or("", |deflate| deflate.answer()),
        Err(_) => "broken",
    };
    assert_eq!(answer, expected, "{lines:?}");
}

#[test]
fn the_offers_of_the_rfc() {
    // Sections 7 and 7.1.3 of RFC 7692.
    check(&["permessage-deflate"], SHARED);
    check(&["permessage-deflate; client_max_window_bits; server_max_window_bits=10"], "");
    check(
        &[
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits",
        ],
        SHARED,
    );
    // Section 5.1 of RFC 7692 and 9.1 of RFC 6455.
    check(&["permessage-foo; use_y, permessage-foo"], "");
    check(&["foo, bar; baz=2"], "");
    check(
        &[
            "deflate-stream",
            "mux; max-channels=4; flow-control, deflate-stream",
            "private-extension",
        ],
        "",
    );
}

#[test]
fn the_first_offer_that_can_be_kept_is_taken() {
    check(&[], "");
    check(&[""], "");
    check(&[" , ,"], "");
    check(&["x-webkit-deflate-frame"], "");
    check(&["bar; permessage-deflate"], "");
    check(&["foo", "permessage-deflate"], SHARED);
    check(&["foo; a=1;b , , permessage-deflate ;client_max_window_bits= 9"], SHARED);
    check(&["permessage-deflate; server_max_window_bits=15, permessage-deflate"], WITH_WINDOW);
    check(&["permessage-deflate, permessage-deflate; server_max_window_bits=15"], SHARED);
    check(
        &["permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=15"],
        WITH_WINDOW,
    );
}

#[test]
fn parameters_are_read_to_the_letter() {
    let offer = |parameters: &str, expected| {
        check(&[&format!("permessage-deflate; {parameters}")], expected)
    };
    offer("server_no_context_takeover", SHARED);
    offer("server_no_context_takeover=1", "");
    offer("client_no_context_takeover", SHARED);
    offer("client_no_context_takeover=true", "");
    offer(
        "client_no_context_takeover; server_no_context_takeover; client_max_window_bits=12",
        SHARED,
    );
    offer("client_max_window_bits", SHARED);
    for bits in ["8", "9", "15", "\"10\"", "\"1\\1\""] {
        offer(&format!("client_max_window_bits={bits}"), SHARED);
    }
    for bits in ["0", "7", "16", "08", "015", "+9", "x", "\"16\""] {
        offer(&format!("client_max_window_bits={bits}"), "");
        offer(&format!("server_max_window_bits={bits}"), "");
    }
    offer("server_max_window_bits", "");
    offer("server_max_window_bits=14", "");
    offer("server_max_window_bits=15", WITH_WINDOW);
    offer("server_max_window_bits=\"15\"", WITH_WINDOW);
    offer("server_max_window_bits=15; server_max_window_bits=15", "");
    offer("client_max_window_bits; client_max_window_bits", "");
    offer("server_no_context_takeover; server_no_context_takeover", "");
    offer("Server_no_context_takeover", "");
    offer("level=9", "");
    check(&["Permessage-Deflate"], "");
}

#[test]
fn what_is_no_list_of_extensions_is_refused() {
    for line in [
        "permessage-deflate;",
        "permessage-deflate; =1",
        "permessage-deflate; a=",
        "permessage-deflate; a=\"\"",
        "permessage-deflate; a=\"b c\"",
        "permessage-deflate; a=\"b",
        "permessage-deflate; a=\"b\\",
        "permessage-deflate; a=\"b\"c",
        "permessage-deflate foo",
        "permessage-deflate=1",
        "permessage/deflate",
        "\"permessage-deflate\"",
        ";",
        "a b",
    ] {
        check(&[line], "broken");
        // A later line does not make it good.
        check(&["permessage-deflate", line], "broken");
    }
    check(&["permessage-d\u{e9}flate"], "broken");
}
