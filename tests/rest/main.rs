//! The HTTP interface as programs outside meet it: every route, every refusal.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod errors;
mod exposition;
mod lifecycle;
mod openapi;
mod pages;
mod schema;
mod tasks;

use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::Value;
use support::{Answer, Daemon};

/// A request with these headers and no others of its own; redirections are not followed.
async fn send(
    daemon: &Daemon,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Answer {
    let client = Client::builder().redirect(Policy::none()).build().expect("a client");
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = client.request(method, daemon.url(path)).body(body);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.expect("a body") }
}

/// The names of an object's members, in order.
fn keys(value: &Value) -> Vec<&str> {
    let members = value.as_object().unwrap_or_else(|| panic!("{value} is no object"));
    let mut keys: Vec<&str> = members.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A list that must hold something.
fn list(value: &Value) -> &Vec<Value> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value} is no list"));
    assert!(!list.is_empty(), "there is something to look at");
    list
}
