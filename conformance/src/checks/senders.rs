//! Senders whose document is no proof of who they are: their mail is refused, though well signed.

use crate::{
    check::{Check, Look, Verdict, ensure_status},
    probe::Oddity,
    session::Session,
    target::ANY,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "sender-under-other-id",
        clauses: &["FED-FETCH-001", "FED-SIG-004"],
        title: "mail of an actor whose document has another actor's id is refused",
        kinds: ANY,
        look: Look::By(|s| Box::pin(refused(s, Oddity::UnderOtherId))),
    },
    Check {
        name: "sender-as-text",
        clauses: &["FED-FETCH-002", "FED-SIG-004"],
        title: "mail of an actor whose document is served as text/plain is refused",
        kinds: ANY,
        look: Look::By(|s| Box::pin(refused(s, Oddity::AsText))),
    },
    Check {
        name: "sender-too-large",
        clauses: &["FED-FETCH-001", "FED-SIG-004"],
        title: "mail of an actor whose document has more than 256 KiB is refused",
        kinds: ANY,
        look: Look::By(|s| Box::pin(refused(s, Oddity::TooLarge))),
    },
];

async fn refused(session: &Session, oddity: Oddity) -> Verdict {
    let actor = session.probe()?.odd_actor(oddity);
    let follow = session.follow(&actor);
    let answer = session.send(&actor, &follow, None).await?;
    ensure_status("the Follow", &answer, &[401])?;
    session
        .unanswered(follow["id"].as_str().unwrap_or_default())
        .await
}
