//! Tokens: who has which, and what each is good for. Pure.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::Choice;

use super::role::Role;
use super::secret::{Fingerprint, LENGTH_MAX, Secret};

/// Letters of a name.
const NAME_MAX: usize = 64;
/// Groups of one token.
const GROUPS_MAX: usize = 100;

/// A token as it is kept: all but the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose it is, or what for; no two have the same.
    pub name: String,
    pub role: Role,
    /// The SHA-256 of the token.
    pub sha256: Fingerprint,
    pub created_at: Timestamp,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The groups whose messages its holder may see and send; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// A token that somebody wants.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub name: String,
    pub role: Role,
    pub expires_at: Option<Timestamp>,
    pub groups: Option<Vec<String>>,
}

/// Why there cannot be such a token, or none such is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("name: from 1 to {NAME_MAX} letters, digits and -._@ of ASCII")]
    Name,
    #[error("groups: at most {GROUPS_MAX} names of letters, digits and -._@ of ASCII")]
    Groups,
    #[error("expires: it would be over already")]
    Over,
    #[error("there is a token {0:?}; revoke it first, or choose another name")]
    Exists(String),
    #[error("there is no token {0:?}; `gz-monitor token list` shows those that there are")]
    NotFound(String),
    #[error("there are {0} tokens, as many as server.auth.max_tokens allows; revoke one")]
    Full(usize),
}

impl NewToken {
    /// The token as it is kept, for this secret.
    ///
    /// # Errors
    /// If its name or its groups cannot be, or it would be over already.
    pub fn keep(self, secret: &Secret, now: Timestamp) -> Result<Token, TokenError> {
        let Self { name, role, expires_at, groups } = self;
        if !is_name(&name) {
            return Err(TokenError::Name);
        }
        if !are_groups(groups.as_deref()) {
            return Err(TokenError::Groups);
        }
        if expires_at.is_some_and(|end| end <= now) {
            return Err(TokenError::Over);
        }
        let sha256 = secret.fingerprint();
        // To the second: a file that people read.
        let created_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Ok(Token { name, role, sha256, created_at, expires_at, groups })
    }
}

/// Whether somebody can be kept to these groups: they are names, and not too many.
pub fn are_groups(groups: Option<&[String]>) -> bool {
    let groups = groups.unwrap_or_default();
    groups.len() <= GROUPS_MAX && groups.iter().all(|group| is_name(group))
}

/// Adds one to `all`.
///
/// # Errors
/// If its name is taken, or there are `most` already.
pub fn add(all: &mut Vec<Token>, new: Token, most: usize) -> Result<(), TokenError> {
    if all.iter().any(|token| token.name == new.name) {
        return Err(TokenError::Exists(new.name));
    }
    if all.len() >= most {
        return Err(TokenError::Full(all.len()));
    }
    all.push(new);
    Ok(())
}

/// Takes the one of this name out of `all`.
///
/// # Errors
/// If there is none.
pub fn revoke(all: &mut Vec<Token>, name: &str) -> Result<Token, TokenError> {
    let index = all.iter().position(|token| token.name == name);
    // A name that cannot be one is shown as far as one can be long.
    let not_found = || TokenError::NotFound(name.chars().take(NAME_MAX).collect());
    index.map(|index| all.remove(index)).ok_or_else(not_found)
}

pub(super) fn is_name(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._@".contains(&byte);
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(is_of_name)
}

/// What a connection goes on by: no two have had the same, and when one ends, so do its connections.
pub(in crate::server) type Grant = u64;

/// The tokens in force.
#[derive(Debug, Default)]
pub(super) struct Tokens(Vec<(Grant, Token)>);

/// What came of looking for a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Valid(Grant, &'a Token),
    Expired(&'a Token),
    Unknown,
}

impl Tokens {
    /// Those that come after these. One that is as it was goes on; of the others the grants are
    /// given, which have ended.
    pub(super) fn succeeded_by(
        &self,
        new: Vec<Token>,
        mut grant: impl FnMut() -> Grant,
    ) -> (Self, HashSet<Grant>) {
        let before = |token: &Token| self.0.iter().find(|(_, old)| old == token);
        let all: Vec<(Grant, Token)> = new
            .into_iter()
            .map(|token| (before(&token).map_or_else(&mut grant, |(old, _)| *old), token))
            .collect();
        let is_on = |old: &Grant| all.iter().any(|(grant, _)| grant == old);
        let ended = self.0.iter().map(|(grant, _)| *grant).filter(|old| !is_on(old)).collect();
        (Self(all), ended)
    }

