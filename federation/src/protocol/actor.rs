//! Actor documents: reading other servers', writing our own.

use farmops_protocol::{field::FieldError, key::PublicKey, time::Timestamp};
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    account::{Account, Reach, authority},
    actor::{ActorKind, FarmKey, Image, LocalActor, RemoteActor},
    federation::Federation,
    protocol::{context::context, tolerant},
};

const NAME_CHARS_MAX: usize = 200;
const USERNAME_CHARS_MAX: usize = 64;
const PEM_BYTES_MAX: usize = 4096;
const KEY_BITS_MIN: usize = 2048;
const KEY_BITS_MAX: usize = 8192;

/// Reads the actor document that was fetched from `id`.
pub fn parse(document: &Value, id: &Url, now: Timestamp) -> Result<RemoteActor, FieldError> {
    let own = tolerant::url(document.get("id").unwrap_or(&Value::Null), "id")?;
    if own != *id {
        return Err(FieldError::new(
            "id",
            "must be the URL the document came from",
        ));
    }
    let kind = kind(document)?;
    let username = tolerant::text(document, "preferredUsername", USERNAME_CHARS_MAX)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| FieldError::new("preferredUsername", "is missing"))?;
    let (key_id, public_key_pem) = rsa_key(document, id)?;
    let endpoints = document.get("endpoints").unwrap_or(&Value::Null);
    let name = tolerant::text(document, "name", NAME_CHARS_MAX).filter(|name| !name.is_empty());
    Ok(RemoteActor {
        kind,
        account: account(document, &username, id),
        name: name.unwrap_or_else(|| username.clone()),
        username,
        page: link(document.get("url")),
        icon: link(document.get("icon")),
        inbox: on_origin(tolerant::required(document, "inbox")?, id, "inbox")?,
        shared_inbox: tolerant::optional(endpoints, "sharedInbox")
            .map_err(|e| e.within("endpoints"))?
            .map(|inbox| on_origin(inbox, id, "endpoints.sharedInbox"))
            .transpose()?,
        outbox: tolerant::optional(document, "outbox")?,
        key_id,
        public_key_pem,
        farm_key: farm_key(document, id),
        farm_key_offered: None,
        fetched_at: now,
        id: own,
    })
}

fn kind(document: &Value) -> Result<ActorKind, FieldError> {
    ActorKind::ALL
        .into_iter()
        .find(|kind| tolerant::is_type(document, kind.as_str()))
        .ok_or_else(|| FieldError::new("type", "is not a kind of actor"))
}

/// The declared account (FEP-2c59), else the one that name and host imply.
fn account(document: &Value, username: &str, id: &Url) -> Option<Account> {
    // The grammar with ports: a document of a public server cannot name one that is reachable.
    let declared = document.get("webfinger").and_then(Value::as_str);
    declared
        .and_then(|text| Account::parse(text, Reach::Loopback).ok())
        .or_else(|| Account::parse(&format!("{username}@{}", authority(id)?), Reach::Loopback).ok())
}

/// An inbox elsewhere would let one server aim our deliveries at another.
fn on_origin(url: Url, id: &Url, field: &str) -> Result<Url, FieldError> {
    if url.origin() == id.origin() {
        Ok(url)
    } else {
        Err(FieldError::new(field, "must be on the actor's own server"))
    }
}

fn rsa_key(document: &Value, id: &Url) -> Result<(String, String), FieldError> {
    let key = match document.get("publicKey") {
        Some(Value::Array(keys)) => keys.first().unwrap_or(&Value::Null),
        Some(key) => key,
        None => return Err(FieldError::new("publicKey", "is missing")),
    };
    let refuse =
        |member: &str, reason: &str| Err(FieldError::new(format!("publicKey.{member}"), reason));
    let key_id = tolerant::required(key, "id").map_err(|e| e.within("publicKey"))?;
    if key_id.origin() != id.origin() {
        return refuse("id", "must be on the actor's own server");
    }
    if tolerant::required(key, "owner").map_err(|e| e.within("publicKey"))? != *id {
        return refuse("owner", "must be the actor");
    }
    let pem = key
        .get("publicKeyPem")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if pem.len() > PEM_BYTES_MAX {
        return refuse("publicKeyPem", "is longer than 4096 bytes");
    }
    let Some(parsed) = read_rsa(pem) else {
        return refuse("publicKeyPem", "must be an RSA public key in PEM");
    };
    if !(KEY_BITS_MIN..=KEY_BITS_MAX).contains(&(parsed.size() * 8)) {
        return refuse("publicKeyPem", "must have 2048 to 8192 bits");
    }
    Ok((key_id.into(), pem.to_owned()))
}

