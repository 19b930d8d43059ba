//! Canonical JSON: what is one spelling, and every other.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::case::Case;

const KIND: &str = "canonical-json";

pub(crate) fn cases() -> Vec<Case> {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let (deepest, too_deep) = (nested(32), nested(33));
    let mut cases = Vec::new();
    for (name, clause, title, text) in [
        ("empty-object", "CAN-FORM-001", "an empty object", "{}"),
        ("empty-array", "CAN-FORM-001", "an empty array", "[]"),
        (
            "scalars",
            "CAN-FORM-001",
            "every scalar",
            "[null,true,false,0,-1,\"\"]",
        ),
        (
            "largest-integers",
            "CAN-INT-001",
            "the largest integers either way",
            "[9007199254740991,-9007199254740991]",
        ),
        (
            "short-escapes",
            "CAN-FORM-001",
            "the escapes that have a short form, and one that has none",
            r#""\b\t\n\f\r\"\\\u001f""#,
        ),
        (
            "unescaped",
            "CAN-FORM-001",
            "what needs no escape stands as it is",
            "\"/\u{7f}\u{80}é€😀\"",
        ),
        (
            "utf16-order",
            "CAN-FORM-001",
            "names are ordered by UTF-16 code units, so a surrogate pair comes before U+FF61",
            "{\"😀\":1,\"｡\":2}",
        ),
        (
            "order-by-prefix",
            "CAN-FORM-001",
            "a name comes after its own beginning",
            r#"{"":0,"a":1,"aa":2,"b":3}"#,
        ),
        (
            "deepest",
            "CAN-DEPTH-001",
            "nested 32 deep",
            deepest.as_str(),
        ),
    ] {
        cases.push(Case::valid(
            KIND,
            name,
            clause,
            title,
            json!({ "mode": "read", "text": text }),
            json!({ "canonical": text }),
        ));
    }
    for (name, clause, title, text, canonical) in [
        (
            "write-order",
            "CAN-FORM-001",
            "members are brought into order, at every level",
            r#"{"b":{"d":1,"c":2},"a":3}"#,
            r#"{"a":3,"b":{"c":2,"d":1}}"#,
        ),
        (
            "write-space",
            "CAN-FORM-001",
            "white space goes",
            " { \"a\" : [ 1 , 2 ] }\r\n\t",
            r#"{"a":[1,2]}"#,
        ),
        (
            "write-escapes",
            "CAN-FORM-001",
            "escapes take their shortest form",
            r#""\u0041\/\u000a\u001F\ud83d\ude00""#,
            "\"A/\\n\\u001f😀\"",
        ),
    ] {
        cases.push(Case::valid(
            KIND,
            name,
            clause,
            title,
            json!({ "mode": "write", "text": text }),
            json!({ "canonical": canonical }),
        ));
    }
    for (name, clause, title, text, field) in [
        (
            "order",
            "CAN-FORM-001",
            "members out of order",
            r#"{"b":1,"a":2}"#,
            "$",
        ),
        (
            "inner-order",
            "CAN-FORM-001",
            "members out of order inside",
            r#"{"a":{"c":1,"b":2}}"#,
            "$",
        ),
        (
            "code-point-order",
            "CAN-FORM-001",
            "names ordered by code points instead of UTF-16 code units",
            "{\"｡\":2,\"😀\":1}",
            "$",
        ),
        (
            "inner-space",
            "CAN-FORM-001",
            "white space inside",
            r#"{"a": 1}"#,
            "$",
        ),
        (
            "leading-space",
            "CAN-FORM-001",
            "white space before",
            " {}",
            "$",
        ),
        (
            "trailing-newline",
            "CAN-FORM-001",
            "a line end after",
            "{}\n",
            "$",
        ),
        (
            "needless-escape",
            "CAN-FORM-001",
            "an escape for a letter",
            r#"{"a":"\u0041"}"#,
            "$",
        ),
        (
            "escaped-solidus",
            "CAN-FORM-001",
            "an escaped solidus",
            r#"{"a":"\/"}"#,
            "$",
        ),
        (
            "upper-case-escape",
            "CAN-FORM-001",
            "an escape in upper-case hexadecimal",
            r#"{"a":"\u001F"}"#,
            "$",
        ),
        (
            "long-escape",
            "CAN-FORM-001",
            "a long escape where a short one exists",
            r#"{"a":"\u000a"}"#,
            "$",
        ),
        (
            "escaped-pair",
            "CAN-FORM-001",
            "a character outside the basic plane as two escapes",
            r#"{"a":"\ud83d\ude00"}"#,
            "$",
        ),
        (
            "repeated-member",
            "CAN-MEMBER-001",
            "a member twice with the same value",
            r#"{"a":1,"a":1}"#,
            "$",
        ),
        (
            "repeated-member-inside",
            "CAN-MEMBER-001",
            "a member twice inside",
            r#"{"a":{"b":1,"b":2}}"#,
            "a",
        ),
        (
            "repeated-member-escaped",
            "CAN-MEMBER-001",
            "a member twice, once with an escape",
            r#"{"a":1,"\u0061":2}"#,
            "$",
        ),
        (
            "repeated-member-in-list",
            "CAN-MEMBER-001",
            "a member twice inside a list",
            r#"{"a":[0,{"b":1,"b":2}]}"#,
            "a[1]",
        ),
        (
            "two-to-the-53",
            "CAN-INT-001",
            "2^53",
            r#"{"a":9007199254740992}"#,
            "a",
        ),
        (
            "minus-two-to-the-53",
            "CAN-INT-001",
            "−2^53",
            r#"{"a":-9007199254740992}"#,
            "a",
        ),
        (
            "two-to-the-64",
            "CAN-INT-001",
            "2^64, which becomes a float in many readers",
            r#"{"a":18446744073709551616}"#,
            "a",
        ),
        ("fraction", "CAN-INT-002", "a fraction", "[0.5]", "[0]"),
        (
            "whole-fraction",
            "CAN-INT-002",
            "a whole number written as a fraction",
            "[1.0]",
            "[0]",
        ),
        ("exponent", "CAN-INT-002", "an exponent", "[1e2]", "[0]"),
        ("minus-zero", "CAN-INT-002", "minus zero", "[-0]", "[0]"),
        (
            "overflowing-exponent",
            "CAN-INT-002",
            "an exponent beyond any float",
            "[1e400]",
            "$",
        ),
        ("leading-zero", "CAN-INT-001", "a leading zero", "[01]", "$"),
        ("plus-sign", "CAN-INT-001", "a plus sign", "[+1]", "$"),
        (
            "not-a-number",
            "CAN-INT-001",
            "a word of JavaScript",
            "[NaN]",
            "$",
        ),
        (
            "high-surrogate",
            "CAN-FORM-002",
            "half a surrogate pair, the first",
            r#"["\ud800"]"#,
            "$",
        ),
        (
            "low-surrogate",
            "CAN-FORM-002",
            "half a surrogate pair, the second",
            r#"["\udc00"]"#,
            "$",
        ),
        (
            "reversed-surrogates",
            "CAN-FORM-002",
            "a surrogate pair the wrong way round",
            r#"["\udc00\ud800"]"#,
            "$",
        ),
        (
            "surrogate-in-name",
            "CAN-FORM-002",
            "half a surrogate pair in a name",
            r#"{"\ud800":1}"#,
            "$",
        ),
        (
            "byte-order-mark",
            "CAN-FORM-002",
            "a byte order mark",
            "\u{feff}{}",
            "$",
        ),
        (
            "too-deep",
            "CAN-DEPTH-001",
            "nested 33 deep",
            too_deep.as_str(),
            "",
        ),
        ("truncated", "CAN-FORM-001", "broken off", r#"{"a":"#, "$"),
        (
            "trailing-comma",
            "CAN-FORM-001",
            "a comma too many",
            "[1,]",
            "$",
        ),
        (
            "two-documents",
            "CAN-FORM-001",
            "a second document behind",
            "{}{}",
            "$",
        ),
        ("empty", "CAN-FORM-001", "nothing at all", "", "$"),
        ("comment", "CAN-FORM-001", "a comment", "/**/{}", "$"),
        (
            "raw-control",
            "CAN-FORM-001",
            "a control character without escape",
            "[\"\n\"]",
            "$",
        ),
    ] {
        let field = if field.is_empty() {
            "[0]".repeat(32)
        } else {
            field.to_owned()
        };
        cases.push(Case::invalid(
            KIND,
            name,
            clause,
            title,
            json!({ "mode": "read", "text": text }),
            json!({ "field": field }),
        ));
    }
    for (name, title, bytes) in [
        (
            "not-utf8",
            "a byte that UTF-8 never has",
            &b"[\"\xff\"]"[..],
        ),
        (
            "overlong",
            "an overlong encoding of the solidus",
            b"[\"\xc0\xaf\"]",
        ),
        (
            "encoded-surrogate",
            "a surrogate encoded as if it were a character",
            b"[\"\xed\xa0\x80\"]",
        ),
    ] {
        let input = json!({ "mode": "read", "base64": BASE64_STANDARD.encode(bytes) });
        cases.push(Case::invalid(
            KIND,
            name,
            "CAN-FORM-002",
            title,
            input,
            json!({ "field": "$" }),
        ));
    }
    cases
}
