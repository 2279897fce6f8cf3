//! Prometheus' HTTP API, as its clients ask it.

use serde_json::{Value, json};

use crate::support::{Answer, Daemon, daemon, until};

async fn post(daemon: &Daemon, path: &str, form: &[(&str, &str)]) -> Answer {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let request = reqwest::Client::new().post(daemon.url(path));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(body.finish()).send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.expect("a body") }
}

async fn get(daemon: &Daemon, path: &str, form: &[(&str, &str)]) -> Answer {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(form);
    daemon.get(&format!("{path}?{}", query.finish())).await
}

/// The data of a good answer, which is the same by GET and POST.
async fn data(daemon: &Daemon, path: &str, form: &[(&str, &str)]) -> Value {
    let answer = get(daemon, path, form).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json()["status"], "success", "{}", answer.text);
    answer.json()["data"].clone()
}

#[tokio::test]
async fn what_collectors_bring_can_be_asked_for() {
    let daemon = daemon().config("[collectors]\ninterval = \"200ms\"").start().await;
    let vector = data(&daemon, "/api/v1/query", &[("query", "node_load1")]).await;
    assert_eq!(vector["resultType"], "vector");
    assert_eq!(vector["result"][0]["metric"], json!({"__name__": "node_load1"}));
    assert!(vector["result"][0]["value"][1].is_string(), "{vector}");
    until("a rate can be told", || async {
        let query = [("query", "sum(rate(node_cpu_seconds_total[1m])) > 0")];
        let data = data(&daemon, "/api/v1/query", &query).await;
        (data["result"].as_array()?.len() == 1).then_some(())
    })
    .await;
    for (name, least) in
        [("gz_history_series", 100.0), ("gz_history_samples", 100.0), ("gz_history_bytes", 1000.0)]
    {
        let query = format!("{name}{{tier=\"memory\"}} > {least}");
        let data = data(&daemon, "/api/v1/query", &[("query", &query)]).await;
        assert_eq!(data["result"].as_array().map(Vec::len), Some(1), "{query}: {data}");
    }
    let range = [("query", "node_load1"), ("start", "0"), ("end", "10"), ("step", "1s")];
    assert_eq!(
        data(&daemon, "/api/v1/query_range", &range).await,
        json!({"resultType": "matrix", "result": []})
    );
    let now = jiff::Timestamp::now();
    let end = now.as_second() + 15;
    let (start, end) = ((end - 60).to_string(), end.to_string());
    let range = [("query", "node_load1"), ("start", start.as_str()), ("end", &end), ("step", "15")];
    let matrix = post(&daemon, "/api/v1/query_range", &range).await.json();
    let values = &matrix["data"]["result"][0]["values"];
    assert!(values.as_array().is_some_and(|values| !values.is_empty()), "{matrix}");
}

#[tokio::test]
async fn every_kind_of_result() {
    let daemon = daemon().start().await;
    let ask = async |query: &str| {
        let form = [("query", query), ("time", "1500000000.5")];
        let get = data(&daemon, "/api/v1/query", &form).await;
        let post = post(&daemon, "/api/v1/query", &form).await.json();
        assert_eq!(post["data"], get, "{query}");
        get
    };
    let at = 1_500_000_000.5;
    assert_eq!(ask("1+1").await, json!({"resultType": "scalar", "result": [at, "2"]}));
    assert_eq!(ask("\"x\"").await, json!({"resultType": "string", "result": [at, "x"]}));
    let one = json!({"metric": {}, "value": [at, "+Inf"]});
    assert_eq!(ask("vector(1/0)").await, json!({"resultType": "vector", "result": [one]}));
    let series = json!({"metric": {}, "values": [[1_500_000_000, "1"]]});
    let expected = json!({"resultType": "matrix", "result": [series]});
    assert_eq!(ask("vector(1)[1s:1s]").await, expected);
}

