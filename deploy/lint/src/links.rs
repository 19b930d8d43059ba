//! Documents that point somewhere: every relative link, and every path a root document names in `code`, exists.

use std::path::Path;

use crate::Finding;
use crate::tree::ends;

/// Top-level names; a word in `code` that starts with one and has a `/` is a path.
const TOP: &[&str] = &[
    "agent",
    "conformance",
    "deploy",
    "federation",
    "plugins",
    "protocol-spec",
    "tracker",
    "village",
];

/// Every link and path that leads nowhere; `exists` answers for paths from the root.
#[must_use]
pub fn check(texts: &[(String, String)], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| ends(path, "md")) {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        for target in links(text) {
            if !exists(&normal(&folder.join(target).to_string_lossy())) {
                findings.push(format!("{path}: the link `{target}` leads nowhere"));
            }
        }
        if !path.contains('/') {
            for named in code(text).filter(|word| is_path(word)) {
                for one in expand(named) {
                    if !exists(&one) {
                        findings.push(format!("{path}: there is no `{one}`"));
                    }
                }
            }
        }
    }
    findings
}

/// The targets of `[…](…)` within this repository, without their fragments.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let target = target.split('#').next()?;
        let elsewhere = target.contains("://") || target.starts_with("mailto:");
        (!elsewhere && !target.is_empty()).then_some(target)
    })
}

/// The words between single backticks, line by line.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_path(word: &str) -> bool {
    let Some((top, rest)) = word.split_once('/') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.{},".contains(c);
    TOP.contains(&top) && !rest.is_empty() && word.chars().all(plain)
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn expand(word: &str) -> Vec<String> {
    let Some((head, rest)) = word.split_once('{') else {
        return vec![word.to_owned()];
    };
    let Some((middle, tail)) = rest.split_once('}') else {
        return vec![word.to_owned()];
    };
    middle
        .split(',')
        .flat_map(|part| expand(&format!("{head}{part}{tail}")))
        .collect()
}

/// `a/b/../c` as `a/c`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_link_and_a_path_to_nowhere_are_found() {
        let text = "[a](docs/a.md#top) [b](../x.md) [c](https://c.example/) `agent/src/{here,gone}.rs` `a/b`";
        let texts = [("README.md".to_owned(), text.to_owned())];
        let there = ["docs/a.md", "agent/src/here.rs"];
        let findings = check(&texts, &|path| there.contains(&path));
        assert_eq!(
            findings,
            [
                "README.md: the link `../x.md` leads nowhere",
                "README.md: there is no `agent/src/gone.rs`"
            ]
        );
    }
}