/// An RSA key as SPKI or, from older software, PKCS#1.
pub(crate) fn read_rsa(pem: &str) -> Option<RsaPublicKey> {
    use rsa::pkcs1::DecodeRsaPublicKey;
    RsaPublicKey::from_public_key_pem(pem)
        .ok()
        .or_else(|| RsaPublicKey::from_pkcs1_pem(pem).ok())
}

/// The first Ed25519 Multikey among the assertion methods that the actor itself controls
/// (FEP-521a). One that does not fit is as good as none: the actor is still an actor.
fn farm_key(document: &Value, id: &Url) -> Option<FarmKey> {
    let methods = match document.get("assertionMethod")? {
        Value::Array(methods) => methods.as_slice(),
        method => std::slice::from_ref(method),
    };
    methods.iter().find_map(|method| {
        let key_id = tolerant::required(method, "id").ok()?;
        let mut owner = key_id.clone();
        owner.set_fragment(None);
        let controlled = tolerant::required(method, "controller").ok()? == *id && owner == *id;
        let is_key = tolerant::is_type(method, "Multikey") && key_id.fragment().is_some();
        let key: PublicKey = method.get("publicKeyMultibase")?.as_str()?.parse().ok()?;
        (controlled && is_key).then(|| FarmKey {
            id: key_id.into(),
            key,
        })
    })
}

/// A link that may be a URL, an object with `href` or `url`, or a list of these.
fn link(value: Option<&Value>) -> Option<Url> {
    match value? {
        Value::Array(items) => items.iter().find_map(link_of),
        one => link_of(one),
    }
}

fn link_of(value: &Value) -> Option<Url> {
    let target = match value {
        Value::Object(object) => object.get("href").or_else(|| object.get("url"))?,
        other => other,
    };
    tolerant::url(target, "url").ok()
}

/// Writes the document of a local actor.
pub(crate) fn write(federation: &Federation, actor: &LocalActor, public_key_pem: &str) -> Value {
    let id = federation.actor_id(&actor.name);
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("@context", context());
    put("id", json!(id));
    put("type", json!(actor.kind.as_str()));
    put("preferredUsername", json!(actor.account.name()));
    put("webfinger", json!(actor.account.to_string()));
    put("name", json!(actor.display_name));
    for (name, value) in [
        ("summary", actor.summary.as_ref().map(|text| json!(text))),
        ("url", actor.page.as_ref().map(|url| json!(url))),
        ("icon", actor.icon.as_ref().map(image)),
        ("image", actor.image.as_ref().map(image)),
        ("published", actor.published.map(|at| json!(at))),
    ] {
        if let Some(value) = value {
            put(name, value);
        }
    }
    for collection in ["inbox", "outbox", "followers", "following"] {
        put(collection, json!(format!("{id}/{collection}")));
    }
    put(
        "endpoints",
        json!({ "sharedInbox": federation.actor_id("inbox") }),
    );
    put(
        "manuallyApprovesFollowers",
        json!(actor.manually_approves_followers),
    );
    put("discoverable", json!(actor.discoverable));
    put(
        "publicKey",
        json!({
            "id": Federation::key_id(&id),
            "owner": id,
            "publicKeyPem": public_key_pem,
        }),
    );
    if let Some(key) = &actor.farm_key {
        put(
            "assertionMethod",
            json!([{
                "id": federation.farm_key_id(&actor.name),
                "type": "Multikey",
                "controller": id,
                "publicKeyMultibase": key,
            }]),
        );
    }
    Value::Object(document)
}

fn image(image: &Image) -> Value {
    let mut object = json!({ "type": "Image", "mediaType": image.media_type, "url": image.url });
    if let Some(alt) = &image.alt {
        object["name"] = json!(alt);
    }
    object
}
