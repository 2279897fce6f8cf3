//! Takes up new tokens and ends what is over, with the connections that went on by it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;

use super::caller::{LOCAL, OPEN};
use super::file::{EditError, Stamp, TokensFile, TokensFileError};
use super::token::{Grant, Token, TokenError};
use super::{Auth, AuthVitals, BETWEEN_LOOKS};
use crate::audit::Deed;
use crate::server::App;
use crate::server::problem::Problem;

/// More tokens that come and go in the file at once are one change.
const CHANGES_MAX: usize = 20;

impl App {
    /// Takes up the tokens of `file`, at the start and with every configuration. Without a file, or
    /// with one that is not there (`None`), nobody is asked unless the configuration says so.
    pub async fn adopt_tokens(&self, file: Option<TokensFile>, tokens: Option<Vec<Token>>) {
        let stamp = file.as_ref().and_then(TokensFile::stamp);
        let _turn = self.auth.turn.lock().await;
        self.auth.state.write().has_file = tokens.is_some();
        self.auth.state.write().file = file;
        let ended = self.auth.adopt(tokens.unwrap_or_default(), stamp);
        self.shards.dismiss(ended).await;
    }

    /// Whether somebody has to say who they are, and other figures of it.
    pub fn auth_vitals(&self) -> AuthVitals {
        self.auth.vitals()
    }

    /// What is wrong with the tokens, for the status line.
    pub fn token_trouble(&self) -> Option<String> {
        self.auth.state.read().trouble.clone()
    }

    /// Looks at the file again and again and ends what is over, for as long as the daemon runs.
    pub async fn watch_tokens(self) {
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            self.look_at_tokens().await;
            let ended = self.auth.sweep();
            self.shards.dismiss(ended).await;
        }
    }

    async fn look_at_tokens(&self) {
        let _turn = self.auth.turn.lock().await;
        let (file, read) = {
            let state = self.auth.state.read();
            (state.file.clone(), state.read)
        };
        let Some(file) = file else { return };
        let look = move || {
            let stamp = file.stamp();
            (stamp != read).then(|| (stamp, file.load()))
        };
        let Ok(Some((stamp, loaded))) = tokio::task::spawn_blocking(look).await else { return };
        let ended = self.auth.take_up(stamp, loaded);
        self.shards.dismiss(ended).await;
    }

    /// Changes the tokens, on disk and in force.
    ///
    /// # Errors
    /// The answer, and nothing has changed.
    pub(in crate::server) async fn edit_tokens<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.auth.turn.lock().await;
        let file = self.auth.state.read().file.clone();
        let file = file.ok_or_else(|| {
            let detail = "There is no place for tokens; name one with server.auth.tokens_file.";
            Problem::new(StatusCode::CONFLICT, "no_tokens_file", detail)
        })?;
        let edit = move || file.edit(change).map(|done| (done, file.stamp()));
        let edited = tokio::task::spawn_blocking(edit).await;
        let edited = edited.map_err(|error| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
        })?;
        let ((done, tokens), stamp) = edited.map_err(refused)?;
        self.auth.state.write().has_file = true;
        let ended = self.auth.adopt(tokens, stamp);
        self.shards.dismiss(ended).await;
        Ok(done)
    }

    /// The tokens as they are kept.
    pub(in crate::server) fn list_tokens(&self) -> Vec<Token> {
        self.auth.tokens().0.list()
    }
}

impl Auth {
    /// Has these tokens in force; gives the grants that have ended.
    fn adopt(&self, tokens: Vec<Token>, stamp: Stamp) -> HashSet<Grant> {
        let (is_asked, is_local) = (self.is_asked(), self.settings.read().trust_local);
        let mut state = self.state.write();
        let (tokens, mut ended) = state.tokens.succeeded_by(tokens, || self.next_grant());
        (state.tokens, state.read, state.trouble) = (Arc::new(tokens), stamp, None);
        let is_required = is_asked || state.has_file;
        if is_required && !state.was_required {
            ended.insert(OPEN);
        }
        if !is_local && state.trusted_local {
            ended.insert(LOCAL);
        }
        (state.was_required, state.trusted_local) = (is_required, is_local);
        drop(state);
        let over = self.end_sessions(&ended);
        ended.extend(over);
        ended
    }

