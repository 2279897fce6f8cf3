//! A message of the stream: what it is about, and its bytes.

use std::sync::Arc;

use bytes::Bytes;

use super::frames::{Frames, Held};
use super::{Coding, Deflater};
use crate::sample::Moment;
use crate::severity::Severity;

/// The types of broadcast message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    SystemStatus,
    MetricsUpdate,
    TaskUpdate,
    Alert,
    CollectorUpdate,
    GroupMessage,
}

impl Type {
    /// Every type.
    pub const ALL: [Type; 6] = [
        Type::SystemStatus,
        Type::MetricsUpdate,
        Type::TaskUpdate,
        Type::Alert,
        Type::CollectorUpdate,
        Type::GroupMessage,
    ];

    /// Its `type` on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Type::SystemStatus => "system_status",
            Type::MetricsUpdate => "metrics_update",
            Type::TaskUpdate => "task_update",
            Type::Alert => "alert",
            Type::CollectorUpdate => "collector_update",
            Type::GroupMessage => "group_message",
        }
    }

    /// Whether its messages are events, of which none may be skipped.
    pub fn is_event(self) -> bool {
        matches!(self, Type::TaskUpdate | Type::Alert | Type::GroupMessage)
    }

    /// The type of this name.
    pub fn of(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a message is about: all that a filter looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    SystemStatus,
    MetricsUpdate,
    /// The task's id.
    TaskUpdate(Arc<str>),
    Alert(Severity),
    /// The collector's name.
    CollectorUpdate(Arc<str>),
    /// The group's name.
    GroupMessage(Arc<str>),
}

impl Subject {
    /// The message's type.
    pub fn kind(&self) -> Type {
        match self {
            Subject::SystemStatus => Type::SystemStatus,
            Subject::MetricsUpdate => Type::MetricsUpdate,
            Subject::TaskUpdate(_) => Type::TaskUpdate,
            Subject::Alert(_) => Type::Alert,
            Subject::CollectorUpdate(_) => Type::CollectorUpdate,
            Subject::GroupMessage(_) => Type::GroupMessage,
        }
    }

    /// Whether a newer message with an equal subject makes this one worthless. Events never are.
    pub fn is_state(&self) -> bool {
        !self.kind().is_event()
    }
}

/// A message before it has its place in the stream.
#[derive(Debug, Clone)]
pub struct Draft {
    pub subject: Subject,
    /// The JSON of its `data`.
    pub data: String,
}

/// A message of the stream. Its bytes are shared by all who have it.
#[derive(Debug, Clone)]
pub struct Message {
    pub seq: u64,
    pub subject: Subject,
    /// The whole message as JSON.
    pub text: Bytes,
    frames: Arc<Frames>,
}

impl Message {
    /// A message that was encoded before and kept since.
    pub fn kept(seq: u64, subject: Subject, text: impl AsRef<[u8]>) -> Self {
        let (frames, text) = Frames::new(&[text.as_ref()], None);
        Self { seq, subject, text, frames: Arc::new(frames) }
    }

