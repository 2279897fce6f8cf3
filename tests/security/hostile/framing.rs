//! Requests of which it can be doubted where they end, with another hidden behind: what a proxy before
//! us and we might read differently is refused, and the connection with it.

use super::{Target, say, statuses};

/// What is hidden.
const HIDDEN: &str = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/json\r\nConnection: close\r\nContent-Length: 19\r\n\r\n\
    {\"name\":\"smuggled\"}";

/// A request with these headers and this body, and the hidden one behind it.
fn before_hidden(headers: &str, body: &str) -> String {
    format!(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         {headers}\r\n\r\n{body}{HIDDEN}"
    )
}

#[tokio::test]
async fn lengths_that_can_be_doubted_are_refused_with_the_connection() {
    let target = Target::start("").await;
    let (chunked, length) = ("Transfer-Encoding: chunked", HIDDEN.len());
    let longer = format!("{chunked}\r\nContent-Length: {}", length + 5);
    let two = format!("Content-Length: 0\r\nContent-Length: {length}");
    let swapped = format!("Content-Length: {length}\r\nContent-Length: 0");
    for (headers, body) in [
        // Both kinds, in either order.
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        (&*longer, "0\r\n\r\n"),
        // Two lengths, and such as are no numbers.
        (&two, ""),
        (&swapped, ""),
        ("Content-Length: 0, 5", "{}"),
        ("Content-Length: 2, 2", "{}"),
        ("Content-Length: +2", "{}"),
        ("Content-Length: -1", "{}"),
        ("Content-Length: 0x2", "{}"),
        ("Content-Length: 2 2", "{}"),
        ("Content-Length: ", "{}"),
        ("Content-Length: 99999999999999999999999", "{}"),
        ("Content-Length : 2", "{}"),
        // Codings that are chunked to some.
        ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ("Transfer-Encoding: identity", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding: \u{b}chunked", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"),
        // Chunks that are none.
        (chunked, "0x2\r\n{}\r\n0\r\n\r\n"),
        (chunked, "-1\r\n{}\r\n0\r\n\r\n"),
        (chunked, "+2\r\n{}\r\n0\r\n\r\n"),
        (chunked, "2 2\r\n{}\r\n0\r\n\r\n"),
        (chunked, "g\r\n{}\r\n0\r\n\r\n"),
        (chunked, "10000000000000002\r\n{}\r\n0\r\n\r\n"),
        (chunked, "2;a\nxx\r\n{}\r\n0\r\n\r\n"),
        (chunked, "2\n{}\n0\n\n"),
        (chunked, "2\r\n{}XX0\r\n\r\n"),
        (chunked, "2\r\n{}0\r\n\r\n"),
    ] {
        let answer = say(&target.daemon, before_hidden(headers, body).as_bytes()).await;
        assert_eq!(statuses(&answer), [400], "{headers:?} {body:?}: {answer}");
    }
    let tasks = target.daemon.get("/api/v1/tasks").await;
    assert_eq!(tasks.json()["tasks"], serde_json::json!([]), "nothing came through");
    target.is_as_before().await;
}

#[tokio::test]
async fn lengths_that_everybody_reads_alike_are_read_so() {
    let target = Target::start("").await;
    let length = format!("Content-Length: {}", HIDDEN.len());
    let twice = "Content-Length: 2\r\nContent-Length: 2";
    for (headers, body) in [
        ("Content-Length: 2", "{}"),
        (twice, "{}"),
        ("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: Chunked", "2;a=\"b;c\"\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding:\tchunked", "002\r\n{}\r\n0\r\nX: a trailer\r\n\r\n"),
    ] {
        // The first is no task; the second is the one behind it.
        let answer = say(&target.daemon, before_hidden(headers, body).as_bytes()).await;
        assert_eq!(statuses(&answer), [422, 201], "{headers:?}: {answer}");
    }
    // What is a body is no request, also where no body is expected.
    let text = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n{HIDDEN}");
    assert_eq!(statuses(&say(&target.daemon, text.as_bytes()).await), [200]);
    let tasks = target.daemon.get("/api/v1/tasks").await.json();
    assert_eq!(tasks["tasks"].as_array().map(Vec::len), Some(5));
    target.is_as_before().await;
}

#[tokio::test]
async fn long_extensions_of_chunks_end_the_connection() {
    let target = Target::start("").await;
    let chunks = format!("1;{}\r\n{{\r\n", "x".repeat(1_000)).repeat(100);
    let text = before_hidden("Transfer-Encoding: chunked", &chunks);
    assert_eq!(statuses(&say(&target.daemon, text.as_bytes()).await), [400]);
    target.is_as_before().await;
}
