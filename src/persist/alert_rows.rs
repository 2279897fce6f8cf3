//! Alerts as rows, and back.

use std::collections::VecDeque;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::rows::{nanos, time};
use crate::alert::{self, Acknowledgement, Alert, Labels, Silence, State, Transition};
use crate::severity::Severity;

type Result<T> = rusqlite::Result<T>;

/// A transition as it is stored: when, the state, the value, why.
type StoredTransition = (i64, String, Option<f64>, String);

/// The alert of a row, if it makes sense.
pub(super) fn read_alert(row: &Row<'_>) -> Result<Option<Alert>> {
    let id: String = row.get("id")?;
    let (state, severity): (String, String) = (row.get("state")?, row.get("severity")?);
    let labels: Option<Labels> = json(row, "labels")?;
    let (annotations, transitions) = (json(row, "annotations")?, json(row, "transitions")?);
    let (Some(state), Some(severity), Some(starts_at)) =
        (State::of(&state), Severity::of(&severity), time(row, "starts_at")?)
    else {
        return Ok(None);
    };
    let (Some(labels), Some(annotations), Some(transitions)) =
        (labels, annotations, transitions.and_then(read_transitions))
    else {
        return Ok(None);
    };
    Ok(Some(Alert {
        id: id.into(),
        rule_id: row.get("rule_id")?,
        rule_name: row.get("rule_name")?,
        state,
        severity,
        labels,
        annotations,
        message: row.get("message")?,
        value: row.get("value")?,
        threshold: row.get("threshold")?,
        of_rule: row.get("of_rule")?,
        starts_at,
        ends_at: time(row, "ends_at")?,
        acknowledgement: read_acknowledgement(row)?,
        silenced_by: row.get("silenced_by")?,
        lapsed_at: time(row, "lapsed_at")?,
        flapping: row.get("flapping")?,
        last_time: time(row, "last_start")?.zip(time(row, "last_end")?),
        transitions,
    }))
}

fn read_acknowledgement(row: &Row<'_>) -> Result<Option<Acknowledgement>> {
    let (by, comment): (Option<String>, Option<String>) =
        (row.get("ack_by")?, row.get("ack_comment")?);
    let Some((by, at)) = by.zip(time(row, "ack_at")?) else { return Ok(None) };
    Ok(Some(Acknowledgement { by, comment: comment.unwrap_or_default(), at }))
}

fn read_transitions(stored: Vec<StoredTransition>) -> Option<VecDeque<Transition>> {
    let transition = |(at, state, value, cause): StoredTransition| {
        let at = Timestamp::from_nanosecond(at.into()).ok()?;
        Some(Transition { at, state: State::of(&state)?, value, cause })
    };
    stored.into_iter().map(transition).collect()
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    let text: String = row.get(column)?;
    Ok(serde_json::from_str(&text).ok())
}

/// Does to the alerts' table what was done to the alerts.
pub(super) fn write_alerts(connection: &Connection, entries: &[alert::Entry]) -> Result<()> {
    for entry in entries {
        match entry {
            alert::Entry::Gone(id) => {
                connection.prepare_cached("DELETE FROM alerts WHERE id = ?")?.execute([&**id])?;
            }
            alert::Entry::Kept(alert) => write_alert(connection, alert)?,
            alert::Entry::Silenced(silence) => write_silence(connection, silence)?,
            alert::Entry::Heard(id) => {
                connection.prepare_cached("DELETE FROM silences WHERE id = ?")?.execute([&**id])?;
            }
        }
    }
    Ok(())
}

