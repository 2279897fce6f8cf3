//! A notification as mail.

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Mailboxes};
use sha1::{Digest as _, Sha1};

use crate::notify::Channel;
use crate::notify::view::View;
use crate::severity::Severity;

/// The mail; its Message-ID is the idempotency key, and mails about one group are one thread.
///
/// # Errors
/// Which address is none.
pub(crate) fn message(view: &View<'_>, channel: &Channel) -> Result<Message, String> {
    let from = channel.from.as_deref().unwrap_or_default();
    let from: Mailbox = from.parse().map_err(|error| format!("from: {from:?}: {error}"))?;
    let mut to = Mailboxes::new();
    for address in &channel.to {
        to.push(address.parse().map_err(|error| format!("to: {address:?}: {error}"))?);
    }
    let domain = from.email.domain();
    let thread = Sha1::digest(view.group_key);
    let thread: String = thread[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let mut mail = Message::builder()
        .message_id(Some(format!("<{}@{domain}>", view.id)))
        .references(format!("<group-{thread}@{domain}>"))
        .mailbox(lettre::message::header::From::from(Mailboxes::from(from)))
        .mailbox(lettre::message::header::To::from(to))
        .subject(view.title.as_str())
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(format!("{}\n", view.body))
        .map_err(|error| error.to_string())?;
    let priority = if view.is_firing() && view.severity >= Severity::High { "1" } else { "3" };
    // Nobody is to answer a machine that they are on holiday (RFC 3834).
    for (name, text) in [("Auto-Submitted", "auto-generated"), ("X-Priority", priority)] {
        let name =
            HeaderName::new_from_ascii(name.to_owned()).map_err(|error| error.to_string())?;
        mail.headers_mut().insert_raw(HeaderValue::new(name, text.to_owned()));
    }
    Ok(mail)
}
