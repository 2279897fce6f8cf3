//! A client's message, whatever its text: read or refused, and a filter that was read is the same
//! again after a round trip through what the client is told of it.

#![no_main]

use gz_monitor::api;
use gz_monitor::hub::Filter;
use gz_monitor::server::ws::Inbound;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(Inbound::Subscribe(filter, _)) = Inbound::parse(text) {
        let told = api::Filter::from(filter.clone());
        if !told.types.is_empty() {
            assert_eq!(Filter::try_from(told), Ok(filter));
        }
    }
});
