//! What the world is told: signed snapshots in an unbroken sequence, to be checked by anyone.

use std::time::Duration;

use farmops_protocol::{
    checkpoint::Checkpoint,
    key::PublicKey,
    proof::Category,
    snapshot::{SnapshotDocument, VerifiedSnapshot},
};
use reqwest::Method;

use crate::server::{Tracker, config, now};

async fn latest(tracker: &Tracker) -> Option<VerifiedSnapshot> {
    let answer = tracker
        .anyone(Method::GET, "/api/v1/public/snapshot")
        .send()
        .await
        .unwrap();
    if !answer.status().is_success() {
        return None;
    }
    let bytes = answer.bytes().await.unwrap();
    let document = SnapshotDocument::parse(&bytes).unwrap();
    let profile = tracker
        .anyone(Method::GET, "/api/v1/public/profile")
        .send()
        .await
        .unwrap();
    let profile: serde_json::Value = profile.json().await.unwrap();
    let key: PublicKey = profile["farmer_key"].as_str().unwrap().parse().unwrap();
    Some(document.verify(&key).unwrap())
}

/// Asks until a snapshot shows that many coins.
pub(crate) async fn with_coins(tracker: &Tracker, coins: u64) -> VerifiedSnapshot {
    for _ in 0..1200 {
        if let Some(snapshot) = latest(tracker).await
            && snapshot.snapshot().total_coins.value() == coins
        {
            return snapshot;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no snapshot with {coins} coins");
}

#[tokio::test]
async fn a_league_is_told_apart_from_the_farm() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let rules = tracker.get("/api/v1/rules").await;
    let joining = serde_json::json!({ "name": "Harvest", "rules": rules["rules"] });
    let request = tracker.owner(reqwest::Method::PUT, "/api/v1/leagues/harvest");
    let joined = request.json(&joining).send().await.unwrap();
    assert!(joined.status().is_success());
    let proof = agent.work(Category::Incident, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let document = with_coins(&tracker, 46).await;
    let league = &document.snapshot().league_totals[0];
    assert_eq!(
        (league.league.as_str(), league.coins.value()),
        ("harvest", 46)
    );
    assert_eq!(rules["digest"], league.rules.to_string());
}

#[tokio::test]
async fn snapshots_follow_the_farm_and_verify() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let before = with_coins(&tracker, 0).await;
    let proof = agent.work(Category::Incident, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let after = with_coins(&tracker, 46).await;
    let snapshot = after.snapshot();
    assert!(snapshot.sequence > before.snapshot().sequence);
    assert_eq!(snapshot.achievements, ["first-seed"]);
    assert_eq!(snapshot.category_totals[0].proofs.value(), 1);
    let checkpoint = Checkpoint::verify(&snapshot.checkpoint, &snapshot.farmer_key).unwrap();
    assert_eq!(
        checkpoint.size,
        tracker.get("/api/v1/farm").await["ledger_size"]
            .as_u64()
            .unwrap()
    );
    let id = after
        .post()
        .id
        .strip_prefix("http://alice.localhost:8443")
        .unwrap();
    let object = tracker
        .anyone(Method::GET, id)
        .header("accept", "application/activity+json");
    let object: serde_json::Value = object.send().await.unwrap().json().await.unwrap();
    assert_eq!(object["proof"], after.value()["proof"]);
    let tracker = tracker.restart().await;
    let again = with_coins(&tracker, 46).await;
    assert_eq!(
        again.snapshot().sequence,
        snapshot.sequence,
        "a restart says nothing new"
    );
}

/// What the outbox shows, the last one first: the activity's kind and the end of its id.
async fn outbox(tracker: &Tracker) -> Vec<(String, String)> {
    let answer = tracker
        .anyone(Method::GET, "/ap/actor/outbox?page=true")
        .send()
        .await
        .unwrap();
    let page: serde_json::Value = answer.json().await.unwrap();
    let items = page["orderedItems"].as_array().unwrap().iter();
    items
        .map(|item| {
            let id = item["id"].as_str().unwrap().rsplit('/').next().unwrap();
            (item["type"].as_str().unwrap().to_owned(), id.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn people_get_one_card_a_week_and_each_milestone_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.publish.card_update_seconds = 0;
    let tracker = Tracker::configured(folder, config).await;
    let mut agent = tracker.trusted(1).await;
    // Said before there is work: three snapshots in all.
    with_coins(&tracker, 0).await;
    let at = now();
    for coins in [46, 92] {
        let proof = agent.work(Category::Incident, at);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        with_coins(&tracker, coins).await;
    }
    let said = outbox(&tracker).await;
    let of = |kind: &str, prefix: &str| {
        said.iter()
            .filter(|(k, id)| k == kind && id.starts_with(prefix))
            .count()
    };
    assert_eq!(of("Create", "snapshot-"), 3, "{said:?}");
    assert_eq!(
        (of("Create", "card-"), of("Update", "card-")),
        (1, 1),
        "{said:?}"
    );
    // The first badge; the second proof brings none.
    assert_eq!(of("Create", "milestone-"), 1, "{said:?}");
    let card = said.iter().find(|(_, id)| id.starts_with("card-")).unwrap();
    let key = card.1.rsplit_once("-r").unwrap().0;
    let path = format!("/ap/notes/{key}");
    let note = tracker
        .anyone(Method::GET, &path)
        .header("accept", "application/activity+json");
    let note: serde_json::Value = note.send().await.unwrap().json().await.unwrap();
    assert_eq!(note["type"], "Note");
    assert!(note["content"].as_str().unwrap().contains("92 coins"));
    assert!(note["updated"].is_string());
}
