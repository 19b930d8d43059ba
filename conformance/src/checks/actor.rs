//! Actor documents: the main actor's and the server's own.

use farmops_protocol::key::PublicKey;
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts};
use serde_json::Value;
use url::Url;

use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status, fail},
    http::ACTIVITY_JSON,
    session::Session,
    target::{ANY, Kind, own_account, self_link, webfinger},
};

/// Contexts that every reader of ours knows without fetching them.
const KNOWN_CONTEXTS: [&str; 5] = [
    "https://www.w3.org/ns/activitystreams",
    "https://w3id.org/security/v1",
    "https://w3id.org/security/data-integrity/v1",
    "https://w3id.org/security/data-integrity/v2",
    "https://www.w3.org/ns/cid/v1",
];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "actor-document",
        clauses: &["FED-ACTOR-001"],
        title: "the actor document has its members, and its inboxes are on its own server",
        kinds: ANY,
        look: Look::By(|s| Box::pin(async { document(&s.target.actor, &s.target.actor_id) })),
    },
    Check {
        name: "actor-media-type",
        clauses: &["FED-ACTOR-002"],
        title: "the actor document is served unsigned, as application/activity+json",
        kinds: ANY,
        look: Look::By(|s| Box::pin(media_type(s))),
    },
    Check {
        name: "actor-key",
        clauses: &["FED-KEY-001"],
        title: "the actor shows an RSA key of 2,048 to 8,192 bits that names it as owner",
        kinds: ANY,
        look: Look::By(|s| Box::pin(async { rsa_key(&s.target.actor, &s.target.actor_id) })),
    },
    Check {
        name: "farm-key",
        clauses: &["FED-KEY-002", "IDN-KEY-001", "IDN-KEY-002"],
        title: "the farmer's actor shows her farm key as a Multikey that it controls",
        kinds: &[Kind::Tracker],
        look: Look::By(|s| Box::pin(async { farm_key(s).map(|_| ()) })),
    },
    Check {
        name: "actor-context",
        clauses: &["FED-CTX-001"],
        title: "no context has to be fetched to read the actor",
        kinds: &[Kind::Tracker, Kind::Village],
        look: Look::By(|s| Box::pin(async { context(&s.target.actor) })),
    },
    Check {
        name: "instance-actor",
        clauses: &["FED-ACTOR-002", "FED-ACTOR-003"],
        title: "the server has an Application actor, found by WebFinger and fetched unsigned",
        kinds: ANY,
        look: Look::By(|s| Box::pin(instance(s))),
    },
];

fn document(actor: &Value, id: &Url) -> Verdict {
    ensure(actor["id"] == id.as_str(), || {
        format!("id is {}, not where it is served", actor["id"])
    })?;
    for member in ["preferredUsername", "inbox", "outbox", "followers"] {
        ensure(actor[member].is_string(), || format!("{member} is missing"))?;
    }
    let kinds = ["Person", "Group", "Application", "Service", "Organization"];
    ensure(kinds.iter().any(|kind| actor["type"] == *kind), || {
        format!("type is {}", actor["type"])
    })?;
    for inbox in [&actor["inbox"], &actor["endpoints"]["sharedInbox"]] {
        let Some(inbox) = inbox.as_str() else {
            continue;
        };
        let here = Url::parse(inbox).is_ok_and(|inbox| inbox.origin() == id.origin());
        ensure(here, || format!("{inbox} is on another server"))?;
    }
    Ok(())
}

async fn media_type(session: &Session) -> Verdict {
    let answer = session
        .client
        .get(&session.target.actor_id, ACTIVITY_JSON)
        .await?;
    ensure_status("the actor document", &answer, &[200])?;
    ensure(answer.media_type == ACTIVITY_JSON, || {
        format!("media type {}", answer.media_type)
    })
}

fn rsa_key(actor: &Value, id: &Url) -> Verdict {
    let key = &actor["publicKey"];
    ensure(key["owner"] == id.as_str(), || {
        "publicKey.owner is not the actor".to_owned()
    })?;
    let key_id = key["id"].as_str().and_then(|k| Url::parse(k).ok());
    ensure(key_id.is_some_and(|k| k.origin() == id.origin()), || {
        "publicKey.id is not on its server".to_owned()
    })?;
    let pem = key["publicKeyPem"].as_str().unwrap_or_default();
    let Ok(key) = RsaPublicKey::from_public_key_pem(pem) else {
        return fail("publicKey.publicKeyPem is no RSA key in PEM");
    };
    let bits = key.size() * 8;
    ensure((2048..=8192).contains(&bits), || {
        format!("the key has {bits} bits")
    })
}

/// The farm key, with the id of its verification method.
pub(super) fn farm_key(session: &Session) -> Result<(String, PublicKey), Miss> {
    let actor = &session.target.actor;
    let methods = match &actor["assertionMethod"] {
        Value::Array(methods) => methods.clone(),
        Value::Null => return fail("assertionMethod is missing"),
        one => vec![one.clone()],
    };
    let id = session.target.actor_id.as_str();
    for method in &methods {
        let key_id = method["id"].as_str().unwrap_or_default();
        let own = method["controller"] == id
            && key_id.split_once('#').is_some_and(|(owner, _)| owner == id);
        let key = method["publicKeyMultibase"]
            .as_str()
            .unwrap_or_default()
            .parse();
        if let (true, true, Ok(key)) = (own, method["type"] == "Multikey", key) {
            return Ok((key_id.to_owned(), key));
        }
    }
    fail("no assertionMethod is an Ed25519 Multikey that the actor itself controls")
}

fn context(document: &Value) -> Verdict {
    let context = match &document["@context"] {
        Value::Array(entries) => entries.clone(),
        Value::Null => return fail("@context is missing"),
        one => vec![one.clone()],
    };
    for entry in context.iter().filter_map(Value::as_str) {
        ensure(KNOWN_CONTEXTS.contains(&entry), || {
            format!("{entry} would have to be fetched")
        })?;
    }
    Ok(())
}

async fn instance(session: &Session) -> Verdict {
    let base = &session.target.base;
    let account = format!("acct:{}", own_account(base));
    let jrd = session
        .client
        .get(&webfinger(base, &account), "application/jrd+json")
        .await?;
    ensure_status(&format!("WebFinger of {account}"), &jrd, &[200])?;
    let jrd = jrd.json();
    let Some(id) = self_link(&jrd) else {
        return fail(format!("{account} leads to no actor"));
    };
    let answer = session.client.get(&id, ACTIVITY_JSON).await?;
    ensure_status("the instance actor", &answer, &[200])?;
    let actor = answer.json();
    ensure(actor["type"] == "Application", || {
        format!("{id} is a {}", actor["type"])
    })?;
    document_of_instance(&actor, &id)?;
    let by_url = session
        .client
        .get(&webfinger(base, id.as_str()), "application/jrd+json")
        .await?;
    ensure_status("WebFinger of the instance actor's URL", &by_url, &[200])?;
    ensure(self_link(&by_url.json()) == Some(id), || {
        "WebFinger of its URL leads elsewhere".to_owned()
    })
}

fn document_of_instance(actor: &Value, id: &Url) -> Verdict {
    document(actor, id)?;
    rsa_key(actor, id)
}
