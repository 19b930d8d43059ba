//! Words that do not belong in a commit: promises to do it later, and paths of somebody's machine.

use crate::Finding;

/// Split in two so that this file does not contain them.
const FORBIDDEN: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X"),
    ("HA", "CK:"),
    ("todo", "!("),
    ("unimple", "mented!("),
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("<<<<", "<<<"),
    (">>>>", ">>>"),
];

/// Data and texts of others are theirs.
fn is_foreign(path: &str) -> bool {
    path == "Cargo.lock" || path.starts_with("LICENSE") || path.contains("/fixtures/")
}

/// Every line with a forbidden word.
#[must_use]
pub fn check(texts: &[(String, String)]) -> Vec<Finding> {
    let words: Vec<String> = FORBIDDEN
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .collect();
    let mut findings = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| !is_foreign(path)) {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| contains_word(line, word)) {
                findings.push(format!("{path}:{}: `{word}`", number + 1));
            }
        }
    }
    findings
}

/// Whether `line` has `word` with no letter or digit before or after it.
fn contains_word(line: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open = word.ends_with(|c: char| !c.is_alphanumeric());
        !joins(before) && (open || !joins(after))
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_forbidden_word_is_found_with_its_line() {
        let text = format!("fine\n// {}{}: later\n", "TO", "DO");
        let texts = [("a.rs".to_owned(), text)];
        assert_eq!(check(&texts).len(), 1);
        assert!(check(&texts)[0].starts_with("a.rs:2"));
    }

    #[test]
    fn a_longer_word_and_foreign_data_are_fine() {
        let mark = format!("{}{}", "TO", "DO");
        let texts = [
            ("a.rs".to_owned(), format!("{mark}S and MAS{mark}")),
            ("plugins/a/fixtures/b.json".to_owned(), mark),
        ];
        assert!(check(&texts).is_empty());
    }
}