    /// Takes up what was found in the file. If it is gone, nobody has a token any more, but everybody
    /// is asked for one; if it is not good, those before stay in force.
    fn take_up(
        &self,
        stamp: Stamp,
        loaded: Result<Option<Vec<Token>>, TokensFileError>,
    ) -> HashSet<Grant> {
        let trouble = match loaded {
            Ok(Some(tokens)) => {
                let count = tokens.len();
                tracing::info!(name: "tokens_taken_up", count, "the tokens have changed");
                self.note_changes_of_file(&tokens);
                self.state.write().has_file = true;
                return self.adopt(tokens, stamp);
            }
            Ok(None) if !self.state.read().has_file => None,
            Ok(None) => {
                let ended = self.adopt(Vec::new(), stamp);
                let text =
                    "the file of the tokens is gone: nobody has one until the next start or reload";
                tracing::warn!(name: "tokens_trouble", "{text}");
                self.state.write().trouble = Some(text.to_owned());
                return ended;
            }
            Err(error) => {
                let text = format!("the tokens have not been taken up: {error}; {}", error.hint);
                tracing::error!(name: "tokens_trouble", "{text}");
                Some(text)
            }
        };
        let mut state = self.state.write();
        (state.read, state.trouble) = (stamp, trouble);
        HashSet::new()
    }

    /// Writes down which tokens have come and gone in the file. Who has changed it nobody knows: it may
    /// be whoever can write it.
    fn note_changes_of_file(&self, new: &[Token]) {
        let old = self.tokens().0.list();
        let gone = old.iter().filter(|token| !new.contains(token)).map(|token| ("revoke", token));
        let come = new.iter().filter(|token| !old.contains(token)).map(|token| ("create", token));
        let changes: Vec<(&str, &Token)> = gone.chain(come).collect();
        let deed = |method: &str, path: String| Deed {
            at: Timestamp::now(),
            who: "file".to_owned(),
            role: None,
            from: "file".to_owned(),
            method: method.to_owned(),
            path,
            status: 200,
        };
        if changes.len() > CHANGES_MAX {
            return self.audit.note(deed("replace", "/api/v1/tokens".to_owned()));
        }
        for (method, token) in changes {
            self.audit.note(deed(method, format!("/api/v1/tokens/{}", token.name)));
        }
    }

    /// Ends what time has ended; gives the grants.
    fn sweep(&self) -> HashSet<Grant> {
        let (tokens, _) = self.tokens();
        let over = tokens.over(Timestamp::now());
        let known = std::mem::replace(&mut self.state.write().over, over.clone());
        let mut ended: HashSet<Grant> = over.difference(&known).copied().collect();
        let sessions = self.end_sessions(&ended);
        ended.extend(sessions);
        ended.extend(self.certificates.lock().sweep(Timestamp::now()));
        ended
    }

    fn end_sessions(&self, tokens: &HashSet<Grant>) -> HashSet<Grant> {
        let lifetime: Duration = *self.settings.read().session_lifetime;
        self.sessions.lock().sweep(self.began.elapsed(), lifetime, tokens)
    }
}

fn refused(error: EditError<TokenError>) -> Problem {
    let (status, code) = match &error {
        EditError::File(_) => (StatusCode::CONFLICT, "tokens_file"),
        EditError::Refused(TokenError::NotFound(_)) => (StatusCode::NOT_FOUND, "token_not_found"),
        EditError::Refused(TokenError::Exists(_)) => (StatusCode::CONFLICT, "token_exists"),
        EditError::Refused(TokenError::Full(_)) => {
            (StatusCode::INSUFFICIENT_STORAGE, "too_many_tokens")
        }
        EditError::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_token"),
    };
    let detail = match &error {
        EditError::File(error) => format!("{error}; {}.", error.hint),
        EditError::Refused(error) => format!("{error}."),
    };
    Problem::new(status, code, detail)
}
