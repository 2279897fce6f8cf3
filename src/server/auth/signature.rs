//! Under which name it is written down that somebody did something: by what they have shown, and not
//! by what they say.

use std::time::Duration;

use nix::unistd::{Uid, User};
use tokio::time::timeout;

use super::Caller;
use super::caller::Who;

/// A user whose name is not found by then has a number.
const LOOK_MAX: Duration = Duration::from_secs(5);

impl Caller {
    /// Their name: that of the token, of the certificate, or of the user of this machine. What they
    /// say comes behind it, if it is another: one token may be of several people. Where nobody has
    /// shown anything, what they say is all there is.
    pub(in crate::server) async fn sign(&self, says: Option<String>) -> String {
        let name = match &self.who {
            Who::Anybody => None,
            Who::Token(name) | Who::Session(name) | Who::Certificate(name) => {
                Some(name.to_string())
            }
            Who::User(uid) => Some(user(*uid).await),
        };
        signed(name, says.unwrap_or_default())
    }
}

fn signed(name: Option<String>, says: String) -> String {
    match name {
        None => says,
        Some(name) if says.is_empty() || says == name => name,
        Some(name) => format!("{name}, as {says}"),
    }
}

/// It may take a moment: users may be kept on another machine.
async fn user(uid: u32) -> String {
    let look = tokio::task::spawn_blocking(move || User::from_uid(Uid::from_raw(uid)));
    match timeout(LOOK_MAX, look).await {
        Ok(Ok(Ok(Some(user)))) => user.name,
        _ => format!("user {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_comes_first() {
        let check = |name: Option<&str>, says: &str, expected: &str| {
            assert_eq!(signed(name.map(str::to_owned), says.to_owned()), expected);
        };
        check(None, "ada", "ada");
        check(None, "", "");
        check(Some("ci"), "", "ci");
        check(Some("ci"), "ci", "ci");
        check(Some("ci"), "ada", "ci, as ada");
        check(Some("ci"), "root, as ada", "ci, as root, as ada");
    }

    #[tokio::test]
    async fn users_have_names_or_numbers() {
        assert_eq!(user(0).await, "root");
        let nobody = u32::MAX - 7;
        assert_eq!(user(nobody).await, format!("user {nobody}"));
    }
}
