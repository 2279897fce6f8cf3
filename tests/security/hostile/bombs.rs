//! Messages that are small on the way and large when they are inflated.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::Target;

/// Of zeros; deflate makes a thousandth of it.
const INFLATED: usize = 64 << 20;
const GROWTH_MAX_KIB: u64 = 16 << 10;
const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// A field of proc_pid_status(5) that is in kB.
fn memory_kib(target: &Target, field: &str) -> u64 {
    let path = format!("/proc/{}/status", target.daemon.pid());
    let status = fs::read_to_string(path).expect("its status");
    let text = status.lines().find_map(|line| line.strip_prefix(field)).expect("a field");
    text.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A masked frame; the key is zeros, which leaves the payload as it is.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a short one");
    let head = match length {
        0..=125 => vec![first, 0x80 | length as u8],
        _ => [[first, 0xfe], length.to_be_bytes()].concat(),
    };
    [&head[..], &[0; 4], payload].concat()
}

#[tokio::test]
async fn a_bomb_takes_no_more_memory_than_a_message_may() {
    let target = Target::start("[websocket]\nmax_message_size = \"64KiB\"").await;
    let before = memory_kib(&target, "VmRSS:");
    let bomb = deflated(&vec![0; INFLATED]);
    // Within the bound of what may come, in one piece; in fragments; and twice deflated.
    let whole = frame(0xc1, &bomb[..60_000]);
    let mut pieces = frame(0x41, &bomb[..20_000]);
    pieces.extend(frame(0x00, &bomb[20_000..40_000]));
    pieces.extend(frame(0x80, &bomb[40_000..60_000]));
    let twice = frame(0xc1, &deflated(&bomb));
    for (bytes, codes) in [(whole, [1009, 1009]), (pieces, [1009, 1009]), (twice, [1009, 1007])] {
        for _ in 0..10 {
            let (mut raw, _) = target.daemon.raw_with(DEFLATE).await;
            raw.send(&bytes).await;
            let code = raw.close_code().await;
            assert!(codes.contains(&code), "{code}");
        }
    }
    let growth = memory_kib(&target, "VmHWM:").saturating_sub(before);
    assert!(growth < GROWTH_MAX_KIB, "grew by {growth} KiB");
    target.is_as_before().await;
}
