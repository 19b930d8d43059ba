//! A Rust source file as the rules see it: comments, strings and test modules can be told from the rest.

/// One Rust file of the tree.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its text as it is.
    pub text: String,
    /// Its text with comments and the contents of literals blanked, line for line.
    pub code: String,
}

impl SourceFile {
    /// A file at `path` with `text`.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: blank(text),
        }
    }

    /// Whether the whole file is test code by its place.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
    }

    /// Whether a generator wrote it.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take(3)
            .any(|line| line.contains("@generated"))
    }

    /// Whether the code names `word` as a path segment or macro (`word::`, `use word`, `word!`).
    #[must_use]
    pub fn uses(&self, word: &str) -> bool {
        self.code.match_indices(word).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
    }

    /// The code without its `#[cfg(test)]` items.
    #[must_use]
    pub fn product(&self) -> String {
        let mut rest = self.code.as_str();
        let mut product = String::new();
        while let Some(at) = rest.find("#[cfg(test)]") {
            product.push_str(&rest[..at]);
            rest = skip_item(&rest[at + "#[cfg(test)]".len()..]);
        }
        product + rest
    }

    /// Lines that are neither test code nor the licence to write more: what a reader has to read.
    #[must_use]
    pub fn product_lines(&self) -> usize {
        let removed = self.code.lines().count() - self.product().lines().count();
        self.text.lines().count() - removed
    }
}

/// The text after one item: up to its `;`, or to the brace that closes its first block.
fn skip_item(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            ';' if depth == 0 => return &text[at + 1..],
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return &text[at + 1..];
                }
            }
            _ => {}
        }
    }
    ""
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Replaces comments and the inside of literals by spaces; line breaks stay where they are.
fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = literal_end(&characters, at);
        if end == at {
            out.push(characters[at]);
            at += 1;
            continue;
        }
        for character in &characters[at..end] {
            out.push(if *character == '\n' { '\n' } else { ' ' });
        }
        at = end;
    }
    out
}

/// Where the comment or literal that starts at `at` ends; `at` itself when none starts there.
fn literal_end(text: &[char], at: usize) -> usize {
    match (text[at], text.get(at + 1)) {
        ('/', Some('/')) => position(text, at, |c| c == '\n'),
        ('/', Some('*')) => block_comment_end(text, at),
        ('"', _) => string_end(text, at),
        ('r', Some('"' | '#')) if at == 0 || !is_name(text[at - 1]) || text[at - 1] == 'b' => {
            raw_string_end(text, at)
        }
        ('\'', Some('\\')) => position(text, at + 3, |c| c == '\'') + 1,
        ('\'', Some(_)) if text.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
    .min(text.len())
}

fn position(text: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..text.len())
        .find(|at| wanted(text[*at]))
        .unwrap_or(text.len())
}

fn block_comment_end(text: &[char], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut here = at;
    while here + 1 < text.len() {
        match (text[here], text[here + 1]) {
            ('/', '*') => {
                depth += 1;
                here += 2;
            }
            ('*', '/') => {
                depth -= 1;
                here += 2;
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    text.len()
}

fn string_end(text: &[char], at: usize) -> usize {
    let mut here = at + 1;
    while here < text.len() {
        match text[here] {
            '\\' => here += 2,
            '"' => return here + 1,
            _ => here += 1,
        }
    }
    text.len()
}

fn raw_string_end(text: &[char], at: usize) -> usize {
    let hashes = text[at + 1..].iter().take_while(|c| **c == '#').count();
    if text.get(at + 1 + hashes) != Some(&'"') {
        return at; // a raw identifier
    }
    let mut here = at + 2 + hashes;
    while here < text.len() {
        let closes = text[here] == '"'
            && text[here + 1..].len() >= hashes
            && text[here + 1..here + 1 + hashes].iter().all(|c| *c == '#');
        if closes {
            return here + 1 + hashes;
        }
        here += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::SourceFile;

    #[test]
    fn comments_and_literals_are_not_code() {
        let file = SourceFile::new(
            "a.rs",
            "// sqlx\nlet a = \"sqlx \\\" sqlx\"; /* sqlx /* sqlx */ */ let b = r#\"sqlx\"#; let c = '\"'; let d: &'static str = x;",
        );
        assert!(!file.uses("sqlx"));
        assert!(file.uses("static"));
        assert!(file.code.contains("let d"));
    }

    #[test]
    fn test_modules_do_not_count() {
        let file = SourceFile::new(
            "a.rs",
            "//! A.\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\nfn c() {}\n",
        );
        assert!(!file.product().contains("fn b"));
        assert!(file.product().contains("fn c"));
        assert_eq!(file.product_lines(), 4);
    }

    #[test]
    fn a_word_inside_a_word_is_another_word() {
        let file = SourceFile::new("a.rs", "use my_sqlx_like::Thing;");
        assert!(!file.uses("sqlx"));
    }
}
