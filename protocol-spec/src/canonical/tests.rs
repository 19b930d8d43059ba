//! Laws of the canonical form, and a second writer of it to compare with.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// RFC 8785 §3.2 written down once more, slowly.
fn reference(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(reference).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<u16>>());
            let written =
                |(name, value): (&String, &Value)| format!("{}:{}", quoted(name), reference(value));
            let members: Vec<String> = members.into_iter().map(written).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\u{8}' => "\\b".into(),
        '\t' => "\\t".into(),
        '\n' => "\\n".into(),
        '\u{c}' => "\\f".into(),
        '\r' => "\\r".into(),
        c if c < ' ' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    let inner: String = text.chars().map(escaped).collect();
    format!("\"{inner}\"")
}

fn any_value() -> impl Strategy<Value = Value> {
    let safe = -9_007_199_254_740_991_i64..=9_007_199_254_740_991;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        safe.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn two_writers_agree_and_the_reader_takes_what_they_write(value in any_value()) {
        let written = to_vec(&value).unwrap();
        prop_assert_eq!(std::str::from_utf8(&written).unwrap(), reference(&value));
        prop_assert_eq!(parse_canonical(&written, 32).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        if let Ok(value) = parse_canonical(&bytes, 32) {
            prop_assert_eq!(to_vec(&value).unwrap(), bytes);
        }
    }
}

fn refusal(text: &str) -> FieldError {
    parse_value(text.as_bytes(), 4).unwrap_err()
}

#[test]
fn a_repeated_member_is_named() {
    assert_eq!(refusal(r#"{"a":{"b":1,"b":2}}"#).field, "a");
    assert!(
        refusal(r#"{"a":1,"\u0061":2}"#)
            .reason
            .contains("`a` stands twice")
    );
}

#[test]
fn numbers_that_readers_disagree_on_are_refused() {
    assert!(parse_value(b"[9007199254740991,-9007199254740991]", 4).is_ok());
    for text in [
        "[9007199254740992]",
        "[-9007199254740992]",
        "[1.5]",
        "[1e3]",
        "[1e400]",
    ] {
        assert!(parse_value(text.as_bytes(), 4).is_err(), "{text}");
    }
    assert!(to_vec(&9_007_199_254_740_992_u64).is_err());
}

#[test]
fn depth_is_bounded() {
    assert!(parse_value(b"[[[[1]]]]", 4).is_ok());
    assert!(parse_value(b"[[[[[1]]]]]", 4).is_err());
    let hostile = "[".repeat(100_000);
    assert!(parse_value(hostile.as_bytes(), 32).is_err());
}

#[test]
fn only_the_canonical_spelling_passes() {
    assert!(is_canonical(br#"{"a":1,"b":"\u001f\n"}"#, 4));
    for text in [
        r#"{"b":1,"a":2}"#,
        r#"{"a": 1}"#,
        r#"{"a":"\u0041"}"#,
        r#"{"a":1} "#,
        r#"{"a":-0}"#,
    ] {
        assert!(!is_canonical(text.as_bytes(), 4), "{text}");
    }
}
