//! The rules of leagues, as a member's tracker asks for them.

use std::path::PathBuf;

use farmops_protocol::{
    digest::sha256,
    league::{League, LeagueList},
    scoring::RuleSet,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    tracker::{Shown, TestTracker},
    world::{TestVillage, eventually},
};

/// A file with the league of this slug, by the usual rules.
pub(crate) fn file(folder: &TempDir, slug: &str, name: &str) -> PathBuf {
    let league = json!({ "league": slug, "name": name, "rules": RuleSet::default() });
    let file = folder.path().join(slug);
    std::fs::write(&file, format!("{league:#}")).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_may_read_the_rules_and_is_told_when_they_have_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        file(&folder, "harvest", "Harvest league"),
        file(&folder, "autumn", "Autumn <b>league</b>"),
    ];
    let orchard = TestVillage::with("Orchard", json!({ "leagues": files })).await;
    let listed = orchard.get("/api/v1/leagues").await;
    assert_eq!(listed.headers["content-type"], "application/json");
    let list = LeagueList::parse(listed.text.as_bytes()).unwrap();
    let slugs: Vec<_> = list.items.iter().map(|item| &*item.league).collect();
    assert_eq!(slugs, ["autumn", "harvest"]);
    for item in &list.items {
        let path = format!("/api/v1/leagues/{}", item.league);
        let served = orchard.get(&path).await;
        let league = League::parse(served.text.as_bytes()).unwrap();
        assert_eq!(&league.listed(), item);
        let tag = served.headers["etag"].to_str().unwrap();
        let known = orchard.get_with(&path, "if-none-match", tag).await;
        assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    }
    let absent = orchard.get("/api/v1/leagues/spring").await;
    absent.problem(404);
    let about = orchard.get("/about").await.text;
    assert!(about.contains("farmops-tracker leagues offers"), "{about}");
    assert!(about.contains("Autumn &#60;b&#62;league"), "{about}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_without_leagues_says_so() {
    let orchard = TestVillage::start("Orchard").await;
    let listed = orchard.get("/api/v1/leagues").await;
    assert_eq!(listed.json(), json!({ "items": [] }));
    let about = orchard.get("/about").await.text;
    assert!(!about.contains("<h2>Leagues</h2>"), "{about}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_league_brought_is_shown_with_whether_the_rules_are_the_villages() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder, "harvest", "Harvest <i>league</i>");
    let orchard = TestVillage::with("Orchard", json!({ "leagues": [file] })).await;
    let alice = TestTracker::start("alice", 1).await;
    alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    let ours = RuleSet::default().digest();
    for (sequence, league, said) in [
        (
            1,
            ("harvest", ours),
            "Harvest &#60;i&#62;league&#60;/i&#62;: 77 coins by its own rules",
        ),
        (
            2,
            ("harvest", sha256(b"others")),
            "harvest: 77 coins, by other rules than this village has for it",
        ),
        (3, ("spring", ours), "spring: 77 coins by its own rules"),
    ] {
        let league = Some(league);
        alice
            .publish(Shown {
                sequence,
                league,
                ..Shown::default()
            })
            .await;
        eventually(said, async || {
            let page = orchard.get("/farmers/@alice").await.text;
            page.contains(said).then_some(())
        })
        .await;
    }
}
