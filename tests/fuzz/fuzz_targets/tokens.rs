//! A file of tokens of any bytes: refused with what to do, or what is in it is the same when it is
//! written again, and no two have one name.

#![no_main]

use std::collections::HashSet;

use gz_monitor::server::{Token, TokensFile, add, revoke};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = TokensFile::at("tokens.json".into());
    let mut tokens = match file.parse(bytes) {
        Ok(tokens) => tokens,
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.hint.is_empty());
            return;
        }
    };
    let names: HashSet<&str> = tokens.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names.len(), tokens.len());
    let text = serde_json::json!({ "version": 1, "tokens": &tokens }).to_string();
    assert_eq!(file.parse(text.as_bytes()).expect("its own file"), tokens);
    let Some(Token { name, .. }) = tokens.first().cloned() else { return };
    let before = tokens.clone();
    let token = revoke(&mut tokens, &name).expect("it is there");
    assert!(add(&mut tokens, token.clone(), before.len() - 1).is_err());
    add(&mut tokens, token, before.len()).expect("there is room");
    assert_eq!(tokens.len(), before.len());
});
