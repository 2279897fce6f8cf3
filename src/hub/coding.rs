//! How a client is spoken to: the encoding of messages, and whether they are compressed.

/// What a message is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// JSON, in text frames.
    #[default]
    Json,
    /// MessagePack, in binary frames.
    MessagePack,
}

impl Encoding {
    /// Its name in metrics and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Json => "json",
            Encoding::MessagePack => "msgpack",
        }
    }
}

/// What was agreed on with a client: all of whose clients get the same frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coding {
    pub encoding: Encoding,
    /// Whether frames may be compressed, each by itself (RFC 7692, no context takeover).
    pub deflate: bool,
}

impl Coding {
    /// Every coding, each at its [`Coding::index`].
    pub const ALL: [Coding; 4] = [
        Coding { encoding: Encoding::Json, deflate: false },
        Coding { encoding: Encoding::Json, deflate: true },
        Coding { encoding: Encoding::MessagePack, deflate: false },
        Coding { encoding: Encoding::MessagePack, deflate: true },
    ];

    /// Its place among all, from 0.
    pub fn index(self) -> usize {
        2 * self.encoding as usize + usize::from(self.deflate)
    }
}

/// What compresses messages.
#[derive(Debug, Default)]
pub struct Deflater {}
