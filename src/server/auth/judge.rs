//! Who asks, and whether they may. Pure.

use jiff::Timestamp;

use super::caller::{Caller, OPEN, Who};
use super::evidence::Evidence;
use super::reason::Denied;
use super::role::Role;
use super::table::Least;
use super::token::{Found, Tokens};

/// Who asks, by what the request bears. Whoever shows a token is judged by that alone, and who is
/// logged in by their session; a session that is over is none.
///
/// # Errors
/// The token is not good.
pub(super) fn identify(
    evidence: &Evidence<'_>,
    tokens: &Tokens,
    is_required: bool,
    find_session: impl FnOnce(&str) -> Option<Caller>,
    now: Timestamp,
) -> Result<Caller, Denied> {
    if !is_required {
        return Ok(match evidence.user {
            Some(user) if user.role == Some(Role::Admin) => Caller::user(user.uid, Role::Admin),
            Some(user) => Caller { who: Who::User(user.uid), ..Caller::anybody() },
            None => Caller::anybody(),
        });
    }
    if let Some(said) = evidence.token {
        return match tokens.find(said, now) {
            Found::Valid(grant, token) => Ok(Caller {
                who: Who::Token(token.name.as_str().into()),
                role: Some(token.role),
                grant,
                groups: token.groups.clone().map(Into::into),
            }),
            Found::Expired(_) => Err(Denied::Expired),
            Found::Unknown => Err(Denied::Invalid),
        };
    }
    if let Some(caller) = evidence.session.and_then(find_session) {
        return Ok(caller);
    }
    if let Some(caller) = &evidence.certificate {
        return Ok(caller.clone());
    }
    Ok(match evidence.user {
        Some(user) => match user.role {
            Some(role) => Caller::user(user.uid, role),
            None => Caller { who: Who::User(user.uid), ..Caller::stranger() },
        },
        None => Caller::stranger(),
    })
}

/// Whether they may do what takes `least`.
///
/// # Errors
/// If not.
pub(super) fn permit(caller: &Caller, least: Least) -> Result<(), Denied> {
    let is_permitted = |role: Role| match least {
        Least::Nobody => true,
        Least::Of(least) => role >= least,
        // Where nobody is asked, nobody has proven anything.
        Least::Proven => role == Role::Admin && caller.grant != OPEN,
    };
    match caller.role {
        _ if least == Least::Nobody => Ok(()),
        None => Err(Denied::Missing),
        Some(role) if is_permitted(role) => Ok(()),
        Some(role) => Err(Denied::Forbidden { role, least }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::local::LocalUser;
    use super::super::secret::Fingerprint;
    use super::super::token::Token;
    use super::*;

    const NOW: i64 = 1_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn tokens() -> Tokens {
        let all = Role::ALL.map(|role| Token {
            name: role.name().to_owned(),
            role,
            sha256: Fingerprint::of(role.name()),
            created_at: at(0),
            expires_at: None,
            groups: None,
        });
        let old = Token {
            name: "old".to_owned(),
            sha256: Fingerprint::of("old"),
            expires_at: Some(at(NOW)),
            ..all[0].clone()
        };
        let mut grant = 10;
        let next = || {
            grant += 1;
            grant
        };
        Tokens::default().succeeded_by(all.into_iter().chain([old]).collect(), next).0
    }

    fn user(role: Option<Role>) -> Option<LocalUser> {
        Some(LocalUser { uid: 77, role })
    }

    /// In words: who it is and what they may do of what takes nobody, each role, and an admin who
    /// has proven it.
    fn judged(evidence: Evidence<'_>, is_required: bool) -> String {
        let session = |said: &str| (said == "on").then(|| Caller::user(5, Role::Operator));
        let caller = match identify(&evidence, &tokens(), is_required, session, at(NOW)) {
            Ok(caller) => caller,
            Err(denied) => return format!("{denied:?}"),
        };
        let all = [Least::Nobody].into_iter().chain(Role::ALL.map(Least::Of));
        let may = all.chain([Least::Proven]).map(|least| match permit(&caller, least) {
            Ok(()) => 'y',
            Err(Denied::Missing) => '?',
            Err(_) => 'n',
        });
        format!("{}: {}", caller.who, may.collect::<String>())
    }

    #[test]
    fn where_tokens_are_asked_for() {
        let check = |token, session, user, expected: &str| {
            let evidence = Evidence { token, session, user, certificate: None };
            assert_eq!(judged(evidence, true), expected);
        };
        check(None, None, None, "anybody: y????");
        check(Some("viewer"), None, None, "token viewer: yynnn");
        check(Some("operator"), None, None, "token operator: yyynn");
        check(Some("admin"), None, None, "token admin: yyyyy");
        check(Some("old"), None, None, "Expired");
        check(Some("Viewer"), None, None, "Invalid");
        check(None, Some("on"), None, "user 5: yyynn");
        check(None, Some("over"), None, "anybody: y????");
        check(None, None, user(Some(Role::Admin)), "user 77: yyyyy");
        check(None, None, user(Some(Role::Operator)), "user 77: yyynn");
        check(None, None, user(None), "user 77: y????");
        // A token that was shown is what counts.
        check(Some("viewer"), Some("on"), user(Some(Role::Admin)), "token viewer: yynnn");
        check(Some("x"), Some("on"), user(Some(Role::Admin)), "Invalid");
        check(None, Some("over"), user(Some(Role::Operator)), "user 77: yyynn");
    }

    #[test]
    fn a_certificate_is_as_good_as_a_token_and_counts_less() {
        let check = |token, session, expected: &str| {
            let who = Who::Certificate("a.example".into());
            let caller = Caller { who, role: Some(Role::Operator), grant: 9, groups: None };
            let evidence = Evidence { token, session, certificate: Some(caller), user: None };
            assert_eq!(judged(evidence, true), expected);
        };
        check(None, None, "certificate a.example: yyynn");
        check(Some("viewer"), None, "token viewer: yynnn");
        check(Some("x"), None, "Invalid");
        check(None, Some("on"), "user 5: yyynn");
        check(None, Some("over"), "certificate a.example: yyynn");
    }

    #[test]
    fn where_they_are_not() {
        let check = |token, user, expected: &str| {
            let evidence = Evidence { token, user, ..Evidence::default() };
            assert_eq!(judged(evidence, false), expected);
        };
        check(None, None, "anybody: yyyyn");
        check(Some("anything"), None, "anybody: yyyyn");
        check(None, user(None), "user 77: yyyyn");
        check(None, user(Some(Role::Operator)), "user 77: yyyyn");
        check(None, user(Some(Role::Admin)), "user 77: yyyyy");
    }
}
