//! Who is who: WebFinger and NodeInfo.

use serde_json::Value;
use url::Url;

use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status, fail, skip},
    http::Answer,
    session::Session,
    sign::authority,
    target::{ANY, self_link, webfinger as question},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "webfinger",
        clauses: &["FED-NAME-001"],
        title: "the actor's account resolves at its host, as JRD, to exactly one actor",
        kinds: ANY,
        look: Look::By(|s| Box::pin(webfinger(s))),
    },
    Check {
        name: "webfinger-both-hosts",
        clauses: &["FED-NAME-002"],
        title: "where handle and actor live apart, both hosts name the same subject and actor",
        kinds: ANY,
        look: Look::By(|s| Box::pin(both_hosts(s))),
    },
    Check {
        name: "webfinger-by-actor",
        clauses: &["FED-NAME-003"],
        title: "the actor's URL, asked at the actor's host, has the same subject",
        kinds: ANY,
        look: Look::By(|s| Box::pin(by_actor(s))),
    },
    Check {
        name: "webfinger-unknown",
        clauses: &["FED-NAME-004"],
        title: "an unknown account is 404, a missing or malformed resource 400",
        kinds: ANY,
        look: Look::By(|s| Box::pin(unknown(s))),
    },
    Check {
        name: "nodeinfo",
        clauses: &["FED-NODE-001"],
        title: "NodeInfo 2.1 says what program runs here",
        kinds: ANY,
        look: Look::By(|s| Box::pin(nodeinfo(s))),
    },
];

async fn ask(session: &Session, base: &Url, resource: &str) -> Result<Answer, Miss> {
    Ok(session
        .client
        .get(&question(base, resource), "application/jrd+json")
        .await?)
}

/// The server of the host that an account names, reached as the target is.
fn home(session: &Session, subject: &str) -> Result<Url, Miss> {
    let host = subject
        .rsplit_once('@')
        .map(|(_, host)| host)
        .unwrap_or_default();
    let text = format!("{}://{host}/", session.target.base.scheme());
    Url::parse(&text).or_else(|_| fail(format!("{subject} has no host")))
}

fn same(what: &str, session: &Session, jrd: &Value) -> Verdict {
    let target = &session.target;
    ensure(jrd["subject"] == target.subject.as_str(), || {
        format!(
            "{what}: subject {}, expected {}",
            jrd["subject"], target.subject
        )
    })?;
    ensure(self_link(jrd).as_ref() == Some(&target.actor_id), || {
        format!("{what}: no single self link to {}", target.actor_id)
    })
}

async fn webfinger(session: &Session) -> Verdict {
    let subject = &session.target.subject;
    ensure(subject.starts_with("acct:"), || {
        format!("the subject {subject} is no acct: URI")
    })?;
    let answer = ask(session, &home(session, subject)?, subject).await?;
    ensure_status("WebFinger", &answer, &[200])?;
    ensure(answer.media_type == "application/jrd+json", || {
        format!(
            "media type {}, expected application/jrd+json",
            answer.media_type
        )
    })?;
    same("WebFinger", session, &answer.json())
}

async fn both_hosts(session: &Session) -> Verdict {
    let subject = &session.target.subject;
    let home = home(session, subject)?;
    if authority(&home) == authority(&session.target.actor_id) {
        return skip("handle and actor live on the same host");
    }
    for base in [&home, &session.target.actor_id] {
        let answer = ask(session, base, subject).await?;
        let host = authority(base);
        ensure_status(&format!("WebFinger at {host}"), &answer, &[200])?;
        same(&format!("WebFinger at {host}"), session, &answer.json())?;
    }
    Ok(())
}

async fn by_actor(session: &Session) -> Verdict {
    let actor = &session.target.actor_id;
    let answer = ask(session, actor, actor.as_str()).await?;
    ensure_status("WebFinger of the actor's URL", &answer, &[200])?;
    same("WebFinger of the actor's URL", session, &answer.json())
}

async fn unknown(session: &Session) -> Verdict {
    let base = &session.target.base;
    let nobody = format!(
        "acct:nobody-{}@{}",
        uuid::Uuid::new_v4().simple(),
        authority(base)
    );
    ensure_status(
        "an unknown account",
        &ask(session, base, &nobody).await?,
        &[404],
    )?;
    ensure_status(
        "a malformed resource",
        &ask(session, base, "acct:").await?,
        &[400],
    )?;
    let answer = session
        .client
        .get(&session.url("/.well-known/webfinger"), "*/*")
        .await?;
    ensure_status("no resource", &answer, &[400])
}

async fn nodeinfo(session: &Session) -> Verdict {
    const SCHEMA: &str = "http://nodeinfo.diaspora.software/ns/schema/2.1";
    let links = session
        .client
        .get(&session.url("/.well-known/nodeinfo"), "application/json")
        .await?;
    ensure_status("/.well-known/nodeinfo", &links, &[200])?;
    let links = links.json();
    let ours = links["links"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|link| link["rel"] == SCHEMA);
    let href = ours
        .and_then(|link| link["href"].as_str())
        .and_then(|href| Url::parse(href).ok());
    let Some(href) = href else {
        return fail("no link to a NodeInfo 2.1 document");
    };
    ensure(authority(&href) == authority(&session.target.base), || {
        format!("{href} is on another host")
    })?;
    let answer = session.client.get(&href, "application/json").await?;
    ensure_status("NodeInfo", &answer, &[200])?;
    let info = answer.json();
    for (pointer, expected) in [
        ("/version", Some("2.1")),
        ("/software/name", None),
        ("/software/version", None),
    ] {
        let text = info
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default();
        ensure(expected.map_or(!text.is_empty(), |e| e == text), || {
            format!("{pointer} is {text:?}")
        })?;
    }
    let protocols = info["protocols"].as_array();
    ensure(
        protocols.is_some_and(|p| p.iter().any(|p| p == "activitypub")),
        || "protocols does not name activitypub".to_owned(),
    )
}
