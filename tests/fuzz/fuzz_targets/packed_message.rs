//! A client's message in MessagePack, whatever its bytes: read or refused, and what is read is what
//! the same value says in JSON.

#![no_main]

use gz_monitor::api::ErrorCode;
use gz_monitor::server::ws::Inbound;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let packed = Inbound::unpack(bytes);
    if packed.as_ref().is_err_and(|error| error.code == ErrorCode::InvalidMessagePack) {
        return;
    }
    let value: serde_json::Value = rmp_serde::from_slice(bytes).expect("it was read");
    assert_eq!(packed, Inbound::parse(&value.to_string()));
});
