//! Running checks against one server.

use crate::{
    check::{Check, Look, Verdict, skip},
    checks::{self, forgeries},
    report::{Line, Report},
    session::Session,
};

/// Runs every check whose name or one of whose clauses fits `glob`.
pub async fn run(session: &Session, glob: &str) -> Report {
    let mut lines = Vec::new();
    for check in checks::all() {
        if fits(glob, check.name) || check.clauses.iter().any(|clause| fits(glob, clause)) {
            lines.push(Line::new(&check, look(&check, session).await));
        }
    }
    session.farewell().await;
    Report {
        target: session.target.base.clone(),
        kind: session.target.kind.as_str(),
        lines,
    }
}

/// Looks once.
pub async fn look(check: &Check, session: &Session) -> Verdict {
    if !check.kinds.contains(&session.target.kind) {
        return skip(format!("not for a {}", session.target.kind.as_str()));
    }
    match check.look {
        Look::By(look) => look(session).await,
        Look::Forged(forgery) => forgeries::refused(session, forgery).await,
    }
}

/// Whether `text` is of the form `glob`, where `*` stands for anything.
fn fits(glob: &str, text: &str) -> bool {
    match glob.split_once('*') {
        None => glob == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .filter_map(|at| text.get(at..))
                .any(|tail| fits(rest, tail))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (glob, text, expected) in [
            ("*", "FED-SIG-001", true),
            ("FED-*", "FED-SIG-001", true),
            ("*-001", "FED-SIG-001", true),
            ("FED-*-002", "FED-SIG-001", false),
            ("FED", "FED-SIG-001", false),
            ("FED-SIG-001", "FED-SIG-001", true),
        ] {
            assert_eq!(fits(glob, text), expected, "{glob} {text}");
        }
    }
}
