//! What clients say, and what is done about it.

use std::io;
use std::time::Duration;

use super::ending::End;
use super::thread::Shard;
use crate::api::{ErrorCode, ErrorData, Pong, Reply};
use crate::hub::client_id;
use crate::server::auth::{Rights, table};
use crate::server::ws::inbound::{Inbound, fault};
use crate::server::ws::{CloseCode, Decoder, Event, frame, reply};

/// Reads of one client in a row: others have something to say, too.
const READS: usize = 4;
/// Invalid messages are counted over this time, all others over two seconds.
const ERRORS_REFILL: Duration = Duration::from_secs(60);
const RATE_REFILL: Duration = Duration::from_secs(2);

const FORGOTTEN: &str = "since: too many filters were in force on this connection to know what it was sent; resume on a new one";

impl Shard {
    /// Reads what a client has said, as long as it is to be heard.
    pub(super) fn receive(&mut self, id: u32) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..READS {
            let is_heard = self.is_heard(id);
            let Some(client) = self.clients.get_mut(id as usize) else { break };
            let is_leaving = client.ends_at.is_some();
            if !is_leaving && !is_heard {
                break;
            }
            if let Some(unread) = client.unread.take() {
                self.hear(id, &unread);
                continue;
            }
            if !client.flags.readable || client.flags.silent {
                break;
            }
            match client.transport.read(&mut buffer) {
                Ok(0) if is_leaving && !client.flags.parted => client.flags.silent = true,
                Ok(0) => self.lose(id),
                // RFC 6455 section 7.1.1: it is read so that what was sent is not thrown away.
                Ok(_) if is_leaving => {}
                Ok(count) => self.hear(id, &buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    client.flags.readable = false;
                }
                Err(_) => self.lose(id),
            }
        }
        self.buffer = buffer;
        if let Some(client) = self.clients.get(id as usize) {
            let has_more = client.unread.is_some() || client.flags.readable;
            let is_heard = client.ends_at.is_some() || self.is_heard(id);
            if has_more && is_heard && !client.flags.silent {
                self.talkers.push(id);
            }
        }
    }

    /// Takes bytes of a client, and does what its messages ask.
    fn hear(&mut self, id: u32, mut bytes: &[u8]) {
        let size = *self.config.max_message_size as usize;
        let client = &mut self.clients[id as usize];
        client.heard_at = self.now;
        let is_deflated = self.feeds.coding(id).is_some_and(|coding| coding.deflate);
        let begin = || Box::new(Decoder::new(size).with_deflate(is_deflated));
        let mut decoder = client.decoder.take().unwrap_or_else(begin);
        if client.pinged_at.take().is_some() {
            self.arm(id, self.now + self.config.ping_interval.as_millis() as u64);
        }
        while let Some(event) = decoder.decode(&mut bytes).transpose() {
            let done = event.map_err(End::from).and_then(|event| self.act(id, event));
            if let Err(end) = done {
                return self.end(id, end);
            }
            if !bytes.is_empty() && !self.is_heard(id) {
                self.clients[id as usize].unread = Some(bytes.into());
                break;
            }
        }
        // Most of the time a client is in the middle of nothing.
        if !decoder.is_idle() {
            self.clients[id as usize].decoder = Some(decoder);
        }
    }

    fn act(&mut self, id: u32, event: Event) -> Result<(), End> {
        let burst = self.config.max_message_rate.saturating_mul(2);
        let now = self.began.elapsed();
        if !self.clients[id as usize].rate.spend(burst, RATE_REFILL, now) {
            return Err(End::Close(CloseCode::PolicyViolation, "too many messages"));
        }
        match event {
            Event::Text(_) | Event::Binary(_) => {
                let encoding = self.feeds.coding(id).unwrap_or_default().encoding;
                self.obey(id, Inbound::read(event, encoding, &self.config)?, now)
            }
            Event::Ping(payload) => {
                self.send(id, &frame::pong(&payload), false);
                Ok(())
            }
            Event::Pong(_) => Ok(()),
            Event::Close { code, .. } => Err(End::Closed(code)),
        }
    }

    fn obey(
        &mut self,
        id: u32,
        message: Result<Inbound, ErrorData>,
        now: Duration,
    ) -> Result<(), End> {
        let rights = &self.clients[id as usize].rights;
        match message.and_then(|message| permitted(message, rights)) {
            Ok(Inbound::Ping) => {
                let client_id = client_id(self.clients[id as usize].number);
                self.reply(id, &Reply::Pong(Pong { client_id }));
            }
            Ok(Inbound::Subscribe(_, Some(_))) if !self.feeds.remembers(id) => {
                return self.refuse(id, fault(ErrorCode::InvalidSince, FORGOTTEN), now);
            }
            Ok(Inbound::Subscribe(filter, since)) => self.feeds.change(id, Some(filter), since),
            Ok(Inbound::Publish { group, data }) => return self.publish(id, group, data, now),
            Ok(Inbound::Unsubscribe) => self.feeds.change(id, None, None),
            Err(error) => return self.refuse(id, error, now),
        }
        Ok(())
    }

    /// Tells a client what is wrong with what it has said, which it may do only so often.
    pub(super) fn refuse(&mut self, id: u32, error: ErrorData, now: Duration) -> Result<(), End> {
        self.complain(id, error);
        let burst = self.config.max_errors_per_minute;
        match self.clients[id as usize].errors.spend(burst, ERRORS_REFILL, now) {
            true => Ok(()),
            false => Err(End::Close(CloseCode::PolicyViolation, "too many invalid messages")),
        }
    }

    /// Tells a client that what it asked for is not to be had.
    pub(super) fn complain(&mut self, id: u32, error: ErrorData) {
        self.counts.errors.add(error.code.name());
        self.reply(id, &Reply::Error(error));
    }

    /// Whether a client is to be heard now.
    pub(super) fn is_heard(&self, id: u32) -> bool {
        let client = self.clients.get(id as usize);
        client.is_some_and(|client| !client.flags.publishing) && self.feeds.is_heard(id)
    }

    pub(super) fn reply(&mut self, id: u32, reply: &Reply) {
        let Some(coding) = self.feeds.coding(id) else { return };
        let frame = reply::finish(reply, coding, &self.pipeline.hub, self.pipeline.clock.now());
        self.send(id, &frame, true);
    }

    /// Sends a client something beside the stream.
    pub(super) fn send(&mut self, id: u32, frame: &[u8], is_message: bool) {
        let client = &mut self.clients[id as usize];
        self.feeds.reply(id, frame, is_message, |bytes| client.write(bytes, self.now));
    }
}

/// The message, if its client may send it.
fn permitted(message: Inbound, rights: &Rights) -> Result<Inbound, ErrorData> {
    let least = table::of_message(message.kind());
    if rights.role < least {
        let text = format!("{}: it takes the role {least}", message.kind());
        return Err(fault(ErrorCode::Forbidden, text));
    }
    let beyond = match &message {
        Inbound::Subscribe(filter, _) => rights.beyond(filter.groups.iter().map(String::as_str)),
        Inbound::Publish { group, .. } => rights.beyond(std::iter::once(group.as_str())),
        Inbound::Unsubscribe | Inbound::Ping => None,
    };
    match beyond {
        Some(group) => {
            let text = format!("group {group:?}: it is none of your token's groups");
            Err(fault(ErrorCode::Forbidden, text))
        }
        None => Ok(message),
    }
}
