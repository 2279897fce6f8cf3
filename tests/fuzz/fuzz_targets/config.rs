//! A configuration file of any bytes: good, or refused with what is wrong.

#![no_main]

use gz_monitor::config;
use gz_monitor::daemon::Plugins;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let loaded = Plugins::default().with_checks(|checks| config::load_bytes(bytes, checks));
    if let Err(problems) = loaded {
        assert!(problems.count() > 0 && !problems.to_string().is_empty());
    }
});