    /// A new message; its frames are counted in `held`.
    pub(super) fn encode(draft: Draft, seq: u64, now: Moment, held: &Held) -> Self {
        let Draft { subject, data } = draft;
        let (kind, timestamp) = (subject.kind().name(), now.rfc3339());
        // By hand, because `data` is JSON already and is not to be parsed again.
        let head = format!(r#"{{"type":"{kind}","seq":{seq},"timestamp":"{timestamp}","data":"#);
        let parts = [head.as_bytes(), data.as_bytes(), b"}"];
        let (frames, text) = Frames::new(&parts, Some(held.clone()));
        Self { seq, subject, text, frames: Arc::new(frames) }
    }

    /// The finished frame for clients of this coding. It is made when it is first asked for, and
    /// everybody else who asks waits for it rather than makes another.
    pub fn frame(&self, coding: Coding, deflater: &Deflater) -> Bytes {
        self.frames.get(&self.text, coding, deflater)
    }

    /// This message without the frames that it can make anew.
    pub(super) fn lean(self) -> Self {
        Self { frames: Arc::new(self.frames.plain_alone()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Compression;
    use std::io::Read as _;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    const NOW: Moment = Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::ZERO };
    const JSON: Coding = Coding::ALL[0];
    const JSON_DEFLATED: Coding = Coding::ALL[1];
    const PACKED: Coding = Coding::ALL[2];
    const PACKED_DEFLATED: Coding = Coding::ALL[3];

    fn message(data: &str, held: &Held) -> Message {
        let draft = Draft { subject: Subject::SystemStatus, data: data.to_owned() };
        Message::encode(draft, 7, NOW, held)
    }

    fn long(held: &Held) -> Message {
        message(&format!("[{}1]", "12345,".repeat(100)), held)
    }

    /// The payload of a frame that begins with `first`, inflated if it says so.
    fn payload(frame: &[u8], first: u8) -> Vec<u8> {
        assert_eq!(frame[0], first);
        let payload = match frame[1] {
            126 => &frame[4..],
            length => {
                assert_eq!(usize::from(length), frame.len() - 2);
                &frame[2..]
            }
        };
        if first & 0x40 == 0 {
            return payload.to_vec();
        }
        let whole = [payload, &[0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]].concat();
        let mut inflated = Vec::new();
        flate2::read::DeflateDecoder::new(&whole[..]).read_to_end(&mut inflated).expect("deflate");
        inflated
    }

    #[test]
    fn every_frame_is_the_same_message() {
        let deflater = Deflater::default();
        let message = long(&Held::default());
        let text = message.text.to_vec();
        assert_eq!(payload(&message.frame(JSON, &deflater), 0x81), text);
        assert_eq!(payload(&message.frame(JSON_DEFLATED, &deflater), 0xc1), text);
        let packed = payload(&message.frame(PACKED, &deflater), 0x82);
        let unpacked: serde_json::Value = rmp_serde::from_slice(&packed).expect("MessagePack");
        assert_eq!(unpacked, serde_json::from_slice::<serde_json::Value>(&text).expect("JSON"));
        assert_eq!(payload(&message.frame(PACKED_DEFLATED, &deflater), 0xc2), packed);
    }

    #[test]
    fn a_frame_is_made_once_and_shared() {
        let deflater = Deflater::default();
        let message = long(&Held::default());
        for coding in Coding::ALL {
            let (one, other) =
                (message.frame(coding, &deflater), message.clone().frame(coding, &deflater));
            assert_eq!(one.as_ptr(), other.as_ptr(), "{coding:?}");
        }
        let plain = message.frame(JSON, &deflater);
        assert!(plain.as_ptr_range().contains(&message.text.as_ptr()));
    }

    #[test]
    fn what_is_small_goes_as_it_is() {
        let deflater = Deflater::default();
        let message = message("1", &Held::default());
        let plain = message.frame(JSON, &deflater);
        assert_eq!(message.frame(JSON_DEFLATED, &deflater).as_ptr(), plain.as_ptr());
        assert_eq!(message.frame(PACKED_DEFLATED, &deflater)[0], 0x82);
        deflater.configure(Compression { least: 0, ..Compression::default() });
        let deflated = finish_anew(&message, JSON_DEFLATED, &deflater);
        assert_eq!(payload(&deflated, 0xc1), message.text.to_vec());
    }

    fn finish_anew(message: &Message, coding: Coding, deflater: &Deflater) -> Bytes {
        crate::hub::finish(&message.text, coding, deflater)
    }

    #[test]
    fn what_compression_does_not_shrink_goes_as_it_is() {
        let noise: String = (0..600).map(|_| fastrand::alphanumeric()).collect();
        let noise = rmp_serde::to_vec(&noise).expect("MessagePack");
        let deflater = Deflater::default();
        // Letters take six of eight bits; the first frame of plain noise would be smaller.
        assert!(deflater.deflate(&noise).is_some_and(|small| small.len() < noise.len()));
        let noise: Vec<u8> = (0..600).map(|_| fastrand::u8(..)).collect();
        assert_eq!(deflater.deflate(&noise), None);
    }

    #[test]
    fn one_message_knows_nothing_of_the_one_before() {
        let deflater = Deflater::default();
        let (one, other) = (long(&Held::default()), long(&Held::default()));
        let frame = one.frame(JSON_DEFLATED, &deflater);
        assert_eq!(frame, other.frame(JSON_DEFLATED, &deflater));
    }

    #[test]
    fn frames_are_counted_for_as_long_as_they_live() {
        let (deflater, held) = (Deflater::default(), Held::default());
        let message = long(&held);
        let lean = message.clone().lean();
        assert_eq!(held.load(Ordering::Relaxed), 0);
        let made = [JSON_DEFLATED, PACKED].map(|coding| message.frame(coding, &deflater).len());
        assert_eq!(held.load(Ordering::Relaxed), made.iter().sum::<usize>());
        drop(message);
        assert_eq!(held.load(Ordering::Relaxed), 0);
        assert_eq!(lean.frame(JSON, &deflater)[4..], lean.text[..]);
    }

    #[test]
    fn what_messagepack_cannot_say_is_json_in_a_text_frame() {
        let message = message(r#""\ud800""#, &Held::default());
        let frame = message.frame(PACKED, &Deflater::default());
        assert_eq!(payload(&frame, 0x81), message.text.to_vec());
    }
}
