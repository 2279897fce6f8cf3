//! Texts with places for labels and the value: refused with the place, or filled in within the bound,
//! whatever the value is.

#![no_main]

use gz_monitor::alert::{Filling, Labels, Template};
use libfuzzer_sys::fuzz_target;

/// What a text may come to.
const FILLED_BYTES_MAX: usize = 4096;

fuzz_target!(|text: &str| {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let labels: Labels = [("device", "sda"), ("host", "größe\"\\:9"), ("n", "1e9")]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
    for value in [0.0, -0.5, 1.5e9, 1e300, f64::MIN_POSITIVE, f64::NAN, f64::NEG_INFINITY] {
        let filled = template.fill(Filling { labels: &labels, value });
        assert!(filled.len() <= FILLED_BYTES_MAX, "{}", filled.len());
        if !text.contains("{{") && text.len() <= FILLED_BYTES_MAX {
            assert_eq!(filled, text);
        }
    }
});
