//! Which path leads to which handler. Who may ask for it says [`super::auth::table`].

use http::{HeaderValue, Method, StatusCode, header};
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::{EndpointExt, Response, Route};

use super::methods::Methods;
use super::{App, dashboard, exposition, problem, prometheus, rest, ws};

/// Everything that HTTP serves, for one daemon.
pub fn routes(app: App) -> BoxEndpoint<'static, Response> {
    Route::new()
        .at("/", Methods::get(make_sync(|_| to_dashboard())).boxed())
        .at("/dashboard", Methods::get(dashboard::page).boxed())
        .at("/dashboard/*path", Methods::get(dashboard::asset).boxed())
        // Judged by the handshake itself, which knows what to answer to anything but an upgrade.
        .at("/ws", ws::upgrade::upgrade)
        .at("/metrics", Methods::get(exposition::metrics).boxed())
        .at("/healthz", Methods::get(rest::status::is_live).boxed())
        .at("/readyz", Methods::get(rest::status::is_ready).boxed())
        .nest("/api/v1", api())
        .data(app)
        .catch_all_error(problem::answer)
        .boxed()
}

fn api() -> Route {
    use rest::{openapi, reload};
    queries(access(alerting(state(Route::new()))))
        .at("/reload", Methods::post(reload::reload).boxed())
        .at("/openapi.json", Methods::get(openapi::get_document).boxed())
}

/// What the daemon has: the host, its collectors, its clients and tasks.
fn state(route: Route) -> Route {
    use rest::{clients, collectors, doctor, events, groups, plugins, samples, status, tasks};
    route
        .at("/status", Methods::get(status::get_status).boxed())
        .at("/health", Methods::get(status::get_health).boxed())
        .at("/metrics", Methods::get(status::get_metrics).boxed())
        .at("/collectors", Methods::get(collectors::list).boxed())
        .at("/collectors/:id/restart", Methods::post(collectors::restart).boxed())
        .at("/doctor", Methods::get(doctor::examine).boxed())
        .at("/plugins", Methods::get(plugins::list).boxed())
        .at("/clients", Methods::get(clients::list).boxed())
        .at("/clients/:id", Methods::delete(clients::close).boxed())
        .at("/events", Methods::get(events::list).boxed())
        .at("/groups", Methods::get(groups::list).boxed())
        .at("/groups/:name/messages", Methods::post(groups::publish).boxed())
        .at("/samples", Methods::get(samples::list).boxed())
        .at("/tasks", Methods::get(tasks::list).and(Method::POST, tasks::create).boxed())
        .at(
            "/tasks/:id",
            Methods::get(tasks::show)
                .and(Method::PATCH, tasks::update)
                .and(Method::DELETE, tasks::delete)
                .boxed(),
        )
        .at("/tasks/:id/stop", Methods::post(tasks::stop).boxed())
}

/// Alerts, what they come of, and who is told.
fn alerting(route: Route) -> Route {
    use rest::{alerts, notifications, silences};
    route
        .at("/alerts", Methods::get(alerts::list).and(Method::POST, alerts::fire).boxed())
        .at("/alerts/:id", Methods::get(alerts::show).boxed())
        .at("/alerts/:id/resolve", Methods::post(alerts::resolve).boxed())
        .at("/alerts/:id/acknowledge", Methods::post(alerts::acknowledge).boxed())
        .at("/silences", Methods::get(silences::list).and(Method::POST, silences::create).boxed())
        .at("/silences/:id", Methods::delete(silences::remove).boxed())
        .at("/rules", Methods::get(prometheus::list_rules).boxed())
        .at("/rules/replay", Methods::get(prometheus::replay_rules).boxed())
        .at("/notifications", Methods::get(notifications::list).boxed())
        .at("/notify/channels", Methods::get(notifications::list_channels).boxed())
        .at("/notify/channels/:id/test", Methods::post(notifications::test).boxed())
}

/// Who may do what, and who has.
fn access(route: Route) -> Route {
    use rest::{audit, session, tokens};
    route
        .at("/audit", Methods::get(audit::list).boxed())
        .at(
            "/session",
            Methods::get(session::show)
                .and(Method::POST, session::begin)
                .and(Method::DELETE, session::end)
                .boxed(),
        )
        .at("/tokens", Methods::get(tokens::list).and(Method::POST, tokens::create).boxed())
        .at("/tokens/:id", Methods::delete(tokens::delete).boxed())
}

/// Prometheus' own paths.
fn queries(route: Route) -> Route {
    use prometheus::{
        at_one_time, list_labels, list_metadata, list_series, list_values, over_time, show_build,
    };
    route
        .at("/query", Methods::get(at_one_time).and(Method::POST, at_one_time).boxed())
        .at("/query_range", Methods::get(over_time).and(Method::POST, over_time).boxed())
        .at("/series", Methods::get(list_series).and(Method::POST, list_series).boxed())
        .at("/labels", Methods::get(list_labels).and(Method::POST, list_labels).boxed())
        .at("/label/:id/values", Methods::get(list_values).boxed())
        .at("/metadata", Methods::get(list_metadata).boxed())
        .at("/status/buildinfo", Methods::get(show_build).boxed())
}

fn to_dashboard() -> Response {
    let location = HeaderValue::from_static("/dashboard");
    Response::builder().status(StatusCode::FOUND).header(header::LOCATION, location).finish()
}
