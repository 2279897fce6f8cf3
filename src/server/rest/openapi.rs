//! `GET /api/v1/openapi.json`: this API described for programs (OpenAPI 3.1), from the types that
//! it answers with.

use std::sync::LazyLock;

use poem::{IntoResponse, Response, handler};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::{Json, Problem};
use crate::api::{
    Alert, AlertReport, Alerts, Clients, Collectors, Doctor, Health, MetricsUpdate, NewTask,
    Plugins, Reloaded, Samples, SystemStatus, Task, TaskChange, Tasks,
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
            "paths": self.paths,
            "components": {
                "schemas": self.schemas.take_definitions(true),
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
        self.get::<Samples<'_>>("/api/v1/samples", "The latest value of every series");
        let query = |name: &str, description: &str| {
            let schema = json!({ "type": "string" });
            json!({ "name": name, "in": "query", "description": description, "schema": schema })
        };
        self.paths["/api/v1/samples"]["get"]["parameters"] = json!([
            query("name", "Those of this metric"),
            query("label", "NAME=VALUE: those with this label; may be repeated"),
        ]);
        let reloaded = self.schema::<Reloaded>();
        let reloaded = Self::answer("200", "What has changed", &reloaded);
        self.add("/api/v1/reload", "post", "Read the configuration again", None, reloaded);
        let document = json!({ "200": { "description": "This document" } });
        self.add("/api/v1/openapi.json", "get", "This document", None, document);
    }

    fn tasks(&mut self) {
        let (one, stop) = ("/api/v1/tasks/{id}", "/api/v1/tasks/{id}/stop");
        self.get::<Tasks>("/api/v1/tasks", "All tasks");
        let (body, task) = (self.schema::<NewTask>(), self.schema::<Task>());
        let created = Self::answer("201", "The task", &task);
        self.add("/api/v1/tasks", "post", "Report a new task", Some(body), created);
        self.get::<Task>(one, "One task");
        let (change, task) = (self.schema::<TaskChange>(), Self::answer("200", "The task", &task));
        self.add(one, "patch", "Report on a task", Some(change), task.clone());
        let gone = json!({ "204": { "description": "It is gone" } });
        self.add(one, "delete", "Remove a task that has ended", None, gone);
        self.add(stop, "post", "Ask a task's owner to stop", None, task);
    }

    fn alerts(&mut self) {
        self.get::<Alerts>("/api/v1/alerts", "All alerts");
        let (body, alert) = (self.schema::<AlertReport>(), self.schema::<Alert>());
        let alert = Self::answer("200", "The alert", &alert);
        let summary = "Fire an alert, or bring it up to date";
        self.add("/api/v1/alerts", "post", summary, Some(body), alert.clone());
        self.get::<Alert>("/api/v1/alerts/{id}", "One alert");
        self.add("/api/v1/alerts/{id}/resolve", "post", "End a firing alert", None, alert);
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
        if path.contains("{id}") {
            let schema = json!({ "type": "string" });
            operation["parameters"] =
                json!([{ "name": "id", "in": "path", "required": true, "schema": schema }]);
        }
        let item = self.paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
}
