//! Silences, acknowledgements and the past of an alert, as clients see and ask for them.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Alert;
use crate::alert::{self, Matcher, MatcherError};
use crate::sample::rfc3339;
use crate::units::HumanDuration;

/// Alerts that are not heard until some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Silence {
    pub id: String,
    /// Conditions such as `severity="low"`; all of them have to hold.
    pub matchers: Vec<String>,
    /// RFC 3339, UTC.
    pub starts_at: String,
    pub ends_at: String,
    pub by: String,
    pub comment: String,
}

impl From<&alert::Silence> for Silence {
    fn from(silence: &alert::Silence) -> Self {
        Self {
            id: silence.id.to_string(),
            matchers: silence.matchers.iter().map(ToString::to_string).collect(),
            starts_at: rfc3339(silence.starts_at),
            ends_at: rfc3339(silence.ends_at),
            by: silence.by.clone(),
            comment: silence.comment.clone(),
        }
    }
}

/// `GET /api/v1/silences`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Silences {
    /// By id.
    pub silences: Vec<Silence>,
}

/// The body of `POST /api/v1/silences`: silences alerts from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// 1 to 32 conditions such as `severity=low`, `device!="sda"`, `job=~"a|b"`; all have to hold.
    pub matchers: Vec<String>,
    /// How long: "2h".
    pub duration: HumanDuration,
    /// Who wants it, in 1024 bytes at most with what comes before it: the name of the token, the
    /// certificate or the local user, where one was shown. Where not, it has to be there.
    #[serde(default)]
    pub by: Option<String>,
    /// Why: 1024 bytes at most.
    #[serde(default)]
    pub comment: String,
}

impl NewSilence {
    /// The same by somebody who is known.
    ///
    /// # Errors
    /// A condition is none.
    pub fn signed(self, by: String) -> Result<alert::NewSilence, MatcherError> {
        let matchers: Result<Vec<Matcher>, _> =
            self.matchers.iter().map(|text| text.parse()).collect();
        let duration = SignedDuration::try_from(*self.duration).unwrap_or(SignedDuration::MAX);
        let matchers = matchers?;
        Ok(alert::NewSilence { matchers, duration, by, comment: self.comment })
    }
}

/// The body of `POST /api/v1/alerts/{id}/acknowledge`: somebody takes a firing alert on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Who, in 256 bytes at most with what comes before it: the name of the token, the certificate or
    /// the local user, where one was shown. Where not, it has to be there.
    #[serde(default)]
    pub by: Option<String>,
    /// 4096 bytes at most.
    #[serde(default)]
    pub comment: String,
}

/// `GET /api/v1/alerts/{id}`: an alert with its past.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertDetails {
    #[serde(flatten)]
    pub alert: Alert,
    /// Whether a rule of this daemon fires it, or somebody outside.
    pub of_rule: bool,
    /// Its last changes, oldest first; 32 at most.
    pub transitions: Vec<Transition>,
}

/// One change of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Transition {
    /// RFC 3339, UTC.
    pub at: String,
    /// What it was from then on.
    pub status: &'static str,
    pub value: Option<f64>,
    /// Why, in words.
    pub cause: String,
}

impl From<&alert::Alert> for AlertDetails {
    fn from(alert: &alert::Alert) -> Self {
        let transition = |it: &alert::Transition| Transition {
            at: rfc3339(it.at),
            status: it.state.name(),
            value: it.value,
            cause: it.cause.clone(),
        };
        Self {
            alert: Alert::from(alert),
            of_rule: alert.of_rule,
            transitions: alert.transitions.iter().map(transition).collect(),
        }
    }
}
