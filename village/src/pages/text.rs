//! Numbers and times as people read them.

use farmops_federation::Timestamp;

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 day`, `5 days`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// A streak in words.
pub(super) fn streak(days: u64) -> String {
    match days {
        0 => "no streak".to_owned(),
        days => format!("{}-day streak", grouped(days)),
    }
}

/// `21 Feb 2026, 09:30 UTC`.
pub(super) fn moment(time: Timestamp) -> String {
    formatted(time, "%-d %b %Y, %H:%M UTC")
}

/// `21 Feb 2026`.
pub(super) fn day(time: Timestamp) -> String {
    formatted(time, "%-d %b %Y")
}

fn formatted(time: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_second(time.second()) {
        Ok(moment) => moment.strftime(format).to_string(),
        Err(_) => time.to_string(),
    }
}

/// `incident` as `Incident`.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// `herb-garden` as `Herb garden`.
pub(super) fn of_slug(slug: &str) -> String {
    capitalised(&slug.replace('-', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(streak(1), "1-day streak");
        assert_eq!(of_slug("herb-garden"), "Herb garden");
    }
}
