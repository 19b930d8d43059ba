//! What a command prints: one JSON document for a program, or lines for a person.

use std::{fmt::Display, io::Write as _, process::ExitCode};

use serde_json::Value;

/// An error with its causes, each said once: some say what their cause says.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    let mut last = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if last.contains(&cause) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&cause);
        last = cause;
    }
    told
}

/// How the answers are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// One JSON document instead of text.
    pub(super) json: bool,
}

impl Output {
    /// Prints `answer` for a program or `sentence` for a person.
    pub(super) fn say(self, answer: &Value, sentence: &str) -> ExitCode {
        if self.json {
            line(answer);
        } else {
            line(sentence);
        }
        ExitCode::SUCCESS
    }

    /// Prints `answer` for a program or the lines that `text` makes of it for a person.
    pub(super) fn show(self, answer: &Value, text: impl FnOnce(&Value) -> String) -> ExitCode {
        if self.json {
            line(answer);
        } else {
            let text = text(answer);
            line(text.trim_end());
        }
        ExitCode::SUCCESS
    }

    /// Prints one row for each member of the list `answer[list]`, its columns aligned; `empty` when
    /// there is none.
    pub(super) fn list<const N: usize>(
        self,
        answer: &Value,
        list: &str,
        empty: &str,
        row: impl Fn(&Value) -> [String; N],
    ) -> ExitCode {
        self.show(answer, |answer| {
            let rows: Vec<[String; N]> = answer[list]
                .as_array()
                .map(|items| items.iter().map(row).collect())
                .unwrap_or_default();
            table(&rows, empty)
        })
    }

    /// Prints `answer` for a program or `rows` for a person, their columns aligned; `empty` when there
    /// is none.
    pub(super) fn table<const N: usize>(
        self,
        answer: &Value,
        rows: &[[String; N]],
        empty: &str,
    ) -> ExitCode {
        self.show(answer, |_| table(rows, empty))
    }
}

/// Prints a line. Whoever reads may stop early, as `head` does; a line that cannot be printed for another
/// reason has nowhere to be complained about.
pub(super) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A member as a person reads it: text without quotes, nothing for null.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table<const N: usize>(rows: &[[String; N]], empty: &str) -> String {
    if rows.is_empty() {
        empty.to_owned()
    } else {
        aligned(rows)
    }
}

/// Columns as wide as their widest cell, two blanks apart.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            let padding = width(column).saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{aligned, told};

    #[test]
    fn what_a_cause_says_is_said_once() {
        let error = anyhow::anyhow!("(code: 14) no file")
            .context("the database said: (code: 14) no file")
            .context("opening farm.db");
        let once = "opening farm.db: the database said: (code: 14) no file";
        assert_eq!(told(&error), once);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bcd", "e"], ["fähre", "g", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), "a      bcd  e\nfähre  g\n");
    }
}
