//! `gz-monitor token`: makes tokens, lists and revokes them; by the daemon, or in its file.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::anyhow;
use http::Method;
use jiff::Timestamp;

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::{self, Target};
use super::request::{self, Asking};
use super::token_table;
use crate::api;
use crate::config::{self, Sources};
use crate::daemon::tokens_file;
use crate::sample::rfc3339;
use crate::server::{
    self, EditError, NewToken, Role, Secret, Token, TokenError, TokensFile, TokensFileError,
};
use crate::units::HumanDuration;

/// The commands of `token`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token and print it, this once
    Create(Create),
    /// List the tokens: whose they are, and what they are good for
    List {
        #[command(flatten)]
        place: PlaceArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Have a token be good for nothing, at once; its connections are closed
    Revoke {
        #[command(flatten)]
        place: PlaceArgs,
        /// The token's name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// The flags of `token create`.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: PlaceArgs,
    /// Whose it is, or what for
    #[arg(long)]
    name: String,
    /// What it is good for: viewer, operator or admin
    #[arg(long, value_parser = str::parse::<Role>)]
    role: Role,
    /// How long it is good, such as 30d [default: for ever]
    #[arg(long, value_name = "DURATION")]
    expires: Option<HumanDuration>,
    /// The groups whose messages its holder may see and send [default: all]
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    groups: Option<Vec<String>>,
}

/// Which tokens.
#[derive(Debug, clap::Args)]
pub(super) struct PlaceArgs {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Work on this file of tokens, and ask no daemon
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    tokens_file: Option<PathBuf>,
}

/// Where the tokens are.
enum Place {
    /// With a daemon, which has a change in force before it answers.
    Daemon(Box<Target>),
    /// In this file, in which there may be so many; a daemon that runs looks at it twice a second.
    File(TokensFile, usize),
}

pub(super) fn run(command: &Command, file: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create(args, file),
        Command::List { place, json } => list(&place.find(file)?, *json),
        Command::Revoke { place, name } => revoke(&place.find(file)?, name),
    }
}

impl PlaceArgs {
    /// The daemon that was named, else the one that systemd runs, else the file that the configuration
    /// means.
    fn find(&self, file: Option<PathBuf>) -> Result<Place, Failure> {
        let most = server::AuthConfig::default().max_tokens;
        if let Some(path) = &self.tokens_file {
            return Ok(Place::File(TokensFile::at(path.clone()), most));
        }
        if self.daemon.is_named() || (file.is_none() && local_socket::find().is_some()) {
            return Ok(Place::Daemon(Box::new(self.daemon.resolve(file)?)));
        }
        let loaded = config::load_without_plugins(&Sources::of_process(file, Vec::new()));
        let config = loaded.map_err(Failure::Config)?.config;
        let place = tokens_file(&config).ok_or_else(|| {
            anyhow!("there is no place for tokens; name one with server.auth.tokens_file")
        })?;
        Ok(Place::File(place, config.server.auth.max_tokens))
    }
}

fn create(args: &Create, file: Option<PathBuf>) -> Result<(), Failure> {
    let place = args.place.find(file)?;
    let (secret, about) = match &place {
        Place::Daemon(target) => {
            let body = api::NewToken {
                name: args.name.clone(),
                role: args.role.name().to_owned(),
                expires_in: args.expires,
                groups: args.groups.clone(),
            };
            let body = serde_json::to_value(body)?;
            let asking = Asking::post(target, "/api/v1/tokens").json(&body);
            let created: api::CreatedToken = request::block_on(answer(asking))?;
            (created.token, format!("with the daemon at {target}"))
        }
        Place::File(file, most) => {
            let is_first = file.load().map_err(|error| unusable(&error))?.is_none();
            let secret = Secret::random().map_err(|error| anyhow!("no random numbers: {error}"))?;
            let token = new_token(args)?.keep(&secret, Timestamp::now());
            let token = token.map_err(|error| Failure::Usage(error.to_string()))?;
            edit(file, |all| server::add(all, token, *most))?;
            let mut about = format!("in {}", file.path().display());
            if is_first {
                about += "; from now on everybody is asked for a token";
            }
            (secret.expose().to_owned(), about)
        }
    };
    writeln!(io::stdout().lock(), "{secret}")?;
    let Create { name, role, .. } = args;
    let text =
        format!("gz-monitor: this is token {name} ({role}), shown this once; its SHA-256 is");
    Ok(writeln!(io::stderr().lock(), "{text} {about}")?)
}

fn new_token(args: &Create) -> Result<NewToken, Failure> {
    let ends = args.expires.map(|span| Timestamp::now().checked_add(*span));
    let expires_at = ends.transpose().map_err(|_| Failure::Usage("--expires: too long".into()))?;
    let (name, groups) = (args.name.clone(), args.groups.clone());
    Ok(NewToken { name, role: args.role, expires_at, groups })
}

fn list(place: &Place, is_json: bool) -> Result<(), Failure> {
    let tokens = match place {
        Place::Daemon(target) => {
            let asking = Asking::get(target, "/api/v1/tokens");
            request::block_on(answer::<api::Tokens>(asking))?.tokens
        }
        Place::File(file, _) => {
            let tokens = file.load().map_err(|error| unusable(&error))?.unwrap_or_default();
            let now = Timestamp::now();
            tokens.into_iter().map(|token| shown(token, now)).collect()
        }
    };
    let mut out = io::stdout().lock();
    if is_json {
        return Ok(writeln!(out, "{}", api::encode(&api::Tokens { tokens }))?);
    }
    Ok(token_table::print(&mut out, &tokens)?)
}

fn shown(token: Token, now: Timestamp) -> api::Token {
    api::Token {
        role: token.role.name().to_owned(),
        created_at: rfc3339(token.created_at),
        expires_at: token.expires_at.map(rfc3339),
        expired: token.is_over(now),
        name: token.name,
        groups: token.groups,
    }
}

fn revoke(place: &Place, name: &str) -> Result<(), Failure> {
    match place {
        Place::Daemon(target) => {
            // Of what else a name may be made up of, none means more in a path.
            let legal = |c: char| c.is_ascii_alphanumeric() || "-._@".contains(c);
            if name.is_empty() || !name.chars().all(legal) {
                return Err(TokenError::NotFound(name.to_owned()).into());
            }
            let path = format!("/api/v1/tokens/{name}");
            let asking = Asking::new(Method::DELETE, target, path);
            request::block_on(async { asking.send().await?.accepted().map(drop) })?;
        }
        Place::File(file, _) => {
            edit(file, |all| server::revoke(all, name))?;
        }
    }
    Ok(writeln!(io::stdout().lock(), "revoked: {name}")?)
}

async fn answer<T: serde::de::DeserializeOwned>(asking: Asking<'_>) -> anyhow::Result<T> {
    asking.send().await?.accepted()?.json()
}

fn edit<T>(
    file: &TokensFile,
    change: impl FnOnce(&mut Vec<Token>) -> Result<T, TokenError>,
) -> Result<T, Failure> {
    let edited = file.edit(change).map_err(|error| match error {
        EditError::File(error) => unusable(&error),
        EditError::Refused(error) => error.into(),
    });
    Ok(edited?.0)
}

fn unusable(error: &TokensFileError) -> anyhow::Error {
    anyhow!("{error}; {}", error.hint)
}
