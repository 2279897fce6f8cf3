//! Tokens as a table for a person at a terminal.

use std::io::{self, Write};

use crate::api::Token;

/// Writes one line for each.
pub(super) fn print(out: &mut impl Write, tokens: &[Token]) -> io::Result<()> {
    if tokens.is_empty() {
        return writeln!(out, "there are no tokens");
    }
    let width = tokens.iter().map(|token| token.name.len()).max().unwrap_or_default().max(4);
    let time = "2026-01-01T00:00:00.000Z".len();
    let head = ["NAME", "ROLE", "CREATED", "EXPIRES"];
    let [name, role, created, expires] = head;
    writeln!(out, "{name:width$}  {role:8}  {created:time$}  {expires:time$}  GROUPS")?;
    for token in tokens {
        let Token { name, role, created_at, .. } = token;
        let expires = match &token.expires_at {
            Some(_) if token.expired => "expired",
            Some(end) => end,
            None => "never",
        };
        let groups = token.groups.as_ref().map_or("all".to_owned(), |groups| groups.join(","));
        writeln!(out, "{name:width$}  {role:8}  {created_at:time$}  {expires:time$}  {groups}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each() {
        let token = |name: &str, role: &str, expires: Option<&str>, expired: bool| Token {
            name: name.to_owned(),
            role: role.to_owned(),
            created_at: "2026-01-02T03:04:05.000Z".to_owned(),
            expires_at: expires.map(str::to_owned),
            expired,
            groups: expired.then(|| vec!["ops".to_owned(), "web".to_owned()]),
        };
        let tokens = [
            token("prometheus", "viewer", None, false),
            token("ci", "operator", Some("2026-02-02T03:04:05.000Z"), false),
            token("old", "admin", Some("2026-01-03T03:04:05.000Z"), true),
        ];
        let mut out = Vec::new();
        print(&mut out, &tokens).expect("memory takes all");
        print(&mut out, &[]).expect("memory takes all");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r"
        NAME        ROLE      CREATED                   EXPIRES                   GROUPS
        prometheus  viewer    2026-01-02T03:04:05.000Z  never                     all
        ci          operator  2026-01-02T03:04:05.000Z  2026-02-02T03:04:05.000Z  all
        old         admin     2026-01-02T03:04:05.000Z  expired                   ops,web
        there are no tokens
        ");
    }
}
