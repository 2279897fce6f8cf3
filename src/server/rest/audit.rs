//! What was changed, by whom and from where.

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Query};

use super::{Json, Problem, Result};
use crate::api::{Audit, AuditEntry};
use crate::audit::{Ask, Entry};
use crate::sample::rfc3339;
use crate::server::App;

/// Entries of one answer, if nobody says how many, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// `GET /api/v1/audit?since=NUMBER&before=NUMBER&limit=N`: the last first, or with `since` the first
/// after it.
#[handler]
pub(crate) async fn list(
    Data(app): Data<&App>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json> {
    let (ask, limit) = parse(&parameters)
        .map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail))?;
    let page = app.auth.audit.page(ask, limit).await.map_err(|error| {
        let detail =
            format!("What was changed cannot be read from the disk: {error}; the log has it.");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "storage", detail)
    })?;
    let total = app.auth_vitals().changes;
    Ok(Json::ok(&Audit {
        changes: page.entries.into_iter().map(entry).collect(),
        more: page.more,
        total,
    }))
}

fn parse(parameters: &[(String, String)]) -> std::result::Result<(Ask, usize), String> {
    let (mut ask, mut limit) = (None, LIMIT);
    for (name, value) in parameters {
        let number = || value.parse().map_err(|_| format!("{name}: the number of an entry"));
        let new = match name.as_str() {
            "since" => Ask::After(number()?),
            "before" => Ask::Before(number()?),
            "limit" => {
                let one = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                limit = one.ok_or_else(|| format!("limit: a number from 1 to {LIMIT_MAX}"))?;
                continue;
            }
            _ => return Err(format!("{name}: there are since, before and limit")),
        };
        if ask.replace(new).is_some() {
            return Err("there may be one of since and before, and once".to_owned());
        }
    }
    Ok((ask.unwrap_or(Ask::Before(u64::MAX)), limit))
}

fn entry(Entry { number, deed, count }: Entry) -> AuditEntry {
    AuditEntry {
        number,
        at: rfc3339(deed.at),
        who: deed.who,
        role: deed.role,
        from: deed.from,
        method: deed.method,
        path: deed.path,
        status: deed.status,
        count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_either_way() {
        let check = |pairs: &[(&str, &str)], expected: std::result::Result<_, &str>| {
            let pairs: Vec<(String, String)> = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(parse(&pairs), expected.map_err(str::to_owned), "{pairs:?}");
        };
        check(&[], Ok((Ask::Before(u64::MAX), LIMIT)));
        check(&[("limit", "5")], Ok((Ask::Before(u64::MAX), 5)));
        check(&[("since", "0"), ("limit", "1000")], Ok((Ask::After(0), 1_000)));
        check(&[("before", "7")], Ok((Ask::Before(7), LIMIT)));
        check(&[("since", "x")], Err("since: the number of an entry"));
        check(&[("since", "-1")], Err("since: the number of an entry"));
        check(&[("limit", "0")], Err("limit: a number from 1 to 1000"));
        check(&[("limit", "1001")], Err("limit: a number from 1 to 1000"));
        check(&[("after", "1")], Err("after: there are since, before and limit"));
        let both = [("since", "1"), ("before", "9")];
        check(&both, Err("there may be one of since and before, and once"));
    }
}
