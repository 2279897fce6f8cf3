//! MessagePack of a message that is JSON already.

/// `json` as MessagePack, value by value: objects become maps with strings for keys. `None` if it
/// cannot be said so: it is more than 127 levels deep, or has half of a surrogate pair or a number
/// beyond a double, which JSON that somebody else wrote may have.
pub(super) fn pack(json: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(json.len());
    let mut reader = serde_json::Deserializer::from_slice(json);
    let mut writer = rmp_serde::Serializer::new(&mut packed);
    serde_transcode::transcode(&mut reader, &mut writer).ok()?;
    Some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn check(json: &str, expected: &[u8]) {
        assert_eq!(pack(json.as_bytes()).as_deref(), Some(expected), "{json}");
    }

    #[test]
    fn values_are_written_as_the_specification_says() {
        check("null", b"\xc0");
        check("[true,false]", b"\x92\xc3\xc2");
        check(r#"{"compact":true,"schema":0}"#, b"\x82\xa7compact\xc3\xa6schema\x00");
        check("127", b"\x7f");
        check("128", b"\xcc\x80");
        check("-32", b"\xe0");
        check("-33", b"\xd0\xdf");
        check("65536", b"\xce\0\x01\0\0");
        check("18446744073709551615", b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
        check("1.0", b"\xcb\x3f\xf0\0\0\0\0\0\0");
        check(r#""\u00e9\n""#, b"\xa3\xc3\xa9\n");
        check(&format!("\"{}\"", "x".repeat(32)), &[b"\xd9\x20".as_slice(), &[b'x'; 32]].concat());
    }

    #[test]
    fn numbers_keep_every_bit() {
        // Two that a reader in a hurry rounds wrongly.
        for number in [6.521_115_093_068_066e-12_f64, 8.981_846_519_524_41e307] {
            let packed = pack(format!("{number:?}").as_bytes()).expect("a number");
            assert_eq!(packed[1..], number.to_be_bytes());
        }
    }

    #[test]
    fn what_it_has_no_word_for_is_left_as_it_is() {
        assert_eq!(pack(br#""\ud800""#), None);
        assert_eq!(pack(b"1e999"), None);
        assert_eq!(pack(format!("{}{}", "[".repeat(200), "]".repeat(200)).as_bytes()), None);
    }

    /// Any JSON, a few levels deep.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::hash_map("\\PC{0,8}", inner, 0..20)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(value in json()) {
            let packed = pack(value.to_string().as_bytes()).expect("it is packed");
            let back: Value = rmp_serde::from_slice(&packed).expect("it is read");
            prop_assert_eq!(back, value);
        }
    }
}
