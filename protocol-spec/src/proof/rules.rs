//! The rules of the schema that types alone do not hold.

use super::ProofBody;
use crate::{
    field::FieldError,
    limits::{CLUSTER_ALIAS_CHARS_MAX, DESCRIPTION_CHARS_MAX, IMPACT_RADIUS_MAX, SLUG_CHARS_MAX},
};

/// Checks every member of `body` whose type admits more than the schema does.
pub(super) fn check(body: &ProofBody) -> Result<(), FieldError> {
    if body.proof_id.get_version_num() != 7 {
        return Err(FieldError::new("proof_id", "expected a version 7 UUID"));
    }
    if body.prev_proof_id.is_some() != body.prev_proof_hash.is_some() {
        return Err(FieldError::new(
            "prev_proof_hash",
            "prev_proof_id and prev_proof_hash are both null (first proof) or both given",
        ));
    }
    if !is_cluster_alias(&body.agent.cluster_alias) {
        return Err(FieldError::new("agent.cluster_alias", CLUSTER_ALIAS_RULE));
    }
    if !is_plugin(&body.action.plugin) {
        return Err(FieldError::new(
            "action.plugin",
            "expected owner/name, like farmops/git-pr-review",
        ));
    }
    if body
        .action
        .subcategory
        .as_deref()
        .is_some_and(|s| !is_slug(s))
    {
        return Err(FieldError::new(
            "action.subcategory",
            "expected null or a slug of a-z, 0-9 and -",
        ));
    }
    check_description(&body.action.description)?;
    if !(1..=IMPACT_RADIUS_MAX).contains(&body.scoring_hints.impact_radius.value()) {
        return Err(FieldError::new(
            "scoring_hints.impact_radius",
            "expected 1 to 10",
        ));
    }
    Ok(())
}

pub(crate) const CLUSTER_ALIAS_RULE: &str =
    "expected 1 to 32 letters, digits, - or _ (a label you choose, not a host name)";

/// Letters, digits, `-` and `_`: a dot is refused so that no host name or address fits (`PRF-ALIAS-001`).
pub(crate) fn is_cluster_alias(text: &str) -> bool {
    (1..=CLUSTER_ALIAS_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// 1 to 64 of `a-z`, `0-9` and `-`, not starting or ending with `-`.
pub fn is_slug(text: &str) -> bool {
    (1..=SLUG_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name of a plugin: two slugs with a slash between.
pub(crate) fn is_plugin(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(owner, name)| is_slug(owner) && is_slug(name))
}

/// One line of printable text, free of the controls that make text look like other text.
fn check_description(text: &str) -> Result<(), FieldError> {
    let refused = |reason: String| Err(FieldError::new("action.description", reason));
    if !(1..=DESCRIPTION_CHARS_MAX).contains(&text.chars().count()) {
        return refused(format!("expected 1 to {DESCRIPTION_CHARS_MAX} characters"));
    }
    let is_bidi_control = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match text.chars().find(|&c| c.is_control() || is_bidi_control(c)) {
        Some(c) => refused(format!(
            "the control character U+{:04X} is not allowed",
            u32::from(c)
        )),
        None => Ok(()),
    }
}