    /// The one that `said` is. All are looked at, so that the time tells nothing.
    pub(super) fn find(&self, said: &str, now: Timestamp) -> Found<'_> {
        if said.len() > LENGTH_MAX {
            return Found::Unknown;
        }
        let (fingerprint, mut found) = (Fingerprint::of(said), None);
        for one in &self.0 {
            let is_it: Choice = fingerprint.is(&one.1.sha256);
            if bool::from(is_it) {
                found = Some(one);
            }
        }
        match found {
            None => Found::Unknown,
            Some((_, token)) if token.is_over(now) => Found::Expired(token),
            Some((grant, token)) => Found::Valid(*grant, token),
        }
    }

    /// Whether this grant is that of a token in force.
    pub(super) fn holds(&self, grant: Grant, now: Timestamp) -> bool {
        self.0.iter().any(|(one, token)| *one == grant && !token.is_over(now))
    }

    /// The grants of those that are over.
    pub(super) fn over(&self, now: Timestamp) -> HashSet<Grant> {
        let over = self.0.iter().filter(|(_, token)| token.is_over(now));
        over.map(|(grant, _)| *grant).collect()
    }

    /// All of them, those included that are over.
    pub(super) fn list(&self) -> Vec<Token> {
        self.0.iter().map(|(_, token)| token.clone()).collect()
    }

    /// Those in force.
    pub(super) fn count(&self, now: Timestamp) -> usize {
        self.0.iter().filter(|(_, token)| !token.is_over(now)).count()
    }
}

impl Token {
    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn token(name: &str, secret: &str, expires: Option<i64>) -> Token {
        Token {
            name: name.to_owned(),
            role: Role::Viewer,
            sha256: Fingerprint::of(secret),
            created_at: at(0),
            expires_at: expires.map(at),
            groups: None,
        }
    }

    #[test]
    fn a_token_is_good_until_it_is_over() {
        let mut next = 10;
        let grant = || {
            next += 1;
            next
        };
        let all = vec![token("a", "secret a", None), token("b", "secret b", Some(100))];
        let (tokens, ended) = Tokens::default().succeeded_by(all, grant);
        assert!(ended.is_empty());
        assert!(matches!(tokens.find("secret a", at(500)), Found::Valid(11, _)));
        assert!(matches!(tokens.find("secret b", at(99)), Found::Valid(12, _)));
        assert!(matches!(tokens.find("secret b", at(100)), Found::Expired(_)));
        for said in ["", "secret", "secret aa", &"x".repeat(1 << 20)] {
            assert_eq!(tokens.find(said, at(0)), Found::Unknown);
        }
        assert_eq!((tokens.count(at(99)), tokens.count(at(100))), (2, 1));
        assert_eq!(tokens.over(at(100)), HashSet::from([12]));
        assert!(tokens.holds(12, at(99)) && !tokens.holds(12, at(100)) && !tokens.holds(13, at(0)));
    }

    #[test]
    fn what_is_as_it_was_goes_on() {
        let mut next = 0;
        let mut grant = || {
            next += 1;
            next
        };
        let (a, b) = (token("a", "1", None), token("b", "2", None));
        let (first, _) = Tokens::default().succeeded_by(vec![a.clone(), b.clone()], &mut grant);
        // The same token as an admin's is another.
        let more = Token { role: Role::Admin, ..b };
        let (second, ended) = first.succeeded_by(vec![more, a], &mut grant);
        assert_eq!(ended, HashSet::from([2]));
        assert!(matches!(second.find("1", at(0)), Found::Valid(1, _)));
        assert!(matches!(second.find("2", at(0)), Found::Valid(3, _)));
    }

    #[test]
    fn names_are_once_and_tokens_so_many() {
        let mut all = Vec::new();
        assert_eq!(add(&mut all, token("a", "1", None), 2), Ok(()));
        let again = add(&mut all, token("a", "2", None), 2);
        assert_eq!(again, Err(TokenError::Exists("a".to_owned())));
        assert_eq!(add(&mut all, token("b", "2", None), 2), Ok(()));
        assert_eq!(add(&mut all, token("c", "3", None), 2), Err(TokenError::Full(2)));
        assert_eq!(revoke(&mut all, "a").map(|token| token.name), Ok("a".to_owned()));
        assert_eq!(revoke(&mut all, "a"), Err(TokenError::NotFound("a".to_owned())));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        let secret = Secret::random().expect("chance");
        let check = |name: &str, groups: Option<&[&str]>, expires: Option<i64>| {
            let groups = groups.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
            let expires_at = expires.map(at);
            let new = NewToken { name: name.to_owned(), role: Role::Viewer, expires_at, groups };
            new.keep(&secret, at(50)).map(|token| token.sha256)
        };
        assert_eq!(check("ci", Some(&["ops"]), Some(51)), Ok(secret.fingerprint()));
        for name in ["", "a b", "a\n", "<b>", "é", &"a".repeat(65)] {
            assert_eq!(check(name, None, None), Err(TokenError::Name), "{name:?}");
        }
        assert_eq!(check("ci", Some(&["a", ""]), None), Err(TokenError::Groups));
        assert_eq!(check("ci", Some(&vec!["a"; 101]), None), Err(TokenError::Groups));
        assert_eq!(check("ci", None, Some(50)), Err(TokenError::Over));
    }
}
