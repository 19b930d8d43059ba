//! Text in a picture: names are hostile input.

/// Characters of a name that are shown at most.
const NAME_CHARS_MAX: usize = 32;

/// A name fit to be shown: no control, formatting or direction characters, no towers of combining
/// marks, no long tail.
pub(crate) fn display_name(name: &str) -> String {
    let mut shown = String::new();
    let mut marks = 0;
    let mut count = 0;
    for c in name.trim().chars().filter(|c| is_visible(*c)) {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > 1 {
            continue;
        }
        count += usize::from(marks == 0);
        if count > NAME_CHARS_MAX {
            shown.push('…');
            break;
        }
        shown.push(if c.is_whitespace() { ' ' } else { c });
    }
    let shown = shown.trim();
    if shown.is_empty() {
        "A farm".to_owned()
    } else {
        shown.to_owned()
    }
}

/// Whether `c` is allowed in XML 1.0 and shows what it is.
pub(crate) fn is_visible(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe)
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe2f}')
}

/// `text` with the five characters of XML escaped, and without those XML does not allow.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if is_visible(c) => escaped.push(c),
            _ => {}
        }
    }
    escaped
}

/// About how wide `text` is in hundredths of its font size. Wide scripts count double.
pub(crate) fn width(text: &str) -> i32 {
    text.chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '\'' | '.' | ',' | '|' | 'I' | ' ' | 't' | 'f' => 34,
            'm' | 'w' | 'M' | 'W' | '@' => 92,
            c if c.is_uppercase() => 72,
            '\u{1100}'.. => 106,
            _ => 57,
        })
        .sum()
}

/// A number with thin groups of three digits: `12 345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_does_not_show() {
        assert_eq!(display_name("  Alice's farm "), "Alice's farm");
        assert_eq!(display_name("\u{202e}evil\u{0}\u{7}\n"), "evil");
        assert_eq!(display_name("\u{200b}\u{feff}"), "A farm");
        assert_eq!(display_name("Z\u{300}\u{301}\u{302}o"), "Z\u{300}o");
        assert_eq!(display_name(&"n".repeat(99)).chars().count(), 33);
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            escape("<script a='b\"c'>&\u{1}\u{ffff}"),
            "&lt;script a=&#39;b&quot;c&#39;&gt;&amp;"
        );
    }

    #[test]
    fn thousands_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ];
        for (number, expected) in cases {
            assert_eq!(grouped(number), expected);
        }
    }
}
