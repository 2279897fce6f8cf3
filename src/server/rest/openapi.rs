//! `GET /api/v1/openapi.json`: this API described for programs (OpenAPI 3.1), from the types that
//! it answers with.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use poem::{IntoResponse, Response, handler};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::{Json, Problem};
use crate::api::{
    Acknowledge, Alert, AlertDetails, AlertReport, Alerts, Audit, BuildInfo, ChannelTest, Channels,
    Clients, Collectors, CreatedToken, Doctor, Events, Groups, Health, Login, Metric,
    MetricMetadata, MetricsUpdate, NewSilence, NewTask, NewToken, Notifications, Plugins,
    Published, QueryAnswer, QueryData, QueryError, Reloaded, Removed, Replays, RuleGroups, Samples,
    Session, Silence, Silences, SystemStatus, Task, TaskChange, Tasks, Tokens,
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| Builder::new().document());

/// The description; made when first asked for.
#[handler]
pub(crate) fn get_document() -> Response {
    Json::ok(&*DOCUMENT).into_response()
}

struct Builder {
    schemas: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Builder {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { schemas: settings.into_generator(), paths: Map::new() }
    }

    fn document(mut self) -> Value {
        self.state();
        self.tasks();
        self.alerts();
        self.groups();
        self.notifications();
        self.queries();
        self.access();
        let problem = self.schema::<Problem>();
        let problem = json!({
            "description": "What is wrong, and what to do",
            "content": { "application/problem+json": { "schema": problem } },
        });
        let version = env!("CARGO_PKG_VERSION");
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "gz-monitor",
                "version": version,
                "description": "One host's metrics, tasks and alerts.",
                "license": { "name": "MIT OR Apache-2.0" },
            },
            // Where there are no tokens, nothing is asked for.
            "security": [{ "token": [] }, { "session": [] }, {}],
            "paths": self.paths,
            "components": {
                "schemas": self.schemas.take_definitions(true),
                "securitySchemes": {
                    "token": { "type": "http", "scheme": "bearer" },
                    "session": { "type": "apiKey", "in": "cookie", "name": "gz-monitor-session" },
                },
                "responses": { "Problem": problem },
            },
        })
    }

    fn state(&mut self) {
        self.get::<SystemStatus>("/api/v1/status", "The state of the host");
        self.get::<Health>("/api/v1/health", "Whether the daemon itself works");
        self.get::<MetricsUpdate>("/api/v1/metrics", "The summary of the metrics");
        self.get::<Collectors>("/api/v1/collectors", "How the collectors are doing");
        let restart = "/api/v1/collectors/{id}/restart";
        let accepted = json!({ "202": { "description": "It starts anew" } });
        self.add(restart, "post", "Have a collector start anew", None, accepted);
        self.get::<Doctor>("/api/v1/doctor", "What keeps collectors from data, and what mends it");
        self.get::<Plugins>("/api/v1/plugins", "What collectors can be made of");
        self.get::<Clients>("/api/v1/clients", "Who is connected by WebSocket");
        let closed = json!({ "204": { "description": "It is being closed, with the code 1008" } });
        self.add("/api/v1/clients/{id}", "delete", "Close a client's connection", None, closed);
        self.get::<Samples<'_>>("/api/v1/samples", "The latest value of every series");
        self.paths["/api/v1/samples"]["get"]["parameters"] = json!([
            in_query("name", "Those of this metric"),
            typed(
                "label",
                "NAME=VALUE: those with this label; may be repeated",
                json!({
                    "type": "array",
                    "items": { "type": "string", "pattern": "^[^=]*=" },
                })
            ),
        ]);
        let reloaded = self.schema::<Reloaded>();
        let reloaded = Self::answer("200", "What has changed", &reloaded);
        self.add("/api/v1/reload", "post", "Read the configuration again", None, reloaded);
        self.get::<Events>("/api/v1/events", "What was published before, oldest first");
        self.paths["/api/v1/events"]["get"]["parameters"] = json!([
            typed(
                "since",
                "EPOCH:SEQ: what came after this place; from the oldest if absent",
                json!({ "type": "string", "pattern": "^[A-Za-z0-9]{1,64}:[0-9]{1,20}$" }),
            ),
            in_query(
                "types",
                "task_update, alert, group_message, or some of these, separated by commas; task_update and alert if absent, and group_message if there are groups"
            ),
            in_query("groups", "Of group_message, those of these groups, separated by commas"),
            typed("limit", "Events of one page, from 1 to 1000; 100 if absent", up_to_1000()),
        ]);
        let document = json!({ "200": { "description": "This document" } });
        self.add("/api/v1/openapi.json", "get", "This document", None, document);
    }

    fn tasks(&mut self) {
        let (one, stop) = ("/api/v1/tasks/{id}", "/api/v1/tasks/{id}/stop");
        self.get::<Tasks>("/api/v1/tasks", "All tasks");
        let (body, task) = (self.schema::<NewTask>(), self.schema::<Task>());
        let created = Self::answer("201", "The task", &task);
        self.add("/api/v1/tasks", "post", "Report a new task", Some(body), created);
        let what = "One task is created for one key, however often the request is sent";
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 128 });
        self.paths["/api/v1/tasks"]["post"]["parameters"] = json!([
            { "name": "Idempotency-Key", "in": "header", "description": what, "schema": schema },
        ]);
        self.get::<Task>(one, "One task");
        let (change, task) = (self.schema::<TaskChange>(), Self::answer("200", "The task", &task));
        self.add(one, "patch", "Report on a task", Some(change), task.clone());
        let removed = self.schema::<Removed>();
        let mut gone = Self::answer("200", "It is gone, in memory only", &removed);
        gone["204"] = json!({ "description": "It is gone" });
        self.add(one, "delete", "Remove a task that has ended", None, gone);
        self.add(stop, "post", "Ask a task's owner to stop", None, task);
    }

    fn alerts(&mut self) {
        self.get::<Alerts>("/api/v1/alerts", "All alerts");
        let (body, alert) = (self.schema::<AlertReport>(), self.schema::<Alert>());
        let alert = Self::answer("200", "The alert", &alert);
        let summary = "Fire an alert, or bring it up to date";
        self.add("/api/v1/alerts", "post", summary, Some(body), alert.clone());
        self.get::<AlertDetails>("/api/v1/alerts/{id}", "One alert, with its past");
        let resolve = "/api/v1/alerts/{id}/resolve";
        self.add(resolve, "post", "End a firing alert", None, alert.clone());
        let (path, body) = ("/api/v1/alerts/{id}/acknowledge", self.schema::<Acknowledge>());
        self.add(path, "post", "Take a firing alert on", Some(body), alert);
        self.get::<Silences>("/api/v1/silences", "All silences");
        let (body, silence) = (self.schema::<NewSilence>(), self.schema::<Silence>());
        let created = Self::answer("201", "The silence", &silence);
        self.add("/api/v1/silences", "post", "Silence alerts for some time", Some(body), created);
        let gone = json!({ "204": { "description": "It is over" } });
        self.add("/api/v1/silences/{id}", "delete", "End a silence", None, gone);
    }

    fn notifications(&mut self) {
        let path = "/api/v1/notifications";
        self.get::<Notifications>(path, "Who was told of alerts, and who is to be");
        self.paths[path]["get"]["parameters"] = json!([
            in_query("channel", "Those of this channel"),
            in_query("alert", "Those about the alert with this id"),
            typed("state", "How it stands", json!({ "enum": ["pending", "sent", "failed"] })),
            typed("limit", "As many at the most, from 1 to 1000; 100 if absent", up_to_1000()),
        ]);
        self.get::<Channels>("/api/v1/notify/channels", "Where notifications go, and how it fares");
        let tested = self.schema::<ChannelTest>();
        let tested = Self::answer("200", "What came of it", &tested);
        let path = "/api/v1/notify/channels/{id}/test";
        self.add(path, "post", "Send a notification to a channel, to try it out", None, tested);
    }

    /// Who may what.
    fn access(&mut self) {
        let session = "/api/v1/session";
        self.get::<Session>(session, "Whom the daemon takes the caller for");
        let body = self.schema::<Login>();
        let begun = json!({ "204": { "description": "A cookie stands for the token now" } });
        self.add(session, "post", "Log in with a token", Some(body), begun);
        let ended = json!({ "204": { "description": "The session has ended" } });
        self.add(session, "delete", "Log out", None, ended);
        self.get::<Tokens>("/api/v1/tokens", "The tokens, without what is secret of them");
        let (body, created) = (self.schema::<NewToken>(), self.schema::<CreatedToken>());
        let created = Self::answer("201", "The token, told this once", &created);
        self.add("/api/v1/tokens", "post", "Make a token", Some(body), created);
        let gone = json!({ "204": { "description": "Nothing goes on by it any more" } });
        self.add("/api/v1/tokens/{id}", "delete", "Revoke a token", None, gone);
        self.get::<Audit>("/api/v1/audit", "What was changed, by whom and from where");
        self.paths["/api/v1/audit"]["get"]["parameters"] = json!([
            typed("since", "The number of an entry: those after it, the first first", whole()),
            typed("before", "The number of an entry: those before it, the last first", whole()),
            typed("limit", "Entries of one page, from 1 to 1000; 100 if absent", up_to_1000()),
        ]);
    }

    fn groups(&mut self) {
        self.get::<Groups>("/api/v1/groups", "Groups that have members, or had messages");
        self.paths["/api/v1/groups"]["get"]["parameters"] = json!([
            in_query("after", "Those whose names come after this one"),
            typed("limit", "As many at the most, from 1 to 1000; 100 if absent", up_to_1000()),
        ]);
        let (body, published) = (self.schema::<Value>(), self.schema::<Published>());
        let published = Self::answer("200", "The number of the message", &published);
        let path = "/api/v1/groups/{name}/messages";
        self.add(path, "post", "Say something in a group", Some(body), published);
    }

    /// Requests and answers of Prometheus' form.
    fn queries(&mut self) {
        const TIMES: [(&str, &str); 3] = [
            ("start", "Those with samples since then: seconds since 1970, or RFC 3339"),
            ("end", "Those with samples until then"),
            ("limit", "As many at the most"),
        ];
        const MATCH: (&str, &str) = ("match[]", "A selector; may be repeated");
        self.asked::<RuleGroups>("/api/v1/rules", "Rules, and how they are doing", &[], false);
        let since = ("since", "How far back: seconds, or with units as in 24h, the default");
        let rule = ("rule", "The id of a rule, all if absent; may be repeated");
        let path = "/api/v1/rules/replay";
        self.asked::<Replays>(path, "What rules would have done", &[since, rule], false);
        let query = ("query", "A PromQL expression");
        let timeout = ("timeout", "Less than query.timeout: seconds, or with units as in 10s");
        let time =
            ("time", "When it is evaluated, now by default: seconds since 1970, or RFC 3339");
        let path = "/api/v1/query";
        self.asked::<QueryData>(path, "Evaluate PromQL at one time", &[query, time, timeout], true);
        let (start, end) = (("start", "The first time"), ("end", "The last time"));
        let step = ("step", "Time between two points: seconds, or with units as in 15s");
        let parameters = [query, start, end, step, timeout];
        let path = "/api/v1/query_range";
        self.asked::<QueryData>(path, "Evaluate PromQL over a time", &parameters, true);
        let selection = [&[MATCH][..], &TIMES].concat();
        let path = "/api/v1/series";
        self.asked::<Vec<Metric>>(path, "Series that selectors find", &selection, true);
        self.asked::<Vec<String>>("/api/v1/labels", "Names of labels", &selection, true);
        let path = "/api/v1/label/{id}/values";
        self.asked::<Vec<String>>(path, "Values of a label", &selection, false);
        let metric = [("metric", "Of this metric"), ("limit", "As many at the most")];
        let path = "/api/v1/metadata";
        let summary = "Types and units of metrics";
        self.asked::<BTreeMap<String, Vec<MetricMetadata>>>(path, summary, &metric, false);
        self.asked::<BuildInfo>("/api/v1/status/buildinfo", "The version", &[], false);
    }

    /// One path of Prometheus' API, which takes its parameters from the address or from a form.
    fn asked<T: JsonSchema>(
        &mut self,
        path: &str,
        summary: &str,
        parameters: &[(&str, &str)],
        by_form: bool,
    ) {
        let answer = self.schema::<QueryAnswer<T>>();
        let error = self.schema::<QueryError>();
        let content = json!({ "application/json": { "schema": error } });
        let error = json!({ "description": "In Prometheus' words", "content": content });
        for method in if by_form { &["get", "post"][..] } else { &["get"] } {
            self.add(path, method, summary, None, Self::answer("200", summary, &answer));
            let operation = &mut self.paths[path][*method];
            operation["responses"]["default"] = error.clone();
            if *method == "post" {
                let text = json!({ "type": "string" });
                let properties: Map<String, Value> =
                    parameters.iter().map(|(name, _)| ((*name).to_owned(), text.clone())).collect();
                let schema = json!({ "type": "object", "properties": properties });
                let content = json!({ "application/x-www-form-urlencoded": { "schema": schema } });
                operation["requestBody"] = json!({ "content": content });
                continue;
            }
            let parameters = parameters.iter().map(|(name, what)| match *name {
                "limit" => typed(name, what, whole()),
                _ => in_query(name, what),
            });
            let in_path = operation["parameters"].as_array().cloned().unwrap_or_default();
            operation["parameters"] = in_path.into_iter().chain(parameters).collect();
        }
    }

    fn schema<T: JsonSchema>(&mut self) -> Schema {
        self.schemas.subschema_for::<T>()
    }

    fn get<T: JsonSchema>(&mut self, path: &str, summary: &str) {
        let schema = self.schema::<T>();
        self.add(path, "get", summary, None, Self::answer("200", summary, &schema));
    }

    fn answer(status: &str, description: &str, schema: &Schema) -> Value {
        let content = json!({ "application/json": { "schema": schema } });
        json!({ status: { "description": description, "content": content } })
    }

    fn add(
        &mut self,
        path: &str,
        method: &str,
        summary: &str,
        body: Option<Schema>,
        mut responses: Value,
    ) {
        responses["default"] = json!({ "$ref": "#/components/responses/Problem" });
        let mut operation = json!({ "summary": summary, "responses": responses });
        if let Some(schema) = body {
            let content = json!({ "application/json": { "schema": schema } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        let named = path.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        if let Some((name, _)) = named {
            let schema = json!({ "type": "string" });
            operation["parameters"] =
                json!([{ "name": name, "in": "path", "required": true, "schema": schema }]);
        }
        let item = self.paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
}

fn in_query(name: &str, description: &str) -> Value {
    typed(name, description, json!({ "type": "string" }))
}

fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn up_to_1000() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 1_000 })
}

fn typed(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}
