//! The leak guard: nothing that stands in an observation may stand in its proof.
//!
//! Templates and declared words already leave no room for copied text. The guard is the second lock:
//! it knows nothing of how a sentence was made, and looks only at the result.

use std::collections::HashSet;

use serde_json::Value;

/// Shorter pieces of text tell nothing: `pod`, `db1`.
const TOKEN_CHARS_MIN: usize = 4;

/// Knows every token of one observation, in texts and in names of members.
pub(super) struct LeakGuard {
    raw: HashSet<String>,
}

impl LeakGuard {
    /// A guard over an observation. What is no JSON is taken as one text.
    pub(super) fn new(payload: &[u8]) -> Self {
        let mut raw = HashSet::new();
        match serde_json::from_slice::<Value>(payload) {
            Ok(value) => collect(&value, &mut raw),
            Err(_) => raw.extend(tokens(&String::from_utf8_lossy(payload))),
        }
        Self { raw }
    }

    /// Whether `text` holds a token of the observation, apart from the declaration's `own_words`.
    ///
    /// A token of the text that merely contains one of the observation's counts too: `x4711x`.
    pub(super) fn finds(&self, text: &str, own_words: &[String]) -> bool {
        let own: HashSet<String> = own_words.iter().flat_map(|word| tokens(word)).collect();
        tokens(text)
            .filter(|token| !own.contains(token))
            .any(|token| self.raw.iter().any(|raw| token.contains(raw.as_str())))
    }
}

fn collect(value: &Value, raw: &mut HashSet<String>) {
    match value {
        Value::String(text) => raw.extend(tokens(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, raw)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            // The names of labels and annotations are an operator's own words.
            raw.extend(tokens(name));
            collect(member, raw);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Runs of letters and digits, in lower case, long enough to tell something.
fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|token| token.chars().count() >= TOKEN_CHARS_MIN)
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever stands in an observation, at whatever depth, is found in whatever surrounds it.
        #[test]
        fn any_word_of_an_observation_is_found(
            word in "[a-zA-Zäöü0-9]{4,12}", before in "[ -~]{0,20}", after in "[ -~]{0,20}",
        ) {
            let nested = serde_json::json!({"a": [{"b": format!("x/{word}:y")}]}).to_string();
            let guard = LeakGuard::new(nested.as_bytes());
            prop_assert!(guard.finds(&format!("{before}{word}{after}"), &[]), "{nested}");
        }
    }

    #[test]
    fn the_name_of_a_label_is_found_too() {
        let guard = LeakGuard::new(br#"{"labels": {"example.org/payroll": "x"}}"#);
        assert!(guard.finds("for payroll", &[]));
        assert!(!guard.finds("for labels", &["labels".to_owned()]));
    }

    const OBSERVATION: &str = r#"{"host": "Db-Master-7.prod.example", "tags": [{"team": "Zahlungen"}],
        "severity": "critical", "phone": "+49 30 4711", "n": 5150}"#;

    fn finds(text: &str) -> bool {
        let own = ["Resolved a ", " alert", "critical"].map(str::to_owned);
        LeakGuard::new(OBSERVATION.as_bytes()).finds(text, &own)
    }

    #[test]
    fn words_of_the_observation_are_found_in_any_case_and_inside_others() {
        for text in [
            "on master",
            "for ZAHLUNGEN",
            "x-prod-y",
            "number 4711",
            "n147113",
        ] {
            assert!(finds(text), "{text}");
        }
    }

    #[test]
    fn declared_words_numbers_of_the_work_and_short_pieces_are_fine() {
        for text in ["Resolved a critical alert", "5150 things", "db 49 30"] {
            assert!(!finds(text), "{text}");
        }
    }

    #[test]
    fn an_observation_that_is_no_json_is_guarded_as_text() {
        let guard = LeakGuard::new(b"payroll run done on host ada");
        assert!(guard.finds("the Payroll ran", &[]));
        assert!(!guard.finds("all is well", &[]));
    }
}
