//! Mail: in the clear, secured on request and from the start, refused and taken later.

use crate::mailbox::{Mailbox, Security};
use crate::support::{Builder, daemon};
use crate::{AT_ONCE, fire, resolve, until_channel};

fn with(mailbox: &Mailbox, more: &str) -> Builder {
    let daemon = daemon().file("ca.pem", &mailbox.certificate).file("password", "pass word\n");
    let config = format!(
        "{AT_ONCE}[notify.channel.mail]\ntype = \"email\"\nhost = \"127.0.0.1\"\nport = {}\n\
         from = \"gz-monitor <monitor@example.org>\"\nto = [\"ops@example.org\", \"ada@example.org\"]\n\
         {}",
        mailbox.address.port(),
        more.replace("FOLDER", &daemon.path().display().to_string()),
    );
    daemon.config(&config)
}

#[tokio::test]
async fn a_mail_is_sent_in_the_clear_where_that_is_wanted() {
    let mailbox = Mailbox::start(Security::Never).await;
    let daemon = with(&mailbox, "tls = \"none\"\n").start().await;
    let id = fire(&daemon, "cpu", "critical").await;
    resolve(&daemon, &id).await;
    let mails = mailbox.until_mails(2).await;
    let (first, second) = (&mails[0], &mails[1]);
    assert_eq!(first.from, "monitor@example.org");
    assert_eq!(first.to, ["ops@example.org", "ada@example.org"]);
    assert!(!first.is_secured && first.login.is_none());
    let header = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
    };
    let told = daemon.get("/api/v1/notifications").await.json();
    let key = told["notifications"][1]["id"].as_str().expect("a key").to_owned();
    assert_eq!(header(&first.text, "Message-ID"), format!("<{key}@example.org>"));
    assert!(header(&first.text, "Subject").starts_with("[FIRING] cpu"), "{}", first.text);
    assert!(header(&second.text, "Subject").starts_with("[RESOLVED] cpu"), "{}", second.text);
    assert_eq!(header(&first.text, "References"), header(&second.text, "References"));
    assert!(first.text.contains("cpu is bad"));
}

#[tokio::test]
async fn a_secured_one_believes_its_authority_alone_and_logs_in() {
    for (security, tls) in [(Security::OnRequest, "starttls"), (Security::FromTheStart, "tls")] {
        let mailbox = Mailbox::start(security).await;
        let login = "username = \"monitor\"\npassword_file = \"FOLDER/password\"\n";
        let known = with(&mailbox, &format!("tls = \"{tls}\"\nca = \"FOLDER/ca.pem\"\n{login}"));
        let daemon = known.start().await;
        fire(&daemon, "cpu", "high").await;
        let mail = mailbox.until_mails(1).await.remove(0);
        assert!(mail.is_secured, "{tls}");
        assert_eq!(mail.login.as_deref(), Some("monitor:pass word"), "{tls}");
        let stranger = with(&mailbox, &format!("tls = \"{tls}\"\n{login}")).start().await;
        fire(&stranger, "cpu", "high").await;
        let is_told = |channel: &serde_json::Value| {
            channel["error"].as_str().is_some_and(|error| error.contains("certificate"))
        };
        until_channel(&stranger, "mail", is_told).await;
        assert_eq!(mailbox.tried(), 1, "it was told nothing");
    }
}

#[tokio::test]
async fn what_cannot_be_secured_is_not_sent_in_the_clear() {
    let mailbox = Mailbox::start(Security::Never).await;
    let daemon = with(&mailbox, "tls = \"starttls\"\nca = \"FOLDER/ca.pem\"\n").start().await;
    fire(&daemon, "cpu", "high").await;
    until_channel(&daemon, "mail", |channel| channel["retried"].as_u64() >= Some(2)).await;
    assert_eq!(mailbox.tried(), 0);
}

#[tokio::test]
async fn a_mail_is_sent_again_after_4xx_and_given_up_after_5xx() {
    let mailbox = Mailbox::start(Security::Never).await;
    let daemon = with(&mailbox, "tls = \"none\"\n").start().await;
    mailbox.refuse(Some("451 4.3.0 later"));
    fire(&daemon, "cpu", "high").await;
    let failing = |channel: &serde_json::Value| {
        channel["error"].as_str().is_some_and(|e| e.contains("later"))
    };
    until_channel(&daemon, "mail", failing).await;
    mailbox.refuse(None);
    mailbox.until_mails(1).await;
    mailbox.refuse(Some("550 5.1.1 never"));
    fire(&daemon, "disk", "high").await;
    until_channel(&daemon, "mail", |channel| channel["lost"]["refused"] == 1).await;
    assert!(daemon.log().contains("never"), "{}", daemon.log());
}
