//! Groups: who is in them, and messages to them.

use std::collections::BTreeMap;

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Path, Query};

use super::{AnyJson, Json, Problem, Result};
use crate::api::{Group, Groups};
use crate::group::Publisher;
use crate::hub::client_id;
use crate::pipeline::Pipeline;
use crate::server::App;
use crate::server::auth::Caller;
use crate::server::groups::{self, Refusal};

/// Groups of one answer, if nobody says how many, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;
/// Members of one group that are named.
const MEMBERS_MAX: usize = 1_000;

/// `GET /api/v1/groups?after=NAME&limit=N`: those that have members, or in which something was said.
#[handler]
pub(crate) async fn list(
    Data(app): Data<&App>,
    Data(caller): Data<&Caller>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json> {
    let page = Page::parse(&parameters)?;
    let is_theirs = |name: &str| caller.beyond(std::iter::once(name)).is_none();
    let look = |state: &Pipeline, _| {
        let said = state.groups.iter().filter(|(name, _)| page.is_beyond(name) && is_theirs(name));
        said.take(page.limit + 1).map(|(name, seq)| (name.to_string(), seq)).collect()
    };
    let said: Vec<(String, u64)> = app.pipeline.read_settled(look).await;
    let mut groups = BTreeMap::new();
    for (name, seq) in said {
        page.add(&mut groups, &name).into_iter().for_each(|group| group.last_seq = Some(seq));
    }
    for client in app.shards.list().await {
        for name in
            client.filter.memberships().filter(|name| page.is_beyond(name) && is_theirs(name))
        {
            let Some(group) = page.add(&mut groups, name) else { continue };
            group.member_count += 1;
            if group.members.len() < MEMBERS_MAX {
                group.members.push(client_id(client.number));
            }
        }
    }
    let more = groups.len() > page.limit;
    Ok(Json::ok(&Groups { groups: groups.into_values().take(page.limit).collect(), more }))
}

/// `POST /api/v1/groups/{name}/messages`: the body, any JSON, to all who are in the group.
#[handler]
pub(crate) async fn publish(
    Data(app): Data<&App>,
    Data(caller): Data<&Caller>,
    Path(name): Path<String>,
    AnyJson(data): AnyJson,
) -> Result<Json> {
    check(caller, std::iter::once(name.as_str()))?;
    let published = groups::publish(&app.pipeline, &app.counts, name, data, Publisher::Rest);
    Ok(Json::ok(&published.await?))
}

/// # Errors
/// One of these groups is none of those of the caller's token.
pub(super) fn check<'a>(caller: &Caller, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let Some(name) = caller.beyond(names) else { return Ok(()) };
    let text = format!("group {name:?}: it is none of your token's groups");
    Err(Problem::new(StatusCode::FORBIDDEN, "group_forbidden", text))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Group(error) => crate::pipeline::CommandError::from(error).into(),
            Refusal::NotAllowed => {
                Self::new(StatusCode::FORBIDDEN, "not_allowed", refusal.to_string())
            }
            Refusal::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", refusal.to_string())
            }
            Refusal::Stopping => crate::pipeline::Closed.into(),
        }
    }
}

/// The first of the groups behind a name.
struct Page {
    after: String,
    limit: usize,
}

impl Page {
    fn parse(parameters: &[(String, String)]) -> Result<Self> {
        let mut page = Self { after: String::new(), limit: LIMIT };
        for (parameter, value) in parameters {
            match parameter.as_str() {
                "after" => page.after.clone_from(value),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    page.limit = limit
                        .ok_or_else(|| invalid(format!("limit: a number from 1 to {LIMIT_MAX}")))?;
                }
                _ => return Err(invalid(format!("{parameter}: there are after and limit"))),
            }
        }
        Ok(page)
    }

    fn is_beyond(&self, name: &str) -> bool {
        name > self.after.as_str()
    }

    /// The group of this name among those of the page and the one after them, however many there are.
    fn add<'a>(
        &self,
        groups: &'a mut BTreeMap<String, Group>,
        name: &str,
    ) -> Option<&'a mut Group> {
        if !groups.contains_key(name) {
            let name = name.to_owned();
            let group =
                Group { name: name.clone(), member_count: 0, members: Vec::new(), last_seq: None };
            groups.insert(name, group);
            if groups.len() > self.limit + 1 {
                groups.pop_last();
            }
        }
        groups.get_mut(name)
    }
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_first_names_in_whatever_order_they_come() {
        let page = Page { after: String::new(), limit: 2 };
        let mut groups = BTreeMap::new();
        for name in ["d", "b", "c", "b", "a"] {
            page.add(&mut groups, name).into_iter().for_each(|group| group.member_count += 1);
        }
        let counts: Vec<_> = groups.values().map(|g| (g.name.as_str(), g.member_count)).collect();
        assert_eq!(counts, [("a", 1), ("b", 2), ("c", 1)]);
    }
}
