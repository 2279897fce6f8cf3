//! The title and the text of a notification, from templates in the form of Jinja.

use minijinja::{Environment, ErrorKind};
use serde::Serialize;

/// A template that takes longer than this many steps has gone astray.
const STEPS_MAX: u64 = 200_000;
/// Bytes of a text that was filled in; the rest is cut off.
pub(super) const TEXT_BYTES_MAX: usize = 16 << 10;

/// What is told if the configuration does not say otherwise.
pub const TITLE: &str = "[{{ label }}] {{ names }}{% if host %} on {{ host }}{% endif %}";
pub const BODY: &str = "\
{% for alert in alerts %}\
{% if alert.status == 'resolved' %}Resolved{% else %}{{ alert.severity | capitalize }}{% endif %}: \
{{ alert.rule_name }}: {{ alert.message }}\
{% if alert.value is not none %} (value {{ alert.value }}\
{% if alert.threshold is not none %}, threshold {{ alert.threshold }}{% endif %}){% endif %}, \
{% if alert.ends_at %}until {{ alert.ends_at }}{% else %}since {{ alert.starts_at }}{% endif %}
{% endfor %}\
{% if truncated %}and {{ truncated }} more
{% endif %}";

/// Says whether a text is a template.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn check(template: &str) -> Result<(), String> {
    let environment = environment();
    environment.template_from_str(template).map(drop).map_err(|error| told(&error))
}

/// Fills in a template.
///
/// # Errors
/// What it does that cannot be done.
pub(super) fn fill(template: &str, with: &impl Serialize) -> Result<String, String> {
    let environment = environment();
    let mut text = environment.render_str(template, with).map_err(|error| told(&error))?;
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    Ok(text.trim().to_owned())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(STEPS_MAX));
    environment
}

fn told(error: &minijinja::Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return format!("it takes more than {STEPS_MAX} steps");
    }
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_are_checked_and_bounded() {
        check(TITLE).expect("sound");
        check(BODY).expect("sound");
        let error = check("a\n{% for x in %}").expect_err("unsound");
        assert!(error.starts_with("line 2: "), "{error}");
        let filled =
            fill("{{ a | upper }} {{ missing }}<&>", &json!({ "a": "b<" })).expect("filled");
        assert_eq!(filled, "B< <&>");
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(fill(endless, &json!({})).expect_err("endless").contains("steps"));
    }
}
