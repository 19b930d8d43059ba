//! Requests signed wrongly, each in one way: 401, and no effect.

use crate::{
    check::{Check, Look, Verdict, ensure_status},
    session::Session,
    sign::Forgery,
    target::ANY,
};

pub(super) const CHECKS: &[Check] = &[
    forged(
        "signature-missing",
        &["FED-SIG-002"],
        "a request without signature is refused",
        Forgery::Unsigned,
    ),
    forged(
        "signature-without-target",
        &["FED-SIG-001", "FED-SIG-002"],
        "a signature that leaves out (request-target) is refused",
        Forgery::NoTarget,
    ),
    forged(
        "signature-without-host",
        &["FED-SIG-001", "FED-SIG-002"],
        "a signature that leaves out host is refused",
        Forgery::NoHost,
    ),
    forged(
        "signature-without-digest",
        &["FED-SIG-001", "FED-SIG-002"],
        "a signature that leaves out digest is refused",
        Forgery::NoDigest,
    ),
    forged(
        "signature-without-time",
        &["FED-SIG-001", "FED-SIG-002"],
        "a signature that leaves out the time is refused",
        Forgery::NoTime,
    ),
    forged(
        "signature-of-other-body",
        &["FED-SIG-002"],
        "a digest of another body is refused",
        Forgery::OtherBody,
    ),
    forged(
        "signature-for-other-host",
        &["FED-SIG-002"],
        "a request signed for another host is refused",
        Forgery::OtherHost,
    ),
    forged(
        "signature-for-other-path",
        &["FED-SIG-002"],
        "a request signed for another path is refused",
        Forgery::OtherPath,
    ),
    forged(
        "signature-stale",
        &["FED-SIG-003"],
        "a signature of two hours ago is refused",
        Forgery::Stale,
    ),
    forged(
        "signature-ahead",
        &["FED-SIG-003"],
        "a signature of ten minutes ahead is refused",
        Forgery::Ahead,
    ),
    forged(
        "signature-by-other-actor",
        &["FED-SIG-004"],
        "a good signature by another actor's key is refused",
        Forgery::ForeignKey,
    ),
    forged(
        "signature-by-other-key",
        &["FED-SIG-004"],
        "the actor's key id over another key's signature is refused",
        Forgery::StolenKeyId,
    ),
    forged(
        "signature-empty",
        &["FED-SIG-002"],
        "a signature of no bytes is refused",
        Forgery::Empty,
    ),
    forged(
        "signature-repeats-parameter",
        &["FED-SIG-002"],
        "a Signature header that names a parameter twice is refused",
        Forgery::RepeatedParameter,
    ),
    forged(
        "signature-repeats-header",
        &["FED-SIG-002"],
        "a request in which a covered header stands twice is refused",
        Forgery::RepeatedHeader,
    ),
    forged(
        "signature-of-absent-header",
        &["FED-SIG-002"],
        "a signature that covers a header which is not there is refused",
        Forgery::AbsentHeader,
    ),
];

const fn forged(
    name: &'static str,
    clauses: &'static [&'static str],
    title: &'static str,
    forgery: Forgery,
) -> Check {
    Check {
        name,
        clauses,
        title,
        kinds: ANY,
        look: Look::Forged(forgery),
    }
}

/// Sends a Follow with `forgery`: it must be refused and must not be answered.
pub(crate) async fn refused(session: &Session, forgery: Forgery) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let follow = session.follow(&actor);
    let answer = session.send(&actor, &follow, Some(forgery)).await?;
    ensure_status("the forged Follow", &answer, &[401])?;
    session
        .unanswered(follow["id"].as_str().unwrap_or_default())
        .await
}
