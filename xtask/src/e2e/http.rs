//! Requests to the daemon inside, by this machine's curl in the container's network.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::container::Container;

/// Where the daemon listens by default.
const ORIGIN: &str = "http://127.0.0.1:8080";

/// The key of RFC 6455 section 1.3, and what answers it there.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Container {
    /// `GET path`.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let mut command =
            self.network_command(&["curl", "--silent", "--show-error", "--noproxy", "*"]);
        command.args(["--max-time", "15", "--write-out", "\\n%{http_code}"]);
        let output = command.arg(format!("{ORIGIN}{path}")).output().context("curl")?;
        let why = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{path}: {}", why.trim());
        let text = String::from_utf8_lossy(&output.stdout);
        let (body, status) = text.rsplit_once('\n').context("curl prints the status last")?;
        let status = status.parse().with_context(|| format!("{path}: status {status:?}"))?;
        Ok(Answer { status, body: body.to_owned() })
    }

    /// `GET path`, which must answer 200 with JSON.
    pub fn json(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "{path} answers {}: {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).with_context(|| format!("{path} answers no JSON"))
    }

    /// The samples of a metric: labels and value.
    pub fn samples(&self, name: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.json(&format!("/api/v1/samples?name={name}"))?;
        Ok(answer["samples"].as_array().cloned().unwrap_or_default())
    }

    /// What the daemon says of one collector.
    pub fn collector(&self, name: &str) -> anyhow::Result<Value> {
        let answer = self.json("/api/v1/collectors")?;
        let collectors = answer["collectors"].as_array().context("a list of collectors")?;
        let found = collectors.iter().find(|collector| collector["name"] == name);
        found.cloned().with_context(|| format!("no collector {name}"))
    }

    /// Upgrades to a WebSocket; what the server sends in the second after it.
    pub fn websocket(&self) -> anyhow::Result<String> {
        let output = self
            .network_command(&["curl", "--silent", "--include", "--no-buffer", "--http1.1"])
            .args(["--noproxy", "*", "--max-time", "1"])
            .args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
            .args(["-H", "Sec-WebSocket-Version: 13", "-H"])
            .arg(format!("Sec-WebSocket-Key: {KEY}"))
            .arg(format!("{ORIGIN}/ws"))
            .output()
            .context("curl")?;
        // That curl is cut off by its time-out is no failure.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, stream) = text.split_once("\r\n\r\n").context("no answer to the handshake")?;
        ensure!(head.starts_with("HTTP/1.1 101 "), "the handshake is answered: {head}");
        ensure!(head.contains(ACCEPT), "the key is not answered: {head}");
        Ok(stream.to_owned())
    }
}