/// Has one alert in the table as it is.
pub(super) fn write_alert(connection: &Connection, alert: &Alert) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO alerts (id, rule_id, rule_name, state, severity, message,
        value, threshold, starts_at, ends_at, labels, annotations, ack_by, ack_comment, ack_at,
        silenced_by, lapsed_at, flapping, transitions, of_rule, last_start, last_end)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let acknowledgement = alert.acknowledgement.as_ref();
    let transitions: Vec<_> = alert
        .transitions
        .iter()
        .map(|it| (nanos(it.at), it.state.name(), it.value, it.cause.as_str()))
        .collect();
    connection.prepare_cached(sql)?.execute(params![
        &*alert.id,
        alert.rule_id,
        alert.rule_name,
        alert.state.name(),
        alert.severity.name(),
        alert.message,
        alert.value,
        alert.threshold,
        nanos(alert.starts_at),
        alert.ends_at.map(nanos),
        text_of(&alert.labels),
        text_of(&alert.annotations),
        acknowledgement.map(|it| it.by.as_str()),
        acknowledgement.map(|it| it.comment.as_str()),
        acknowledgement.map(|it| nanos(it.at)),
        alert.silenced_by,
        alert.lapsed_at.map(nanos),
        alert.flapping,
        text_of(&transitions),
        alert.of_rule,
        alert.last_time.map(|(start, _)| nanos(start)),
        alert.last_time.map(|(_, end)| nanos(end)),
    ])?;
    Ok(())
}

/// The silence of a row, if it makes sense.
pub(super) fn read_silence(row: &Row<'_>) -> Result<Option<Silence>> {
    let id: String = row.get("id")?;
    let matchers: Option<Vec<String>> = json(row, "matchers")?;
    let matchers = matchers
        .and_then(|texts| texts.iter().map(|text| text.parse().ok()).collect::<Option<Vec<_>>>());
    let (Some(matchers), Some(starts_at), Some(ends_at)) =
        (matchers, time(row, "starts_at")?, time(row, "ends_at")?)
    else {
        return Ok(None);
    };
    let (by, comment) = (row.get("by")?, row.get("comment")?);
    Ok(Some(Silence { id: id.into(), matchers, starts_at, ends_at, by, comment }))
}

/// Has one silence in the table as it is.
pub(super) fn write_silence(connection: &Connection, silence: &Silence) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO silences (id, matchers, starts_at, ends_at, by, comment)
        VALUES (?, ?, ?, ?, ?, ?)";
    let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    connection.prepare_cached(sql)?.execute(params![
        &*silence.id,
        text_of(&matchers),
        nanos(silence.starts_at),
        nanos(silence.ends_at),
        silence.by,
        silence.comment,
    ])?;
    Ok(())
}

fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::{Sync, schema};

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn an_alert_comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let (connection, _) = schema::open(&folder.path().join("x.db"), Sync::Full).expect("made");
        let at = |second| Timestamp::from_second(second).expect("in range");
        let (state, cause) = (State::Silenced, "silence \"s\"".to_owned());
        let alert = Alert {
            id: "alert-1".into(),
            rule_id: "r".to_owned(),
            rule_name: "R".to_owned(),
            state,
            severity: Severity::Low,
            labels: labels(&[("device", "sda\"\n")]),
            annotations: labels(&[("summary", "größe")]),
            message: "m".to_owned(),
            value: Some(1.5),
            threshold: None,
            of_rule: true,
            starts_at: at(1),
            ends_at: None,
            acknowledgement: Some(Acknowledgement {
                by: "ada".to_owned(),
                comment: String::new(),
                at: at(2),
            }),
            silenced_by: Some("s".to_owned()),
            lapsed_at: Some(at(3)),
            flapping: true,
            last_time: Some((at(4), at(5))),
            transitions: [Transition { at: at(2), state, value: None, cause }].into(),
        };
        let matchers = vec!["device=~\"sd.\"".parse().expect("a matcher")];
        let silence = Silence {
            id: "silence-1".into(),
            matchers,
            starts_at: at(1),
            ends_at: at(9),
            by: "ada".to_owned(),
            comment: "disk is changed".to_owned(),
        };
        let entries = [alert::Entry::Kept(alert.clone()), alert::Entry::Silenced(silence.clone())];
        write_alerts(&connection, &entries).expect("written");
        let read = super::super::rows::load(&connection).expect("read");
        assert_eq!((read.alerts, read.silences), (vec![alert.clone()], vec![silence.clone()]));
        let entries = [alert::Entry::Gone(alert.id), alert::Entry::Heard(silence.id)];
        write_alerts(&connection, &entries).expect("written");
        let read = super::super::rows::load(&connection).expect("read");
        assert!(read.alerts.is_empty() && read.silences.is_empty());
    }
}
