//! Delivers by mail.

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Outcome, file};
use crate::notify::channel::Security;
use crate::notify::view::View;
use crate::notify::{Channel, body};

/// Answers to a login (RFC 4954): a password that can be mended, and no fault of the mail.
const LOGIN_CODES: [&str; 4] = ["530", "534", "535", "538"];

pub(super) async fn deliver(view: &View<'_>, channel: &Channel, host: &str) -> Outcome {
    let mail = match body::message(view, channel) {
        Ok(mail) => mail,
        Err(why) => return Outcome::Refused(why),
    };
    let transport = match transport(channel, host).await {
        Ok(transport) => transport,
        Err(why) => return Outcome::failed(why),
    };
    match transport.send(mail).await {
        Ok(response) => {
            let code = response.code().to_string();
            let said: Vec<&str> = response.message().collect();
            Outcome::Sent(format!("{code} {}", said.join(" ")))
        }
        Err(error) => {
            let code = error.status();
            let is_final = code.is_some_and(|code| {
                code.severity == Severity::PermanentNegativeCompletion
                    && !LOGIN_CODES.contains(&code.to_string().as_str())
            });
            let why = told(&error);
            if is_final { Outcome::Refused(why) } else { Outcome::failed(why) }
        }
    }
}

async fn transport(
    channel: &Channel,
    host: &str,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let server = channel.host.clone().ok_or("host: there is none")?;
    let (tls, port) = match channel.tls {
        Security::None => (Tls::None, 25),
        Security::Starttls => (Tls::Required(parameters(&server, channel).await?), 587),
        Security::Tls => (Tls::Wrapper(parameters(&server, channel).await?), 465),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
        .port(channel.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(*channel.timeout));
    if !host.is_empty() {
        builder = builder.hello_name(ClientId::Domain(host.to_owned()));
    }
    let (given, file) = (channel.password.as_ref(), channel.password_file.as_deref());
    if let Some(user) = &channel.username {
        let password = file::secret("password", given, file).await?;
        let password = password.ok_or("password: there is none for the username")?;
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    Ok(builder.build())
}

async fn parameters(server: &str, channel: &Channel) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.to_owned());
    if let Some(ca) = &channel.ca {
        let pem = file::read(ca).await.map_err(|error| format!("ca: {error}"))?;
        let certificate = Certificate::from_pem(&pem);
        let certificate = certificate.map_err(|error| format!("ca: {}: {error}", ca.display()))?;
        builder =
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| error.to_string())
}

/// With what is behind it.
fn told(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    crate::sample::brief(&text)
}
