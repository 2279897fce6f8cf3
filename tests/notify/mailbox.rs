//! A mail server that takes mails, or does not, and remembers them (RFC 5321, 3207, 4954).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::until;

/// When its connections are secured.
#[derive(Clone, Copy, PartialEq)]
pub enum Security {
    Never,
    OnRequest,
    FromTheStart,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
    /// Who has logged in, and the password.
    pub login: Option<String>,
    pub is_secured: bool,
}

struct Memory {
    /// What it answers to a mail instead of taking it.
    refusal: Option<String>,
    mails: Vec<Mail>,
    tried: usize,
}

#[derive(Clone)]
pub struct Mailbox {
    pub address: SocketAddr,
    /// What vouches for it, in PEM.
    pub certificate: String,
    memory: Arc<Mutex<Memory>>,
}

impl Mailbox {
    pub async fn start(security: Security) -> Self {
        let (certificate, tls) = tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let memory = Memory { refusal: None, mails: Vec::new(), tried: 0 };
        let (address, memory) =
            (listener.local_addr().expect("an address"), Arc::new(Mutex::new(memory)));
        let mailbox = Self { address, certificate, memory: memory.clone() };
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (tls, memory) = (tls.clone(), memory.clone());
                tokio::spawn(async move {
                    let mut session = Session { memory, ..Session::default() };
                    if security == Security::FromTheStart {
                        let stream = tls.accept(stream).await?;
                        session.is_secured = true;
                        return session.serve(stream, false).await.map(drop);
                    }
                    let offers = security == Security::OnRequest;
                    if let Some(stream) = session.serve(stream, offers).await? {
                        let stream = tls.accept(stream).await?;
                        session = Session { is_secured: true, is_greeted: true, ..session };
                        session.serve(stream, false).await?;
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        mailbox
    }

    /// Has it answer so to every mail from now on; `None` has it take them.
    pub fn refuse(&self, answer: Option<&str>) {
        self.memory.lock().expect("no panic").refusal = answer.map(str::to_owned);
    }

    /// How many mails there were, taken or not.
    pub fn tried(&self) -> usize {
        self.memory.lock().expect("no panic").tried
    }

    pub async fn until_mails(&self, count: usize) -> Vec<Mail> {
        until(&format!("{count} mails have come"), async || {
            let mails = self.memory.lock().expect("no panic").mails.clone();
            Some(mails).filter(|mails| mails.len() >= count)
        })
        .await
    }
}

/// A certificate for this machine, in PEM, and what shows it.
pub fn tls() -> (String, TlsAcceptor) {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let params = CertificateParams::new(names).expect("names");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let (pem, der) = (certificate.pem(), CertificateDer::from(certificate));
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![der], key)
        .expect("a certificate");
    (pem, TlsAcceptor::from(Arc::new(config)))
}

struct Session {
    memory: Arc<Mutex<Memory>>,
    is_secured: bool,
    is_greeted: bool,
    from: String,
    to: Vec<String>,
    login: Option<String>,
}

impl Default for Session {
    fn default() -> Self {
        let memory = Memory { refusal: None, mails: Vec::new(), tried: 0 };
        Self {
            memory: Arc::new(Mutex::new(memory)),
            is_secured: false,
            is_greeted: false,
            from: String::new(),
            to: Vec::new(),
            login: None,
        }
    }
}

impl Session {
    /// Speaks until the other side has enough; gives the stream back if it is to be secured.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: S,
        offers_tls: bool,
    ) -> std::io::Result<Option<S>> {
        let mut stream = BufStream::new(stream);
        if !self.is_greeted {
            say(&mut stream, "220 mail.example.org ESMTP").await?;
        }
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            let said = line.trim_end();
            let verb = said.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let address = || said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match verb.as_str() {
                "EHLO" if offers_tls => say(&mut stream, "250-here\r\n250 STARTTLS").await?,
                "EHLO" => say(&mut stream, "250-here\r\n250 AUTH PLAIN").await?,
                "STARTTLS" => {
                    say(&mut stream, "220 go on").await?;
                    return Ok(Some(stream.into_inner()));
                }
                "AUTH" => {
                    let given = said.rsplit(' ').next().unwrap_or_default();
                    let given = STANDARD.decode(given).expect("base64");
                    let text = String::from_utf8(given).expect("UTF-8").replace('\0', ":");
                    self.login = Some(text.trim_start_matches(':').to_owned());
                    say(&mut stream, "235 welcome").await?;
                }
                "MAIL" => {
                    self.from = address();
                    say(&mut stream, "250 ok").await?;
                }
                "RCPT" => {
                    self.to.push(address());
                    say(&mut stream, "250 ok").await?;
                }
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    let text = read_mail(&mut stream).await?;
                    let answer = self.take(text);
                    say(&mut stream, &answer).await?;
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return Ok(None);
                }
                _ => say(&mut stream, "250 ok").await?,
            }
        }
    }

    fn take(&mut self, text: String) -> String {
        let mut memory = self.memory.lock().expect("no panic");
        memory.tried += 1;
        if let Some(refusal) = &memory.refusal {
            return refusal.clone();
        }
        let (from, to) = (self.from.clone(), std::mem::take(&mut self.to));
        let (login, is_secured) = (self.login.clone(), self.is_secured);
        memory.mails.push(Mail { from, to, text, login, is_secured });
        "250 queued as 1".to_owned()
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    text: &str,
) -> std::io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn read_mail<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
) -> std::io::Result<String> {
    let (mut text, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        match line.trim_end() {
            "." => return Ok(text),
            _ if line.is_empty() => return Err(std::io::Error::other("it was cut off")),
            _ => text.push_str(line.strip_prefix('.').unwrap_or(&line)),
        }
    }
}
