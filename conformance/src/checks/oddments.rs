//! Things that nobody sends: whatever they are, the answer is never that the server broke.

use serde_json::{Value, json};

use crate::{
    check::{Check, Look, Verdict, ensure},
    http::Answer,
    session::Session,
    target::{ANY, Kind, webfinger},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "inbox-no-server-error",
        clauses: &["FED-ERROR-001"],
        title: "an activity whose members have any type or text is never answered with a server error",
        kinds: ANY,
        look: Look::By(|s| Box::pin(inbox(s))),
    },
    Check {
        name: "no-server-error",
        clauses: &["FED-ERROR-001"],
        title: "no body, resource or query is answered with a server error",
        kinds: ANY,
        look: Look::By(|s| Box::pin(doors(s))),
    },
];

/// Queries that fit no list.
const QUERIES: [&str; 6] = [
    "limit=-1",
    "limit=99999999999999999999",
    "cursor=%00%ff",
    "cursor=..%2F..%2F",
    "sort=%27%3B--",
    "season=%00",
];

/// Resources that no WebFinger knows.
const RESOURCES: [&str; 8] = [
    "acct:@",
    "acct:a@b@c",
    "acct:%00@%00",
    "acct:user@host:1234/x?y#",
    "http://",
    "https://[",
    "javascript:1",
    "\u{0}",
];

/// 503 says that the server has no time, not that it broke.
fn ensure_whole(what: &str, answer: &Answer) -> Verdict {
    ensure(answer.status < 500 || answer.status == 503, || {
        format!("{what}: status {}", answer.status)
    })
}

fn strange_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("https://["),
        json!("x".repeat(10_000)),
        json!([]),
        json!([[], {}]),
        json!({ "id": 7, "type": [] }),
    ]
}

async fn inbox(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    for kind in ["Follow", "Create", "Undo"] {
        for value in strange_values() {
            let activity = actor.activity(kind, &value);
            let answer = session.send(&actor, &activity, None).await?;
            ensure_whole(&format!("{kind} of {value:.40}"), &answer)?;
        }
    }
    for member in ["@context", "id", "type", "actor", "to", "published"] {
        for value in strange_values() {
            let mut activity = session.follow(&actor);
            activity[member] = value.clone();
            let answer = session.send(&actor, &activity, None).await?;
            ensure_whole(&format!("a Follow with {member} {value:.40}"), &answer)?;
        }
    }
    Ok(())
}

async fn doors(session: &Session) -> Verdict {
    let (posts, lists): (&[&str], &[&str]) = match session.target.kind {
        Kind::Tracker => (
            &["/api/v1/proofs", "/api/v1/agents/enroll"],
            &["/", "/api/v1/public/snapshot"],
        ),
        Kind::Village => (
            &["/api/v1/farmers/register"],
            &["/", "/api/v1/leaderboard", "/api/v1/farmers"],
        ),
        Kind::Server => (&[], &[]),
    };
    let nested = "[".repeat(3000);
    let bodies: [&[u8]; 8] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"{\"a\":1e999}",
        b"{\"\\ud800\":0}",
        nested.as_bytes(),
    ];
    for path in posts {
        for body in bodies {
            let url = session.url(path);
            let answer = session.client.post_json(&url, body.to_vec()).await?;
            let shown = String::from_utf8_lossy(body);
            ensure_whole(&format!("{path} with {shown:.20?}"), &answer)?;
        }
    }
    for resource in RESOURCES {
        let url = webfinger(&session.target.base, resource);
        let answer = session.client.get(&url, "*/*").await?;
        ensure_whole(&format!("WebFinger of {resource:?}"), &answer)?;
    }
    for path in lists {
        for query in QUERIES {
            let mut url = session.url(path);
            url.set_query(Some(query));
            let answer = session.client.get(&url, "*/*").await?;
            ensure_whole(&format!("{path}?{query}"), &answer)?;
        }
    }
    Ok(())
}
