//! Delivers to a program: our own JSON on its standard input, an exit code as the answer.

use std::sync::Arc;
use std::time::Instant;

use super::{ANSWER_BYTES, Outcome};
use crate::notify::Channel;
use crate::notify::view::View;
use crate::plugin::process::{Errand, Launcher};

pub(super) async fn deliver(
    view: &View<'_>,
    channel: &Channel,
    launcher: &Arc<Launcher>,
) -> Outcome {
    let errand = Errand {
        command: channel.command.clone(),
        variables: vec![
            ("GZ_MONITOR_NOTIFICATION_ID".to_owned(), view.id.to_owned()),
            ("GZ_MONITOR_STATUS".to_owned(), view.status.to_owned()),
            ("GZ_MONITOR_SEVERITY".to_owned(), view.severity.name().to_owned()),
        ],
        input: view.json().into_bytes(),
        deadline: Instant::now() + *channel.timeout,
        max_output: ANSWER_BYTES as u64,
    };
    match errand.run(launcher.clone()).await {
        Ok(output) => {
            let said = crate::sample::brief(String::from_utf8_lossy(&output).trim());
            Outcome::Sent(if said.is_empty() { "exit code 0".to_owned() } else { said })
        }
        Err(why) => Outcome::failed(why),
    }
}
