//! PromQL: the semantics case by case, the HTTP interface, the command, and beside a real Prometheus.

#[path = "../support/mod.rs"]
mod support;

mod anything;
mod http;
mod on_disk;
mod prometheus;
mod script;
mod terminal;