#[tokio::test]
async fn series_and_labels() {
    let daemon = daemon().start().await;
    let series = [("match[]", "node_load1"), ("match[]", "{__name__=~\"node_load(1|5)\"}")];
    let expected = json!([{"__name__": "node_load1"}, {"__name__": "node_load5"}]);
    assert_eq!(data(&daemon, "/api/v1/series", &series).await, expected);
    assert_eq!(post(&daemon, "/api/v1/series", &series).await.json()["data"], expected);
    let limited = [("match[]", "{__name__=~\"node_load.*\"}"), ("limit", "1")];
    assert_eq!(data(&daemon, "/api/v1/series", &limited).await.as_array().map(Vec::len), Some(1));
    let past = [("match[]", "node_load1"), ("end", "10")];
    assert_eq!(data(&daemon, "/api/v1/series", &past).await, json!([]));
    let labels = data(&daemon, "/api/v1/labels", &[]).await;
    let has =
        |list: &Value, name: &str| list.as_array().is_some_and(|all| all.contains(&json!(name)));
    assert!(has(&labels, "__name__") && has(&labels, "collector"), "{labels}");
    let matching = [("match[]", "gz_build_info")];
    assert_eq!(data(&daemon, "/api/v1/labels", &matching).await, json!(["__name__", "version"]));
    let names = data(&daemon, "/api/v1/label/__name__/values", &[]).await;
    assert!(
        has(&names, "node_load1")
            && names.as_array().is_some_and(|all| all.is_sorted_by_key(|name| name.to_string())),
        "{names}"
    );
    let versions = data(&daemon, "/api/v1/label/version/values", &matching).await;
    assert_eq!(versions, json!([env!("CARGO_PKG_VERSION")]));
    let metadata =
        data(&daemon, "/api/v1/metadata", &[("metric", "node_memory_MemTotal_bytes")]).await;
    let help = "The field MemTotal of /proc/meminfo (proc_meminfo(5)).";
    let expected =
        json!({"node_memory_MemTotal_bytes": [{"type": "gauge", "help": help, "unit": "bytes"}]});
    assert_eq!(metadata, expected);
    let build = data(&daemon, "/api/v1/status/buildinfo", &[]).await;
    assert_eq!(build["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn refusals_are_in_prometheus_words() {
    let limits = "[query]\nmax_points = 100\nmax_series = 5\n[server]\nmax_body_size = \"1KiB\"";
    let daemon = daemon().config(limits).start().await;
    let mut refusals = String::new();
    for path in [
        "query",
        "query?query=sum(",
        "query?query=1&time=x",
        "query?query=1&timeout=x",
        "query?query=1+%2B+on(a)+vector(1)",
        "query?query=topk(NaN,node_load1)",
        "query?query=sum_over_time(vector(1)[1d:1s])&timeout=1ms",
        "query_range?query=up&end=1&step=1",
        "query_range?query=up&start=2&end=1&step=1",
        "query_range?query=up&start=1&end=2&step=0",
        "query_range?query=up&start=1&end=1000&step=1",
        "query_range?query=up[5m]&start=1&end=2&step=1",
        "series",
        "series?match[]=1",
        "labels?limit=x",
        "label/a/values?match[]=%7B",
    ] {
        let answer = daemon.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.json()["status"], "error", "{path}: {}", answer.text);
        let (status, error) = (answer.status, answer.json());
        let (kind, text) = (error["errorType"].as_str(), error["error"].as_str());
        let (kind, text) = (kind.expect("a type"), text.expect("words"));
        refusals.push_str(&format!("{path}\n  {status} {kind}: {text}\n"));
    }
    insta::assert_snapshot!(refusals, @r#"
    query
      400 bad_data: invalid parameter "query": 1:1: parse error: no expression found in input
    query?query=sum(
      400 bad_data: invalid parameter "query": 1:4: parse error: "(" is not closed
    query?query=1&time=x
      400 bad_data: invalid parameter "time": cannot parse "x" to a valid timestamp
    query?query=1&timeout=x
      400 bad_data: invalid parameter "timeout": cannot parse "x" to a valid duration
    query?query=1+%2B+on(a)+vector(1)
      400 bad_data: invalid parameter "query": 1:1: parse error: vector matching only allowed between vectors
    query?query=topk(NaN,node_load1)
      422 execution: Scalar value NaN overflows int64
    query?query=sum_over_time(vector(1)[1d:1s])&timeout=1ms
      503 timeout: query timed out in expression evaluation
    query_range?query=up&end=1&step=1
      400 bad_data: invalid parameter "start": cannot parse "" to a valid timestamp
    query_range?query=up&start=2&end=1&step=1
      400 bad_data: invalid parameter "end": end timestamp must not be before start time
    query_range?query=up&start=1&end=2&step=0
      400 bad_data: invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer
    query_range?query=up&start=1&end=1000&step=1
      400 bad_data: exceeded maximum resolution of 100 points per timeseries. Try decreasing the query resolution (?step=XX)
    query_range?query=up[5m]&start=1&end=2&step=1
      400 bad_data: invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector
    series
      400 bad_data: no match[] parameter provided
    series?match[]=1
      400 bad_data: invalid parameter "match[]": 1:1: parse error: expected a series selector, such as up{job="x"}
    labels?limit=x
      400 bad_data: invalid parameter "limit": limit must be a number
    label/a/values?match[]=%7B
      400 bad_data: invalid parameter "match[]": 1:1: parse error: "{" is not closed
    "#);
    let answer = get(&daemon, "/api/v1/query", &[("query", "{__name__=~\".+\"}")]).await;
    assert_eq!((answer.status, answer.json()["errorType"].as_str()), (422, Some("execution")));
    assert!(answer.text.contains("there may be, 5 (query.max_series)"), "{}", answer.text);
    let large = post(&daemon, "/api/v1/query", &[("query", &"x".repeat(2000))]).await;
    assert_eq!((large.status, large.json()["errorType"].as_str()), (413, Some("bad_data")));
}

#[tokio::test]
async fn too_many_queries_are_turned_away_and_hold_up_nothing() {
    let limits = "[query]\nmax_concurrent = 1\nmax_waiting = 0\ntimeout = \"1m\"\nmax_samples = 1000000000\n\
        [server]\nrequest_timeout = \"1m\"";
    let daemon = daemon().config(limits).start().await;
    let long =
        [("query", "sum_over_time(sum_over_time(vector(1)[1d:1s])[1d:1s])"), ("timeout", "6s")];
    let (first, second) = tokio::join!(get(&daemon, "/api/v1/query", &long), async {
        until("the other one is turned away, while everything else is answered", || async {
            assert_eq!(daemon.get("/api/v1/status").await.status, 200);
            let answer = get(&daemon, "/api/v1/query", &[("query", "1")]).await;
            (answer.status == 503).then_some(answer)
        })
        .await
    });
    assert_eq!(first.json()["errorType"], "timeout", "{}", first.text);
    assert_eq!(second.json()["errorType"], "unavailable", "{}", second.text);
    assert_eq!(get(&daemon, "/api/v1/query", &[("query", "1")]).await.status, 200);
}
