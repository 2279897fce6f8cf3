//! `gz-monitor query`.

use serde_json::Value;

use crate::support::{daemon, run, until};

#[tokio::test]
async fn a_daemon_is_asked_from_the_terminal() {
    let daemon = daemon().start().await;
    let url = daemon.url("");
    let ask = |arguments: &[&str]| {
        let arguments: Vec<&str> = [&["query", "--url", &url], arguments].concat();
        run(&arguments)
    };
    assert_eq!(ask(&["1 + 1"]), (0, "2\n".to_owned(), String::new()));
    let (code, out, _) = ask(&["node_load1"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 2), "{out}");
    assert!(lines[0].starts_with("SERIES") && lines[1].starts_with("node_load1 "), "{out}");
    let (code, out, _) = ask(&["--json", "node_load1"]);
    let data: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, data["resultType"].as_str()), (0, Some("vector")));
    until("there is a point in the range", || async {
        let (code, out, _) = ask(&["--range", "10s", "--step", "1s", "node_load1"]);
        assert_eq!(code, 0, "{out}");
        out.contains("points of 1 series").then_some(())
    })
    .await;
    let (code, out, error) = ask(&["sum(node_load1"]);
    let expected =
        "gz-monitor: invalid parameter \"query\": 1:4: parse error: \"(\" is not closed\n";
    assert_eq!((code, out.as_str(), error.as_str()), (1, "", expected));
    let (code, _, error) = ask(&["--range", "1h", "--time", "noon", "1"]);
    assert_eq!(code, 2, "{error}");
}
