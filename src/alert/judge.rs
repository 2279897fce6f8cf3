//! One rule at one time.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Outcome, Rule, Rules, Seen};
use crate::query::{self, Query, Reader};
use crate::store::history::Shelf;

/// What a rule gives at one time.
///
/// # Errors
/// Why it gives nothing, in words.
pub fn judge(
    rule: &Rule,
    rules: &Rules,
    at: Timestamp,
    shelf: Option<Arc<dyn Shelf>>,
    reader: &Reader<'_>,
    expired: &dyn Fn() -> bool,
) -> Result<Outcome, String> {
    let elements = |query: &Query| -> Result<Vec<query::Sample>, String> {
        let query = query.clone().reaching(shelf.clone());
        let outcome = query.instant(at.as_millisecond(), reader, rules.query(), expired);
        elements(outcome.map_err(|error| error.to_string())?)
    };
    let found = elements(&rule.query)?;
    let held = match &rule.resolve_query {
        Some(query) => elements(query)?,
        None => Vec::new(),
    };
    let seen = found.iter().map(|one| rule.see(&one.labels, one.value));
    let held = held.iter().filter(|one| one.value == 0.0).map(|one| rule.see(&one.labels, 0.0).id);
    outcome(seen.collect(), held.collect(), rules)
}

/// The result of a rule, if its alerts can be told apart and are not too many.
pub(super) fn outcome(
    seen: Vec<Seen>,
    held: BTreeSet<Arc<str>>,
    rules: &Rules,
) -> Result<Outcome, String> {
    let max = rules.config().max_alerts_per_rule;
    if seen.len() > max {
        return Err(format!(
            "its expression gives {} elements; there may be {max} (alerts.max_alerts_per_rule)",
            seen.len()
        ));
    }
    let ids: BTreeSet<&str> = seen.iter().map(|one| &*one.id).collect();
    if ids.len() < seen.len() {
        return Err("two of its alerts have the same labels".to_owned());
    }
    Ok(Outcome { seen, held })
}

/// The elements of a result that is a vector or a number.
pub(super) fn elements(outcome: query::Outcome) -> Result<Vec<query::Sample>, String> {
    match outcome {
        query::Outcome::Vector(samples) => Ok(samples),
        query::Outcome::Scalar(value) => Ok(vec![query::Sample { labels: Arc::default(), value }]),
        query::Outcome::Text(_) | query::Outcome::Matrix(_) => {
            Err("its expression gives no values".to_owned())
        }
    }
}
