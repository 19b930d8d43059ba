//! The inbox: follows, replays, and mail that is no mail.

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::json;

use crate::{
    check::{Check, Look, Verdict, ensure, ensure_status, ensure_success, skip},
    session::{Session, now},
    sign::{key_id, verify},
    target::ANY,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "inbox-follow",
        clauses: &["FED-FOLLOW-001", "FED-SIG-001"],
        title: "a signed Follow is answered with a signed Accept or Reject that embeds it",
        kinds: ANY,
        look: Look::By(|s| Box::pin(follow(s))),
    },
    Check {
        name: "inbox-replay",
        clauses: &["FED-INBOX-002"],
        title: "the same activity twice has one effect",
        kinds: ANY,
        look: Look::By(|s| Box::pin(replay(s))),
    },
    Check {
        name: "inbox-unknown-type",
        clauses: &["FED-INBOX-003"],
        title: "an activity of unknown type is taken and has no effect",
        kinds: ANY,
        look: Look::By(|s| Box::pin(unknown_type(s))),
    },
    Check {
        name: "inbox-delete-by-stranger",
        clauses: &["FED-INBOX-001"],
        title: "a Delete by an actor nobody knows, and whose key is gone, is dropped with 202",
        kinds: ANY,
        look: Look::By(|s| Box::pin(delete_by_stranger(s))),
    },
    Check {
        name: "inbox-foreign-id",
        clauses: &["FED-INBOX-004"],
        title: "an activity whose id is on another server than its actor has no effect",
        kinds: ANY,
        look: Look::By(|s| Box::pin(foreign_id(s))),
    },
    Check {
        name: "inbox-blocked",
        clauses: &["FED-INBOX-001", "FED-PEER-001"],
        title: "a well signed Follow from a blocked host is 403 and has no effect",
        kinds: ANY,
        look: Look::By(|s| Box::pin(blocked(s))),
    },
    Check {
        name: "inbox-media-type",
        clauses: &["FED-INBOX-005"],
        title: "another media type is 415",
        kinds: ANY,
        look: Look::By(|s| Box::pin(media_type(s))),
    },
    Check {
        name: "inbox-malformed",
        clauses: &["FED-INBOX-005"],
        title: "broken JSON, a repeated member, deep nesting and a long list are 400",
        kinds: ANY,
        look: Look::By(|s| Box::pin(malformed(s))),
    },
    Check {
        name: "inbox-too-large",
        clauses: &["FED-INBOX-005"],
        title: "more than 262,144 bytes are 413",
        kinds: ANY,
        look: Look::By(|s| Box::pin(too_large(s))),
    },
];

async fn follow(session: &Session) -> Verdict {
    let Some(letter) = session.followed().await? else {
        return skip("the Follow is held until a person decides");
    };
    let actor = &session.target.actor;
    ensure(
        letter.activity["actor"] == session.target.actor_id.as_str(),
        || format!("the answer is by {}", letter.activity["actor"]),
    )?;
    ensure(letter.activity["object"].is_object(), || {
        "the answer does not embed the Follow".to_owned()
    })?;
    let key = &actor["publicKey"];
    ensure(key_id(&letter.request) == key["id"].as_str(), || {
        "the answer is signed by another key".to_owned()
    })?;
    let host = letter
        .request
        .headers
        .get("host")
        .and_then(|h| h.to_str().ok())
        .unwrap_or_default();
    let pem = key["publicKeyPem"].as_str().unwrap_or_default();
    let signed = verify(&letter.request, host, pem, now().second(), None);
    ensure(signed.is_ok(), || {
        format!(
            "the answer's signature: {}",
            signed.err().unwrap_or_default()
        )
    })
}

async fn replay(session: &Session) -> Verdict {
    let probe = session.probe()?;
    let actor = probe.fresh_actor();
    let follow = session.follow(&actor);
    for _ in 0..2 {
        let answer = session.send(&actor, &follow, None).await?;
        ensure_success("the Follow", &answer)?;
    }
    if !session.settled().await? {
        return skip("follows are held until a person decides");
    }
    let id = follow["id"].as_str().unwrap_or_default();
    // The second answer, if any, was made before that of the Follow that settled it.
    let answers = probe.count(|letter| letter.answers(id));
    ensure(answers == 1, || {
        format!("one Follow, sent twice, had {answers} answers")
    })
}

async fn unknown_type(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let follow = session.follow(&actor);
    let mut activity = follow.clone();
    activity["type"] = json!("Ponder");
    let answer = session.send(&actor, &activity, None).await?;
    ensure_success("an activity of unknown type", &answer)?;
    session
        .unanswered(activity["id"].as_str().unwrap_or_default())
        .await
}

async fn delete_by_stranger(session: &Session) -> Verdict {
    let actor = session.probe()?.absent_actor();
    let delete = actor.activity("Delete", &json!(actor.id));
    let answer = session.send(&actor, &delete, None).await?;
    ensure_success("a Delete of an unknown actor by itself", &answer)
}

async fn foreign_id(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let mut follow = session.follow(&actor);
    let id = format!("https://elsewhere.example/{}", uuid::Uuid::new_v4());
    follow["id"] = json!(id);
    let answer = session.send(&actor, &follow, None).await?;
    ensure(answer.status < 500, || format!("status {}", answer.status))?;
    session.unanswered(&id).await
}

async fn blocked(session: &Session) -> Verdict {
    let Some(actor) = session.probe()?.blocked_actor() else {
        return skip("the server is not said to block a host of the suite; see --blocked-host");
    };
    let follow = session.follow(&actor);
    let answer = session.send(&actor, &follow, None).await?;
    ensure_status("the Follow", &answer, &[403])?;
    session
        .unanswered(follow["id"].as_str().unwrap_or_default())
        .await
}

async fn media_type(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let body = session.follow(&actor).to_string().into_bytes();
    let as_text = |headers: &mut HeaderMap| {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    };
    let answer = session.send_bytes(&actor, body, None, as_text).await?;
    ensure_status("text/plain", &answer, &[415])
}

async fn malformed(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let good = session.follow(&actor).to_string();
    let nested = format!(r#"{{"x":{}{},"#, "[".repeat(60), "]".repeat(60));
    let long = format!(r#"{{"x":[0{}],"#, ",0".repeat(256));
    for (what, body) in [
        ("broken JSON", good[..good.len() - 1].to_owned()),
        ("no JSON", "hello".to_owned()),
        ("no object", "[]".to_owned()),
        (
            "a member twice",
            good.replacen('{', r#"{"type":"Follow","#, 1),
        ),
        ("60 levels", good.replacen('{', &nested, 1)),
        ("a list of 257 entries", good.replacen('{', &long, 1)),
    ] {
        let answer = session
            .send_bytes(&actor, body.into_bytes(), None, |_| {})
            .await?;
        ensure_status(what, &answer, &[400])?;
    }
    Ok(())
}

async fn too_large(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let mut follow = session.follow(&actor);
    follow["summary"] = json!("x".repeat(262_144));
    let answer = session.send(&actor, &follow, None).await?;
    ensure_status("more than 262,144 bytes", &answer, &[413])
}
