//! The shape of source files: a first line that says what the file is for, a size one can read, no `mod.rs`.

use crate::Finding;
use crate::source::SourceFile;

/// Lines without tests after which a file needs a reason.
pub const LINES_MAX: usize = 400;

/// Files above the limit, each with its reason.
const LARGE: &[(&str, &str)] = &[];

/// Every file that breaks the shape.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !file.is_generated()) {
        let path = file.path.as_str();
        if path.ends_with("/mod.rs") {
            findings.push(format!("{path}: a module `foo` is `foo.rs` beside `foo/`"));
        }
        if !file.text.starts_with("//!") {
            findings.push(format!(
                "{path}: the first line says what the file is for (`//!`)"
            ));
        }
        let lines = file.product_lines();
        let excused = LARGE.iter().any(|(large, _)| *large == path);
        if lines > LINES_MAX && !file.is_test() && !excused {
            findings.push(format!("{path}: {lines} lines, the limit is {LINES_MAX}"));
        }
        for word in ["utils", "common", "helpers"] {
            if path
                .split('/')
                .any(|part| part.strip_suffix(".rs").unwrap_or(part) == word)
            {
                findings.push(format!(
                    "{path}: `{word}` says nothing; name it after what it holds"
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, check};
    use crate::source::SourceFile;

    #[test]
    fn each_rule_of_shape_is_found_broken() {
        let long = format!("//! Long.\n{}", "fn a() {}\n".repeat(LINES_MAX));
        let files = [
            SourceFile::new("agent/src/fine.rs", "//! Fine.\n"),
            SourceFile::new("agent/src/a/mod.rs", "//! A.\n"),
            SourceFile::new("agent/src/b.rs", "fn b() {}\n"),
            SourceFile::new("agent/src/utils.rs", "//! C.\n"),
            SourceFile::new("agent/src/d.rs", &long),
            SourceFile::new("agent/tests/d.rs", &long),
        ];
        assert_eq!(check(&files).len(), 4, "{:?}", check(&files));
    }
}
