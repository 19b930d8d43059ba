//! Who the self-test's servers say they are, and what they show.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use farmops_protocol::{integrity, snapshot as farm};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Fault, log,
    server::{Server, typed},
};
use crate::{
    http::ACTIVITY_JSON,
    probe::public_pem,
    session::now,
    sign::authority,
    target::{Kind, own_account},
};

#[derive(Deserialize)]
pub(super) struct Asked {
    resource: Option<String>,
}

pub(super) async fn webfinger(
    State(server): State<Server>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(resource) = asked.resource else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let account = resource.strip_prefix("acct:");
    let malformed = account.is_some_and(|a| !a.contains('@'))
        || (account.is_none() && !resource.contains("://"));
    if malformed {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let host = authority(&server.base);
    let own = own_account(&server.base);
    let (main, instance) = (server.actor_id("main"), server.actor_id("instance"));
    let is = |name: &str, url: &str| account == Some(name) || resource == url;
    let (mut subject, actor) = match &server.guest {
        Some((name, url)) if is(name, url) => (name.clone(), url.clone()),
        _ if resource == main && server.has(Fault::NoNameForActor) => {
            return StatusCode::NOT_FOUND.into_response();
        }
        _ if is(&server.account, &main) || resource == server.base.as_str() => {
            (server.account.clone(), main)
        }
        _ if is(&own, &instance) => (own, instance),
        _ if server.has(Fault::KnowsEveryone) => (server.account.clone(), main),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if server.has(Fault::HostsDisagree) && server.kind == Kind::Village {
        subject = format!("someone@{host}");
    }
    let media_type = if server.has(Fault::WebfingerAsText) {
        "text/plain"
    } else {
        "application/jrd+json"
    };
    let jrd = json!({
        "subject": format!("acct:{subject}"),
        "links": [{ "rel": "self", "type": ACTIVITY_JSON, "href": actor }],
    });
    typed(StatusCode::OK, media_type, &jrd)
}

pub(super) async fn nodeinfo_links(State(server): State<Server>) -> Response {
    let links = json!({ "links": [{
        "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
        "href": format!("{}about-this-node", server.base),
    }] });
    typed(StatusCode::OK, "application/json", &links)
}

pub(super) async fn nodeinfo(State(server): State<Server>) -> Response {
    let protocols = if server.has(Fault::NodeinfoSilent) {
        json!([])
    } else {
        json!(["activitypub"])
    };
    let info = json!({
        "version": "2.1",
        "software": { "name": "selftest", "version": "1" },
        "protocols": protocols,
    });
    typed(StatusCode::OK, "application/json", &info)
}

pub(super) async fn actor(State(server): State<Server>, Path(name): Path<String>) -> Response {
    if name == "instance" && server.has(Fault::InstanceHidden) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let kind = match (name.as_str(), server.kind) {
        ("instance", _) => "Application",
        ("main", Kind::Village) => "Group",
        ("main", _) => "Person",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let id = server.actor_id(&name);
    let elsewhere = "https://elsewhere.example/actor".to_owned();
    let owner = if server.has(Fault::KeyOfAnother) {
        &elsewhere
    } else {
        &id
    };
    let controller = if server.has(Fault::FarmKeyOfAnother) {
        &elsewhere
    } else {
        &id
    };
    let mut document = json!({
        "@context": farm::context(),
        "id": id,
        "type": kind,
        "preferredUsername": server.account.split('@').next(),
        "inbox": format!("{id}/mail"),
        "outbox": format!("{id}/outbox"),
        "followers": format!("{id}/followers"),
        "publicKey": {
            "id": format!("{id}#main-key"),
            "owner": owner,
            "publicKeyPem": public_pem(Server::rsa_key()),
        },
    });
    if kind == "Person" {
        document["assertionMethod"] = json!([{
            "id": format!("{id}#farm-key"),
            "type": "Multikey",
            "controller": controller,
            "publicKeyMultibase": Server::farm_key().public(),
        }]);
    }
    if server.has(Fault::InboxElsewhere) {
        document["endpoints"] = json!({ "sharedInbox": "https://elsewhere.example/inbox" });
    }
    if server.has(Fault::RemoteContext) {
        document["@context"] = json!([
            "https://www.w3.org/ns/activitystreams",
            format!("{id}/context")
        ]);
    }
    let media_type = if server.has(Fault::ActorAsJson) {
        "application/json"
    } else {
        ACTIVITY_JSON
    };
    typed(StatusCode::OK, media_type, &document)
}

pub(super) async fn front_page(State(server): State<Server>) -> String {
    let memory = server.memory();
    let members = memory
        .members
        .iter()
        .filter_map(|member| member.newest.as_ref());
    let farms = memory
        .shown
        .iter()
        .chain(members.map(|(_, coins)| coins))
        .map(|coins| format!("a farm with {coins} coins"));
    farms.collect::<Vec<_>>().join("\n")
}

pub(super) async fn snapshot(State(server): State<Server>) -> Response {
    if server.kind != Kind::Tracker {
        return StatusCode::NOT_FOUND.into_response();
    }
    match signed_snapshot(&server) {
        Some(document) => typed(StatusCode::OK, ACTIVITY_JSON, &document),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn signed_snapshot(server: &Server) -> Option<Value> {
    let (key, id) = (Server::farm_key(), server.actor_id("main"));
    let document = json!({
        "@context": farm::context(),
        "type": ["Note", "farm:FarmSnapshot"],
        "id": format!("{}snapshots/1", server.base),
        "attributedTo": id,
        "published": now(),
        "to": [], "cc": [], "url": server.base, "content": "", "attachment": [],
        "farm:farmerKey": key.public(),
        "farm:season": farm::season_of(now()),
        "farm:sequence": 1, "farm:totalCoins": 5, "farm:currentCoins": 5, "farm:streakDays": 1, "farm:level": 1,
        "farm:upgrades": [], "farm:categoryTotals": [], "farm:achievements": [],
        "farm:checkpoint": log::told(server)?,
    });
    let mut signed = integrity::sign(&document, &key, &format!("{id}#farm-key"), now()).ok()?;
    if server.has(Fault::PublishesChanged) {
        signed["farm:totalCoins"] = json!(6);
    }
    Some(signed)
}
