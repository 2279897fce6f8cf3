//! One client of a shard: its connection, and what it has said so far.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::transport::Transport;
use crate::hub::{Coding, Membership, Peer, Welcome};
use crate::server::auth::{Grant, Rights};
use crate::server::limits::Permit;
use crate::server::ws::Decoder;
use crate::server::ws::rate::Budget;

/// A client that is about to be one.
pub(in crate::server) struct Arrival {
    pub(in crate::server) transport: Transport,
    /// What it sent with its handshake.
    pub(in crate::server) early: Vec<u8>,
    pub(in crate::server) membership: Membership,
    pub(in crate::server) permit: Arc<Permit>,
    pub(in crate::server) peer: Peer,
    pub(in crate::server) rights: Rights,
    pub(in crate::server) grant: Grant,
    pub(in crate::server) connected_at: Timestamp,
    pub(in crate::server) coding: Coding,
    pub(in crate::server) welcome: Welcome,
}

/// One client. There may be ten thousand of them, so that what few have is in boxes. Times are
/// milliseconds since the shard began.
pub(super) struct Client {
    pub(super) transport: Transport,
    /// The number that others know it by.
    pub(super) number: u64,
    /// The place of its connection among all of the server's.
    _permit: Arc<Permit>,
    pub(super) peer: Peer,
    /// What it may say, and by what it goes on.
    pub(super) rights: Rights,
    pub(super) grant: Grant,
    pub(super) connected_at: Timestamp,
    /// The message that is arriving, if one is.
    pub(super) decoder: Option<Box<Decoder>>,
    /// What it has said and nobody has looked at.
    pub(super) unread: Option<Box<[u8]>>,
    pub(super) rate: Budget,
    pub(super) errors: Budget,
    pub(super) heard_at: u64,
    /// When it last took bytes while there were more for it.
    pub(super) stalled_at: u64,
    pub(super) pinged_at: Option<u64>,
    /// When it is dropped, if it is to end.
    pub(super) ends_at: Option<u64>,
    /// The earliest time at which somebody looks after it.
    pub(super) timer: u64,
    pub(super) flags: Flags,
}

/// What is known of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// There may be something to read.
    pub(super) readable: bool,
    /// It takes nothing until it says that it does.
    pub(super) blocked: bool,
    /// It has taken nothing since `stalled_at`.
    pub(super) stalled: bool,
    /// It is broken.
    pub(super) failed: bool,
    /// It has said something to a group, and is not heard until it is answered.
    pub(super) publishing: bool,
    /// It has had all that it will be sent.
    pub(super) parted: bool,
    /// The client sends nothing more.
    pub(super) silent: bool,
}

impl Client {
    pub(super) fn new(arrival: Arrival, now: u64) -> (Self, Membership, Coding, Welcome, Vec<u8>) {
        let Arrival { transport, early, membership, permit, peer, connected_at, .. } = arrival;
        let Arrival { rights, grant, coding, welcome, .. } = arrival;
        let client = Self {
            transport,
            number: membership.number,
            _permit: permit,
            peer,
            rights,
            grant,
            connected_at,
            decoder: None,
            unread: None,
            rate: Budget::default(),
            errors: Budget::default(),
            heard_at: now,
            stalled_at: now,
            pinged_at: None,
            ends_at: None,
            timer: u64::MAX,
            flags: Flags { readable: true, ..Flags::default() },
        };
        (client, membership, coding, welcome, early)
    }

    /// Writes what the connection takes.
    pub(super) fn write(&mut self, bytes: &[u8], now: u64) -> usize {
        let flags = &mut self.flags;
        if flags.blocked || flags.failed {
            return 0;
        }
        match self.transport.write(bytes) {
            Ok(count) => {
                flags.blocked = count < bytes.len() || !self.transport.is_flushed();
                (flags.stalled, self.stalled_at) = (flags.blocked, now);
                flags.failed = count == 0 && !bytes.is_empty();
                count
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                flags.blocked = true;
                if !flags.stalled {
                    (flags.stalled, self.stalled_at) = (true, now);
                }
                0
            }
            Err(_) => {
                flags.failed = true;
                0
            }
        }
    }

    /// The connection takes bytes again; whether that is so.
    pub(super) fn unblock(&mut self, now: u64) -> bool {
        match self.transport.flush() {
            Ok(is_flushed) => {
                self.flags.blocked = !is_flushed;
                if is_flushed && matches!(self.transport, Transport::Tls(_)) {
                    self.stalled_at = now;
                }
                is_flushed
            }
            Err(_) => {
                self.flags.failed = true;
                false
            }
        }
    }
}
