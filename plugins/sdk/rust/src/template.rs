//! Sentences with placeholders: the only text of a plugin that can leave the machine.

use std::collections::{BTreeMap, BTreeSet};

/// Characters of a rendered sentence, as the proof's schema has it.
const SENTENCE_CHARS_MAX: usize = 140;
/// Words that one choice may offer.
const CHOICE_WORDS_MAX: usize = 32;

/// A sentence such as `Resolved a {severity} alert after {minutes} minutes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// A slug, unique within the plugin.
    pub id: String,
    /// The sentence, with `{name}` where a value goes.
    pub text: String,
    /// What each name stands for.
    pub placeholders: BTreeMap<String, Placeholder>,
}

/// What may stand in a sentence's gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placeholder {
    /// A whole number from 0 to `max`; larger ones are written as `max`.
    Number {
        /// The largest number ever written.
        max: u64,
    },
    /// One of these words.
    Choice(Vec<String>),
}

/// A template that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// The id is no slug.
    #[error("the id is not a slug of a-z, 0-9 and -")]
    Id,
    /// A brace without its partner, or a name that is no slug.
    #[error("a brace is not part of a {{name}}")]
    Brace,
    /// Text and declaration name different placeholders.
    #[error("`{0}` stands in the text or in the declaration, but not in both")]
    Unmatched(String),
    /// A choice without words, with too many, or with one that is not plain.
    #[error("`{0}` must offer 1 to {CHOICE_WORDS_MAX} words of letters, digits, space and -")]
    Choice(String),
    /// The longest sentence it could make is too long.
    #[error("it can grow beyond {SENTENCE_CHARS_MAX} characters")]
    TooLong,
    /// A control character.
    #[error("it holds a control character")]
    Control,
}

/// Values that do not fit a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoesNotFit {
    /// A gap without a value.
    #[error("no value for `{0}`")]
    Missing(String),
    /// A word that was not declared.
    #[error("the word for `{0}` is not one of those declared")]
    UndeclaredWord(String),
    /// A value without a gap.
    #[error("there is no `{0}` in the template")]
    NoSuchGap(String),
}

impl Template {
    /// A template from its text; each placeholder is declared with [`Template::number`] or
    /// [`Template::choice`].
    pub fn new(id: &str, text: &str) -> Self {
        Self {
            id: id.to_owned(),
            text: text.to_owned(),
            placeholders: BTreeMap::new(),
        }
    }

    /// Declares that `{name}` is a number up to `max`.
    #[must_use]
    pub fn number(mut self, name: &str, max: u64) -> Self {
        self.placeholders
            .insert(name.to_owned(), Placeholder::Number { max });
        self
    }

    /// Declares that `{name}` is one of `words`.
    #[must_use]
    pub fn choice(mut self, name: &str, words: &[&str]) -> Self {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        self.placeholders
            .insert(name.to_owned(), Placeholder::Choice(words));
        self
    }

    /// Holds the template against its rules.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn check(&self) -> Result<(), BadTemplate> {
        if !is_slug(&self.id) {
            return Err(BadTemplate::Id);
        }
        if self.text.chars().any(char::is_control) {
            return Err(BadTemplate::Control);
        }
        let pieces = pieces(&self.text).ok_or(BadTemplate::Brace)?;
        let named: BTreeSet<&str> = pieces.iter().filter_map(Piece::gap).collect();
        let declared: BTreeSet<&str> = self.placeholders.keys().map(String::as_str).collect();
        if let Some(name) = named.symmetric_difference(&declared).next() {
            return Err(BadTemplate::Unmatched((*name).to_owned()));
        }
        for (name, placeholder) in &self.placeholders {
            if let Placeholder::Choice(words) = placeholder
                && (!(1..=CHOICE_WORDS_MAX).contains(&words.len())
                    || !words.iter().all(|word| is_plain(word)))
            {
                return Err(BadTemplate::Choice(name.clone()));
            }
        }
        let longest: usize = pieces.iter().map(|piece| self.longest(piece)).sum();
        if (1..=SENTENCE_CHARS_MAX).contains(&longest) {
            Ok(())
        } else {
            Err(BadTemplate::TooLong)
        }
    }

    /// The sentence with every gap filled.
    ///
    /// # Errors
    /// [`DoesNotFit`] unless the values are exactly those that the template declares.
    pub fn render(
        &self,
        numbers: &BTreeMap<String, u64>,
        words: &BTreeMap<String, String>,
    ) -> Result<String, DoesNotFit> {
        let undeclared = |name: &&String| !self.placeholders.contains_key(name.as_str());
        if let Some(name) = numbers.keys().chain(words.keys()).find(undeclared) {
            return Err(DoesNotFit::NoSuchGap(name.chars().take(64).collect()));
        }
        let mut sentence = String::new();
        for piece in pieces(&self.text).unwrap_or_default() {
            match piece {
                Piece::Text(text) => sentence.push_str(text),
                Piece::Gap(name) => sentence.push_str(&self.value(name, numbers, words)?),
            }
        }
        Ok(sentence)
    }

    /// Every word that the template itself brings along: its text and all the words of its choices.
    pub fn own_words(&self) -> impl Iterator<Item = &str> {
        let texts = pieces(&self.text).unwrap_or_default();
        let texts = texts.into_iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text),
            Piece::Gap(_) => None,
        });
        let choices = self.placeholders.values().flat_map(|p| match p {
            Placeholder::Choice(words) => words.as_slice(),
            Placeholder::Number { .. } => &[],
        });
        texts.chain(choices.map(String::as_str))
    }

    fn value(
        &self,
        name: &str,
        numbers: &BTreeMap<String, u64>,
        words: &BTreeMap<String, String>,
    ) -> Result<String, DoesNotFit> {
        let missing = || DoesNotFit::Missing(name.to_owned());
        match self.placeholders.get(name).ok_or_else(missing)? {
            Placeholder::Number { max } => {
                let number = numbers.get(name).ok_or_else(missing)?;
                Ok(number.min(max).to_string())
            }
            Placeholder::Choice(offered) => {
                let word = words.get(name).ok_or_else(missing)?;
                if offered.contains(word) {
                    Ok(word.clone())
                } else {
                    Err(DoesNotFit::UndeclaredWord(name.to_owned()))
                }
            }
        }
    }

    fn longest(&self, piece: &Piece<'_>) -> usize {
        match piece {
            Piece::Text(text) => text.chars().count(),
            Piece::Gap(name) => match self.placeholders.get(*name) {
                Some(Placeholder::Number { max }) => max.to_string().len(),
                Some(Placeholder::Choice(words)) => {
                    words.iter().map(|w| w.chars().count()).max().unwrap_or(0)
                }
                None => 0,
            },
        }
    }
}

