//! Events of the past, page by page.

use std::collections::BTreeSet;

use http::{StatusCode, header};
use poem::web::{Data, Query};
use poem::{IntoResponse, Response, handler};
use serde_json::value::RawValue;

use super::{Json, Problem, Result, groups};
use crate::api::{Events, GapData};
use crate::group;
use crate::hub::{Ask, Entry, Filter, Gap, Place, Start, Type, TypeSet};
use crate::server::App;
use crate::server::auth::Caller;

/// Events of one page, if nobody says how many, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;
/// Groups that may be named.
const GROUPS_MAX: usize = 100;
/// Bytes of one page, the last event left out.
const BYTES: usize = 4 << 20;

/// `GET /api/v1/events?since=EPOCH:SEQ&types=TYPE,…&groups=NAME,…&limit=N`: what was published after this place,
/// oldest first; without a place, from the oldest that is kept.
#[handler]
pub(crate) async fn list(
    Data(app): Data<&App>,
    Data(caller): Data<&Caller>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response> {
    let wanted = Wanted::parse(&parameters)?;
    groups::check(caller, wanted.filter.groups.iter().map(String::as_str))?;
    let (epoch, head) = app.pipeline.hub.position();
    let start = wanted.since.as_ref().map(|place| Start::after(place, &epoch, head));
    let mut page = Events::default();
    page.gaps.extend(start.and_then(|start| start.gap).map(told));
    let mut next = start.map_or(1, |start| start.from);
    let mut bytes = 0;
    while next <= head && page.events.len() < wanted.limit && bytes < BYTES {
        let mut ask = Ask::of(next, head, wanted.filter.clone());
        ask.messages = ask.messages.min(wanted.limit - page.events.len());
        let part = app.history.read(ask).await;
        next = part.next;
        for entry in part.entries {
            match entry {
                // Who asks for what is kept has lost nothing by what is not.
                Entry::Lost(_) if wanted.since.is_none() && page.events.is_empty() => {}
                Entry::Lost(gap) => page.gaps.push(told(gap)),
                Entry::Event(event) => {
                    bytes += event.text.len();
                    page.events.extend(raw(&event.text));
                }
            }
        }
    }
    page.complete = page.gaps.is_empty();
    page.more = next <= head;
    page.next = Place { epoch: epoch.to_string(), seq: next - 1 }.to_string();
    let answer = Json::ok(&page);
    if !page.more {
        return Ok(answer.into_response());
    }
    Ok(answer.with_header(header::LINK, wanted.link(&page.next)).into_response())
}

struct Wanted {
    since: Option<Place>,
    filter: Filter,
    limit: usize,
}

impl Wanted {
    fn parse(parameters: &[(String, String)]) -> Result<Self> {
        let filter = Filter { types: Self::events(), ..Filter::default() };
        let mut wanted = Self { since: None, filter, limit: LIMIT };
        let mut are_types_named = false;
        for (index, (parameter, value)) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|(before, _)| before == parameter) {
                return Err(invalid(format!("{parameter}: there may be one")));
            }
            match parameter.as_str() {
                "since" => {
                    let place = value.parse::<Place>();
                    wanted.since = Some(place.map_err(|error| invalid(error.to_string()))?);
                }
                "types" => {
                    wanted.filter.types = Self::types(value)?;
                    are_types_named = true;
                }
                "groups" => wanted.filter.groups = Self::groups(value)?,
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    wanted.limit = limit
                        .ok_or_else(|| invalid(format!("limit: a number from 1 to {LIMIT_MAX}")))?;
                }
                _ => {
                    return Err(invalid(format!(
                        "{parameter}: there are since, types, groups and limit"
                    )));
                }
            }
        }
        let has_groups = !wanted.filter.groups.is_empty();
        if are_types_named && wanted.filter.types.contains(Type::GroupMessage) && !has_groups {
            let text = "groups: with the type group_message, those whose messages are wanted";
            return Err(invalid(text.to_owned()));
        }
        Ok(wanted)
    }

    fn groups(names: &str) -> Result<BTreeSet<String>> {
        let names: BTreeSet<String> = names.split(',').map(str::to_owned).collect();
        if names.len() > GROUPS_MAX {
            return Err(invalid(format!("groups: there may be {GROUPS_MAX}")));
        }
        let wrong = names.iter().find_map(|name| group::check_name(name).err());
        wrong.map_or(Ok(names), |error| Err(invalid(error.to_string())))
    }

    fn events() -> TypeSet {
        [Type::TaskUpdate, Type::Alert, Type::GroupMessage]
            .into_iter()
            .fold(TypeSet::NONE, TypeSet::with)
    }

    fn types(names: &str) -> Result<TypeSet> {
        names.split(',').try_fold(TypeSet::NONE, |types, name| {
            let kind = Type::of(name).filter(|kind| Self::events().contains(*kind));
            kind.map(|kind| types.with(kind)).ok_or_else(|| {
                let known = "there are task_update, alert and group_message";
                invalid(format!("types: {name:?} is not kept; {known}"))
            })
        })
    }

    /// The next page (RFC 8288).
    fn link(&self, next: &str) -> String {
        let types = match self.filter.groups.is_empty() {
            true => self.filter.types.without(Type::GroupMessage),
            false => self.filter.types,
        };
        let types: Vec<&str> = types.iter().map(Type::name).collect();
        let (types, limit) = (types.join(","), self.limit);
        let groups: Vec<&str> = self.filter.groups.iter().map(String::as_str).collect();
        // Names need no escape.
        let groups = match groups.is_empty() {
            true => String::new(),
            false => format!("&groups={}", groups.join(",")),
        };
        format!("</api/v1/events?since={next}&types={types}{groups}&limit={limit}>; rel=\"next\"")
    }
}

fn told(Gap { from, to, reason }: Gap) -> GapData {
    GapData { from, to, reason: reason.name() }
}

/// The message as it was sent. What is kept is JSON.
fn raw(text: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(text).ok()
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}
