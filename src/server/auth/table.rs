//! Who may ask for what: the one table of all routes and of all messages of the stream.
//!
//! What is not in it is for admins alone. docs/security.md has a copy, which a test keeps the same.

use http::Method;

use super::role::Role;
use Effect::{Changes, Looks};
use Least::{Nobody, Of, Proven};

/// What somebody has to be, at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Least {
    /// Nobody in particular.
    Nobody,
    /// Somebody of this role. Where there are no tokens, everybody is an admin.
    Of(Role),
    /// An admin by a token or by the Unix socket. That there are no tokens makes nobody one.
    Proven,
}

/// Whether something is another way afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Effect {
    Looks,
    /// So it is written down who asked for it.
    Changes,
}

/// One method of one path. `{…}` is a part of the path, and `{*}` all the rest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct Row {
    method: &'static str,
    path: &'static str,
    pub(in crate::server) least: Least,
    pub(in crate::server) effect: Effect,
}

const VIEWER: Least = Of(Role::Viewer);
const OPERATOR: Least = Of(Role::Operator);
const ADMIN: Least = Of(Role::Admin);

const fn row(method: &'static str, path: &'static str, least: Least, effect: Effect) -> Row {
    Row { method, path, least, effect }
}

/// What is in no row.
const OTHER: Row = row("", "", ADMIN, Changes);
/// What a path knows: browsers ask before they send a token, and so without one.
const OPTIONS: Row = row("OPTIONS", "{*}", Nobody, Looks);

/// Every route, by path. `HEAD` is as `GET`.
const ROUTES: &[Row] = &[
    row("GET", "/", Nobody, Looks),
    row("GET", "/dashboard", Nobody, Looks),
    row("GET", "/dashboard/{*}", Nobody, Looks),
    row("GET", "/healthz", Nobody, Looks),
    row("GET", "/metrics", VIEWER, Looks),
    row("GET", "/readyz", Nobody, Looks),
    row("GET", "/ws", VIEWER, Looks),
    row("GET", "/api/v1/alerts", VIEWER, Looks),
    row("POST", "/api/v1/alerts", OPERATOR, Changes),
    row("GET", "/api/v1/alerts/{id}", VIEWER, Looks),
    row("POST", "/api/v1/alerts/{id}/acknowledge", OPERATOR, Changes),
    row("POST", "/api/v1/alerts/{id}/resolve", OPERATOR, Changes),
    row("GET", "/api/v1/audit", ADMIN, Looks),
    row("GET", "/api/v1/clients", OPERATOR, Looks),
    row("DELETE", "/api/v1/clients/{id}", ADMIN, Changes),
    row("GET", "/api/v1/collectors", VIEWER, Looks),
    row("POST", "/api/v1/collectors/{id}/restart", OPERATOR, Changes),
    row("GET", "/api/v1/doctor", OPERATOR, Looks),
    row("GET", "/api/v1/events", VIEWER, Looks),
    row("GET", "/api/v1/groups", VIEWER, Looks),
    row("POST", "/api/v1/groups/{name}/messages", OPERATOR, Changes),
    row("GET", "/api/v1/health", VIEWER, Looks),
    row("GET", "/api/v1/label/{id}/values", VIEWER, Looks),
    row("GET", "/api/v1/labels", VIEWER, Looks),
    row("POST", "/api/v1/labels", VIEWER, Looks),
    row("GET", "/api/v1/metadata", VIEWER, Looks),
    row("GET", "/api/v1/metrics", VIEWER, Looks),
    row("GET", "/api/v1/notifications", VIEWER, Looks),
    row("GET", "/api/v1/notify/channels", VIEWER, Looks),
    row("POST", "/api/v1/notify/channels/{id}/test", OPERATOR, Changes),
    row("GET", "/api/v1/openapi.json", VIEWER, Looks),
    row("GET", "/api/v1/plugins", VIEWER, Looks),
    row("GET", "/api/v1/query", VIEWER, Looks),
    row("POST", "/api/v1/query", VIEWER, Looks),
    row("GET", "/api/v1/query_range", VIEWER, Looks),
    row("POST", "/api/v1/query_range", VIEWER, Looks),
    row("POST", "/api/v1/reload", ADMIN, Changes),
    row("GET", "/api/v1/rules", VIEWER, Looks),
    row("GET", "/api/v1/rules/replay", VIEWER, Looks),
    row("GET", "/api/v1/samples", VIEWER, Looks),
    row("GET", "/api/v1/series", VIEWER, Looks),
    row("POST", "/api/v1/series", VIEWER, Looks),
    row("GET", "/api/v1/session", Nobody, Looks),
    row("POST", "/api/v1/session", Nobody, Changes),
    row("DELETE", "/api/v1/session", Nobody, Changes),
    row("GET", "/api/v1/silences", VIEWER, Looks),
    row("POST", "/api/v1/silences", OPERATOR, Changes),
    row("DELETE", "/api/v1/silences/{id}", OPERATOR, Changes),
    row("GET", "/api/v1/status", VIEWER, Looks),
    row("GET", "/api/v1/status/buildinfo", VIEWER, Looks),
    row("GET", "/api/v1/tasks", VIEWER, Looks),
    row("POST", "/api/v1/tasks", OPERATOR, Changes),
    row("GET", "/api/v1/tasks/{id}", VIEWER, Looks),
    row("PATCH", "/api/v1/tasks/{id}", OPERATOR, Changes),
    row("DELETE", "/api/v1/tasks/{id}", OPERATOR, Changes),
    row("POST", "/api/v1/tasks/{id}/stop", OPERATOR, Changes),
    row("GET", "/api/v1/tokens", ADMIN, Looks),
    row("POST", "/api/v1/tokens", Proven, Changes),
    row("DELETE", "/api/v1/tokens/{id}", Proven, Changes),
];