enum Piece<'a> {
    Text(&'a str),
    Gap(&'a str),
}

impl<'a> Piece<'a> {
    fn gap(&self) -> Option<&'a str> {
        match self {
            Self::Gap(name) => Some(name),
            Self::Text(_) => None,
        }
    }
}

/// Cuts a text at its `{name}`s; `None` when a brace has no partner or a name is no slug.
fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if before.contains('}') || !is_slug(name) {
            return None;
        }
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Gap(name));
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    pieces.push(Piece::Text(rest));
    Some(pieces)
}

/// 1 to 64 of `a-z`, `0-9` and `-`, not starting or ending with `-`.
pub(crate) fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ' ')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn resolved() -> Template {
        Template::new(
            "resolved",
            "Resolved a {severity} alert after {minutes} minutes",
        )
        .choice("severity", &["critical", "minor"])
        .number("minutes", 999)
    }

    fn render(minutes: u64, severity: &str) -> Result<String, DoesNotFit> {
        let numbers = BTreeMap::from([("minutes".to_owned(), minutes)]);
        let words = BTreeMap::from([("severity".to_owned(), severity.to_owned())]);
        resolved().render(&numbers, &words)
    }

    #[test]
    fn gaps_take_numbers_up_to_their_bound_and_declared_words_only() {
        assert_eq!(resolved().check(), Ok(()));
        let sentence = "Resolved a minor alert after 12 minutes";
        assert_eq!(render(12, "minor").unwrap(), sentence);
        assert!(render(100_000, "minor").unwrap().contains(" 999 "));
        let smuggled = render(1, "db-master-7.internal");
        assert_eq!(smuggled, Err(DoesNotFit::UndeclaredWord("severity".into())));
    }

    #[test]
    fn a_gap_without_value_and_a_value_without_gap_are_refused() {
        let none = BTreeMap::new();
        let missing = resolved().render(&none, &BTreeMap::new());
        assert_eq!(missing, Err(DoesNotFit::Missing("severity".into())));
        let numbers = BTreeMap::from([("minutes".to_owned(), 1), ("host".to_owned(), 2)]);
        let words = BTreeMap::from([("severity".to_owned(), "minor".to_owned())]);
        let extra = resolved().render(&numbers, &words);
        assert_eq!(extra, Err(DoesNotFit::NoSuchGap("host".into())));
    }

    #[test]
    fn broken_templates_are_named() {
        assert_eq!(Template::new("A", "x").check(), Err(BadTemplate::Id));
        for text in ["a {b", "a b}", "a {B c}", "{}"] {
            assert_eq!(Template::new("a", text).check(), Err(BadTemplate::Brace));
        }
        let unmatched = Template::new("a", "a {b}").check();
        assert_eq!(unmatched, Err(BadTemplate::Unmatched("b".into())));
        let wide = Template::new("a", "{n}").choice("n", &["no.dots"]).check();
        assert_eq!(wide, Err(BadTemplate::Choice("n".into())));
        let long = Template::new("a", &"x".repeat(141)).check();
        assert_eq!(long, Err(BadTemplate::TooLong));
        assert_eq!(
            Template::new("a", "a\nb").check(),
            Err(BadTemplate::Control)
        );
    }
}
