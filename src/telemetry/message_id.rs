//! What `MESSAGE_ID=` the journal has for the events that somebody may want to find or act upon
//! (systemd.journal-fields(7)). An event is known by its name; docs/systemd.md lists them.

/// The names of events, and their ids. An id is for ever.
pub const MESSAGE_IDS: [(&str, &str); 23] = [
    ("starting", "d0b32243e74e4d969696b96dda73ac75"),
    ("ready", "59e3ae785478497eab9e97ca0376bf04"),
    ("stopping", "60f25fbb660a48cc84325ee0f394c3b0"),
    ("reloaded", "1420591a780a4e77a2a0957fb95000b1"),
    ("reload_refused", "9ab5e5dae52b4395bfe0775f7d9da552"),
    ("request_refused", "b5a076fb09fe40e78671d9bd39720031"),
    ("access_refused", "98064bdfff304f858b85dc21a78a27be"),
    ("audit", "e83a9ad05bdf4cfeaf470e812fcf9828"),
    ("insecure", "4b2c4b3e80234f78ab8e3fad3b5f43bb"),
    ("logged_in", "6262b893340944a0a22977b3e21ec97d"),
    ("tokens_taken_up", "12d1194f47af49708260222afa36b6ff"),
    ("tokens_trouble", "eca056dc7c184faa97b77d4e32341d39"),
    ("certificate_taken_up", "ce628e2a04664de2a14288b1a3e95e35"),
    ("certificate_trouble", "a187965dad614dca99c3497062b3e1aa"),
    ("collector_failing", "f034c74a9a3047edae9d29528007bb48"),
    ("collector_broken", "88d714fb2067479f9f7ff95d6bfbb8f1"),
    ("collector_stopped", "b5667ad521b641c2aedf34a975c541e8"),
    ("collector_recovered", "57945c9f8af5496a8f3434b744d5bf7d"),
    ("alert_fired", "448aeb763da5437d8d74aefda829efcd"),
    ("alert_resolved", "0cc762314f064d049f20bc48248317d6"),
    ("notification_lost", "c89f98aa82e44c59b34ba82e18049396"),
    ("watchdog_starved", "deacf6c3199842a5a5b3500f18d7c4d9"),
    ("log_lines_lost", "0f53f135e5fc4a2e9c1fbf58e027f99b"),
];

/// The id of an event of this name, if it has one.
pub(super) fn of(name: &str) -> Option<&'static str> {
    MESSAGE_IDS.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_them() {
        let document = include_str!("../../docs/systemd.md");
        let listed = |line: &str| line.starts_with("| `") && line.contains("` | `");
        let rows = document.lines().filter(|line| listed(line)).count();
        assert_eq!(rows, MESSAGE_IDS.len());
        for (name, id) in MESSAGE_IDS {
            assert!(document.contains(&format!("| `{name}` | `{id}` |")), "| `{name}` | `{id}` |");
        }
    }
}