/// The messages of clients of the stream, by `type`.
const MESSAGES: &[(&str, Role)] = &[
    ("ping", Role::Viewer),
    ("publish", Role::Operator),
    ("subscribe", Role::Viewer),
    ("unsubscribe", Role::Viewer),
];

/// The row of a request.
pub(in crate::server) fn of_request(method: &Method, path: &str) -> Row {
    if *method == Method::OPTIONS {
        return OPTIONS;
    }
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES
        .iter()
        .find(|row| *method == row.method && fits(row.path, path))
        .copied()
        .unwrap_or(OTHER)
}

/// What a client of the stream has to be to send a message of this type.
pub(in crate::server) fn of_message(kind: &str) -> Role {
    let known = MESSAGES.iter().find(|(known, _)| *known == kind);
    known.map_or(Role::Admin, |(_, least)| *least)
}

/// Whether `path` is one of `pattern`, part by part. An escape is not what it stands for: where a
/// route is found all the same, it is for admins.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some("{*}"), Some(_)) => return true,
            (Some(pattern), Some(part)) if pattern == part => {}
            (Some(pattern), Some(part)) if pattern.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(method: &str, path: &str) -> Least {
        of_request(&method.parse().expect("a method"), path).least
    }

    #[test]
    fn a_request_has_the_row_of_its_route_and_no_other() {
        let check = |method: &str, path: &str, expected: Least| {
            assert_eq!(least(method, path), expected, "{method} {path}");
        };
        check("GET", "/", Nobody);
        check("GET", "/dashboard/vendor/uPlot.esm.js", Nobody);
        check("GET", "/api/v1/tasks/a", VIEWER);
        check("HEAD", "/api/v1/tasks/a", VIEWER);
        check("DELETE", "/api/v1/tasks/a%2Fstop", OPERATOR);
        check("OPTIONS", "/api/v1/reload", Nobody);
        check("POST", "/api/v1/tokens", Proven);
        check("DELETE", "/api/v1/tokens/a", Proven);
        for (method, path) in [
            ("PUT", "/api/v1/tasks/a"),
            ("DELETE", "/api/v1/tasks"),
            ("GET", "/api/v1/tasks/"),
            ("GET", "/api/v1//tasks"),
            ("GET", "//dashboard"),
            ("GET", "/dashboard%2F"),
            ("GET", "/api/v1/%74asks"),
            ("GET", "/nowhere"),
            ("GET", ""),
            ("GET", "*"),
            ("TRACE", "/"),
        ] {
            check(method, path, ADMIN);
        }
    }

    #[test]
    fn no_row_is_there_twice_and_none_hides_another() {
        for row in ROUTES {
            let path = row.path.replace("{id}", "x").replace("{*}", "x");
            let found = of_request(&row.method.parse().expect("a method"), &path);
            assert_eq!(&found, row, "{} {}", row.method, row.path);
            let same = ROUTES.iter().filter(|one| (one.method, one.path) == (row.method, row.path));
            assert_eq!(same.count(), 1, "{} {}", row.method, row.path);
        }
    }

    #[test]
    fn an_unknown_message_is_for_admins() {
        assert_eq!(of_message("ping"), Role::Viewer);
        for kind in ["", "Ping", "command"] {
            assert_eq!(of_message(kind), Role::Admin, "{kind}");
        }
    }

    /// The table as docs/security.md has it.
    fn printed() -> String {
        let mut text = "| Request | none | viewer | operator | admin |\n".to_owned()
            + "| --- | --- | --- | --- | --- |\n";
        let mut line = |what: &str, least: Least| {
            let may = |role: Option<Role>| match (least, role) {
                (Nobody, _) => "yes",
                (Of(least), Some(role)) if role >= least => "yes",
                (Proven, Some(Role::Admin)) => "yes",
                (_, None) => "401",
                (_, Some(_)) => "403",
            };
            let roles = [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)];
            let [none, viewer, operator, admin] = roles.map(may);
            text += &format!("| {what} | {none} | {viewer} | {operator} | {admin} |\n");
        };
        ROUTES.iter().for_each(|row| line(&format!("`{} {}`", row.method, row.path), row.least));
        line("`OPTIONS` of any path", Nobody);
        MESSAGES.iter().for_each(|(kind, least)| line(&format!("message `{kind}`"), Of(*least)));
        line("anything else", ADMIN);
        text
    }

    #[test]
    fn the_document_has_the_table() {
        const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md");
        const MARKS: [&str; 2] = ["<!-- roles -->\n", "<!-- /roles -->"];
        let document = std::fs::read_to_string(FILE).expect("the document");
        let (before, rest) = document.split_once(MARKS[0]).expect("where the table begins");
        let (table, after) = rest.split_once(MARKS[1]).expect("where it ends");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let text = [before, MARKS[0], &printed(), MARKS[1], after].concat();
            std::fs::write(FILE, text).expect("written");
        } else {
            let advice = "UPDATE_GOLDEN=1 cargo test --lib auth::table";
            assert_eq!(table, printed(), "run {advice}");
        }
    }
}
