//! Tokens for tests: made by the command, and shown as clients do.

use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{Client, Daemon, run, until};
use crate::{Answered, ask, request};

/// A token of each role.
pub struct Tokens([String; 3]);

impl Tokens {
    /// Has them made in the daemon's file; returns when they are in force.
    pub async fn of_each_role(daemon: &Daemon) -> Self {
        let made = ["viewer", "operator", "admin"].map(|role| daemon.make_token(role, role, &[]));
        daemon.until_known(&made[2]).await;
        Self(made)
    }

    /// The one of this role; of "none" there is none.
    pub fn of(&self, role: &str) -> &str {
        let index = ["viewer", "operator", "admin"].iter().position(|known| *known == role);
        index.map_or("", |index| &self.0[index])
    }
}

impl Daemon {
    /// `gz-monitor token` with these arguments, for this daemon's file.
    pub fn token(&self, arguments: &[&str]) -> (i32, String, String) {
        let file = self.tokens_file();
        run(&[&["token"], arguments, &["--tokens-file", &file]].concat())
    }

    /// Where its tokens are.
    pub fn tokens_file(&self) -> String {
        self.path().join("state/gz-monitor/tokens.json").display().to_string()
    }

    /// Makes one in its file; gives the token.
    pub fn make_token(&self, name: &str, role: &str, more: &[&str]) -> String {
        let arguments = [&["create", "--name", name, "--role", role], more].concat();
        let (code, token, err) = self.token(&arguments);
        assert_eq!(code, 0, "{err}");
        assert!(!err.contains(token.trim()), "{err}");
        token.trim().to_owned()
    }

    /// Waits until this token is in force.
    pub async fn until_known(&self, token: &str) {
        let bearer = format!("Bearer {token}");
        until("the token is in force", || async {
            let answered = self.get_with("/api/v1/session", &[("Authorization", &bearer)]).await;
            answered.body.contains(r#""kind":"token""#).then_some(())
        })
        .await;
    }

    /// A client of the stream that shows a token.
    pub async fn websocket_with(&self, token: &str) -> Client {
        let url = format!("ws://{}/ws", self.address);
        let mut request = url.into_client_request().expect("a request");
        let value = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", value);
        Client(connect_async(request).await.expect("an upgrade").0)
    }

    /// A handshake with more header lines, each with its end; and its answer.
    pub async fn handshake(&self, headers: &str) -> Answered {
        let host = self.address.to_string();
        let text = request("GET", "/ws", &[("Host", &host)]);
        let text = text.strip_suffix("\r\n").expect("an end").to_owned() + headers + "\r\n";
        ask(self, &text).await
    }

    /// `GET` with these headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        self.send_with("GET", path, headers).await
    }

    /// Any request with these headers.
    pub async fn send_with(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answered {
        let host = self.address.to_string();
        let headers = [&[("Host", host.as_str())], headers].concat();
        ask(self, &request(method, path, &headers)).await
    }

    /// Whom the daemon takes somebody for who shows this.
    pub async fn session(&self, headers: &[(&str, &str)]) -> Value {
        let answered = self.get_with("/api/v1/session", headers).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        serde_json::from_str(&answered.body).expect("JSON")
    }
}
