//! Who was told of alerts, who could not be, and trying a channel out.

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Path, Query};

use super::{Json, Problem, Result};
use crate::api::{Channel, ChannelTest, Channels, Notification, Notifications};
use crate::notify::{Entry, Handle, State, Untried};
use crate::server::App;

/// Notifications of one answer, if nobody says how many, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// `GET /api/v1/notify/channels`.
#[handler]
pub(crate) fn list_channels(Data(app): Data<&App>) -> Result<Json> {
    let channels = notifier(app)?.channels().into_iter().map(Channel::from).collect();
    Ok(Json::ok(&Channels { channels }))
}

/// `POST /api/v1/notify/channels/{id}/test`: sends a notification now, and says what came of it.
#[handler]
pub(crate) async fn test(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Json> {
    let trial = notifier(app)?.test(id.clone()).await.map_err(|untried| {
        let (status, code) = match &untried {
            Untried::Unknown(..) => (StatusCode::NOT_FOUND, "channel_not_found"),
            Untried::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Untried::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        };
        Problem::new(status, code, untried.to_string())
    })?;
    Ok(Json::ok(&ChannelTest::new(id, trial)))
}

/// `GET /api/v1/notifications?channel=NAME&alert=ID&state=STATE&limit=N`: newest first.
#[handler]
pub(crate) fn list(
    Data(app): Data<&App>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json> {
    let (mut channel, mut alert, mut state, mut limit) = (None, None, None, LIMIT);
    for (name, value) in parameters {
        match name.as_str() {
            "channel" => channel = Some(value),
            "alert" => alert = Some(value),
            "state" => state = Some(state_of(&value)?),
            "limit" => {
                let number = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                limit = number
                    .ok_or_else(|| invalid(format!("limit: a number from 1 to {LIMIT_MAX}")))?;
            }
            _ => {
                let text = format!("{name}: there are channel, alert, state and limit");
                return Err(invalid(text));
            }
        }
    }
    let is_wanted = |entry: &Entry| {
        channel.as_ref().is_none_or(|channel| entry.channel == *channel)
            && alert.as_ref().is_none_or(|alert| entry.alerts.contains(alert))
            && state.is_none_or(|state| entry.state == state)
    };
    let (entries, more) = notifier(app)?.notifications(limit, is_wanted);
    let notifications = entries.iter().map(Notification::from).collect();
    Ok(Json::ok(&Notifications { notifications, more }))
}

fn state_of(name: &str) -> Result<State> {
    let states = [State::Pending, State::Sent, State::Failed];
    let state = states.into_iter().find(|state| state.name() == name);
    state.ok_or_else(|| invalid("state: there are pending, sent and failed".to_owned()))
}

fn notifier(app: &App) -> Result<Handle> {
    app.notifier().ok_or_else(|| {
        let detail = "Nobody tells of alerts here.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_notifier", detail)
    })
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}
