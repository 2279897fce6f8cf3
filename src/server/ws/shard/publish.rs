//! What clients say to groups: on its way to the disk, and what has become of it.
//!
//! A client has one message on its way at a time, and what it says after that waits, in its socket for
//! the most part: so its messages are published and answered in their order, and nobody waits but it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::client::Client;
use super::ending::End;
use super::inbox::Letter;
use super::thread::Shard;
use crate::api::{ErrorCode, Published, Reply};
use crate::audit::Deed;
use crate::group::{self, Publisher};
use crate::hub::client_id;
use crate::sample::brief;
use crate::server::groups::{self, Refusal, Underway};
use crate::server::ws::inbound::fault;

impl Shard {
    /// Has a message to a group published by somebody who may wait.
    pub(super) fn publish(
        &mut self,
        id: u32,
        group: String,
        data: String,
        now: Duration,
    ) -> Result<(), End> {
        let data = match RawValue::from_string(data) {
            Ok(data) => data,
            Err(error) => {
                return self.refuse(id, fault(ErrorCode::InvalidJson, error.to_string()), now);
            }
        };
        let most = self.config.max_publishing;
        let underway = match self.config.publish {
            true => Underway::begin(&self.counts, most).ok_or(Refusal::Busy),
            false => Err(Refusal::NotAllowed),
        };
        let underway = match underway {
            Ok(underway) => underway,
            Err(refusal) => {
                self.counts.group_messages_refused.add(refusal.name());
                return self.decline(id, &refusal, now);
            }
        };
        let client = &mut self.clients[id as usize];
        client.flags.publishing = true;
        let (number, inbox) = (client.number, self.inbox.clone());
        let (pipeline, counts) = (self.pipeline.clone(), self.counts.clone());
        let (audit, deed) = (self.audit.clone(), deed(client, &group));
        self.runtime.spawn(async move {
            let from = Publisher::Client(client_id(number));
            let said = groups::publish(&pipeline, &counts, group, data, from).await;
            audit.note(Deed { status: status(&said), ..deed });
            // Before the answer: who has that may say the next.
            drop(underway);
            // The shard may have ended meanwhile.
            let _ = inbox.send(Letter::Published { client: id, number, said }).await;
        });
        Ok(())
    }

    /// Answers a client, and hears what it has said since.
    pub(super) fn published(&mut self, id: u32, said: Result<Published, Refusal>) {
        self.clients[id as usize].flags.publishing = false;
        match said {
            Ok(published) => self.reply(id, &Reply::Published(published)),
            Err(refusal) => {
                if let Err(end) = self.decline(id, &refusal, self.began.elapsed()) {
                    return self.end(id, end);
                }
            }
        }
        self.feeds.wake(id);
    }

    /// Says why a message to a group is not published.
    fn decline(&mut self, id: u32, refusal: &Refusal, now: Duration) -> Result<(), End> {
        let code = match refusal {
            Refusal::Group(group::Error::Name(_)) => ErrorCode::InvalidGroup,
            Refusal::Group(group::Error::Size(_)) => ErrorCode::DataTooLarge,
            Refusal::NotAllowed => ErrorCode::NotAllowed,
            Refusal::Busy => ErrorCode::Busy,
            Refusal::Stopping => ErrorCode::Stopping,
        };
        let error = fault(code, refusal.to_string());
        match refusal {
            Refusal::Group(_) | Refusal::NotAllowed => self.refuse(id, error, now),
            // That is no fault of the client.
            Refusal::Busy | Refusal::Stopping => {
                self.complain(id, error);
                Ok(())
            }
        }
    }
}

/// What a client is about to do: the same that it could ask for by REST.
fn deed(client: &Client, group: &str) -> Deed {
    Deed {
        at: Timestamp::now(),
        who: client.rights.who.to_string(),
        role: Some(client.rights.role.name().to_owned()),
        from: client.peer.to_string(),
        method: "publish".to_owned(),
        path: brief(&format!("/api/v1/groups/{group}/messages")),
        status: 0,
    }
}

/// The status that the same request would have by REST.
fn status(said: &Result<Published, Refusal>) -> u16 {
    match said {
        Ok(_) => 200,
        Err(Refusal::Group(_)) => 422,
        Err(Refusal::NotAllowed) => 403,
        Err(Refusal::Busy | Refusal::Stopping) => 503,
    }
}
