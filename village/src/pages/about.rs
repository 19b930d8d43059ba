//! `/about`: the village, how to join it, and whom it federates with.

use askama::Template;
use axum::{extract::State, response::Response};
use farmops_federation::PeerState;
use farmops_protocol::league::ListedLeague;

use super::{
    PageError, render,
    text::{day, grouped},
    view::{Shell, tagline},
};
use crate::{http::failed, roster::Registration, village::Village};

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    shell: Shell,
    tagline: String,
    url: String,
    members: String,
    known: String,
    founded: String,
    founded_text: String,
    join_text: &'static str,
    join_command: String,
    leagues: Vec<ListedLeague>,
    leagues_command: String,
    peers: Vec<Peer>,
}

struct Peer {
    name: String,
    host: String,
    href: Option<String>,
    status: &'static str,
}

pub(super) async fn show(State(village): State<Village>) -> Result<Response, PageError> {
    let inside = |error| village.page_error(failed(error));
    let counts = village
        .store()
        .counts(village.now())
        .await
        .map_err(inside)?;
    let peers = village.store().peers().await.map_err(inside)?;
    let join_text = match village.registration() {
        Registration::Open => "Everyone with a tracker is welcome:",
        Registration::Invite => "Ask a member for an invite, then:",
        Registration::Approval => {
            "Ask to join; the village's people will look at it. An invite lets you in at once:"
        }
    };
    let founded = village.record().created_at;
    let page = AboutPage {
        shell: Shell::live(&village, "about"),
        tagline: tagline(&village),
        url: village.url(),
        members: grouped(counts.members),
        known: grouped(counts.known),
        founded: founded.to_string(),
        founded_text: day(founded),
        join_text,
        join_command: join_command(&village),
        leagues: village.leagues().list().items,
        leagues_command: format!("farmops-tracker leagues offers {}", village.url()),
        peers: peers
            .into_iter()
            // Whom the village does not talk to is its people's business.
            .filter(|peer| peer.status != PeerState::Blocked)
            .map(|peer| Peer {
                href: Some(peer.remote_url)
                    .filter(|url| url.starts_with("https://") || url.starts_with("http://")),
                name: peer.remote_name,
                host: peer.host,
                status: peer.status.as_str(),
            })
            .collect(),
    };
    Ok(render(&page))
}

/// What a newcomer types.
pub(super) fn join_command(village: &Village) -> String {
    let invite = if village.registration() == Registration::Invite {
        " --invite CODE"
    } else {
        ""
    };
    format!("farmops-tracker join {}{invite}", village.url())
}
