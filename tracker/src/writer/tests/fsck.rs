//! One changed byte anywhere is found, and named.

use farmops_protocol::{
    int::SafeUint,
    snapshot::{self, Post, Snapshot, season_of},
};

use super::*;
use crate::{
    audit::{Remedy, Report, fsck::fsck},
    publisher::heads,
    site::Site,
    store::{
        PROJECTIONS,
        tests::{changed, columns},
    },
};

pub(super) const FARM_KEY: [u8; 32] = [200; 32];

/// A farm with something in every table: proofs, a fork, someone who waits, and a published snapshot.
async fn lived_in(steps: i64) -> Farm {
    let farm = Farm::begin().await;
    farm.database.keep_secrets([FARM_KEY, SECRET]).await;
    super::replay::lively(&farm, steps).await;
    let mut waiting = TestAgent::new(7);
    farm.enrol(&waiting).await.unwrap();
    for _ in 0..2 {
        let proof = waiting.work(Category::Toil, friday());
        assert_eq!(
            standing(&farm.submit(proof.bytes()).await),
            Standing::Buffered
        );
    }
    settle_in(&farm).await;
    publish(&farm).await;
    farm
}

/// Something for each of the owner's own tables.
async fn settle_in(farm: &Farm) {
    super::owner::join_league(farm).await;
    let mut agent = farm.trusted(8).await;
    let proof = agent.work(Category::Incident, friday());
    farm.submit(proof.bytes()).await.unwrap();
    let (item, _) = super::owner::cheapest(&farm.view().await);
    farm.buy("first", &item).await.unwrap();
    super::composites::earn_one(farm, &mut agent).await;
    super::composites::begin_one(farm, &mut agent).await;
    super::owner::rest_on(farm, "2026-02-23").await.unwrap();
}

async fn publish(farm: &Farm) {
    let key = SecretKey::from_bytes(FARM_KEY);
    let url = "https://alice.example".parse().unwrap();
    let site = Site::new(url, farmops_federation::Reach::Public);
    let glimpse = farm.writer.glimpse(Vec::new()).await.unwrap();
    let view = glimpse.farm.unwrap();
    let signed = heads::sign(&site, &key, glimpse.head, friday());
    let figures = Snapshot {
        farmer_key: key.public(),
        season: season_of(friday()),
        sequence: SafeUint::from(1),
        total_coins: SafeUint::try_from(view.coins.earned).unwrap(),
        current_coins: SafeUint::ZERO,
        streak_days: SafeUint::ZERO,
        level: SafeUint::from(1),
        upgrades: Vec::new(),
        category_totals: Vec::new(),
        league_totals: Vec::new(),
        achievements: Vec::new(),
        checkpoint: signed.note.clone(),
    };
    let actor = site.actor().to_string();
    let post = Post {
        id: "https://alice.example/ap/snapshots/1".to_owned(),
        attributed_to: actor.clone(),
        published: friday(),
        to: vec!["https://www.w3.org/ns/activitystreams#Public".to_owned()],
        cc: Vec::new(),
        url: site.page().to_string(),
        content: "A farm.".to_owned(),
        attachment: Vec::new(),
    };
    let document = snapshot::sign(&post, &figures, &key, &format!("{actor}#farm-key")).unwrap();
    let outgoing = Outgoing {
        checkpoints: vec![signed],
        publication: Some(Publication {
            sequence: 1,
            object_id: post.id,
            ledger_position: glimpse.public_position,
            published_at: friday(),
            document: document.to_bytes(),
        }),
        ..Outgoing::default()
    };
    farm.writer.say(outgoing).await.unwrap();
}

pub(super) async fn checked(url: &str) -> Report {
    let reads = Database::frozen(url).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/fold.db", folder.path().display());
    let scratch = Database::open(&url).await.unwrap();
    let mut journal = scratch.journal().await.unwrap();
    fsck(
        &*reads,
        &mut Nowhere,
        (&mut *journal, &*scratch.reads()),
        &mut |_| (),
    )
    .await
    .unwrap()
}

/// What no table and no signature tells twice.
const UNTOLD: [(&str, &str); 2] = [("checkpoint", "signed_at"), ("proof_buffer", "received_at")];

#[tokio::test]
async fn a_changed_byte_is_found_in_every_table() {
    let farm = lived_in(12).await;
    let report = checked(&farm.url).await;
    assert_eq!(report.findings, []);
    assert!(report.heads == 2 && report.rows > 20, "{report:?}");

    let projections = PROJECTIONS.map(|projection| projection.table);
    let others = [
        "ledger",
        "checkpoint",
        "publication",
        "proof_buffer",
        "secret",
    ];
    let tables = [&projections[..], &others[..]].concat();
    let mut damaged = std::collections::BTreeSet::new();
    let whole = format!("{}/whole.db", farm.folder.path().display());
    Database::copy(&farm.url, std::path::Path::new(&whole))
        .await
        .unwrap();
    for (number, damage) in columns(&whole, &tables).await.into_iter().enumerate() {
        if UNTOLD.contains(&(damage.table, &damage.column)) {
            continue;
        }
        let path = format!("{}/damaged-{number}.db", farm.folder.path().display());
        changed(&farm.url, &path, &damage.sql()).await;
        let report = checked(&format!("sqlite://{path}")).await;
        let here = report.findings.iter().find(|f| f.table == damage.table);
        let remedy = if projections.contains(&damage.table) {
            Remedy::Rebuild
        } else {
            Remedy::Restore
        };
        // A secret that is another one shows in everything that was made with it.
        if (damage.table, damage.column.as_str()) == ("secret", "value") {
            assert_ne!(report.findings, [], "{damage:?}");
        } else {
            assert_eq!(
                here.map(|f| f.remedy),
                Some(remedy),
                "{damage:?}: {report:?}"
            );
        }
        // What follows from a damaged ledger is not to be made anew from it.
        if damage.table == "ledger" {
            assert!(report.findings.iter().all(|f| f.remedy == Remedy::Restore));
        }
        damaged.insert(damage.table);
        std::fs::remove_file(path).unwrap();
    }
    let empty: Vec<_> = tables.iter().filter(|t| !damaged.contains(*t)).collect();
    assert_eq!(
        empty,
        [&"agent_outage", &"tile"],
        "tables that were not tried"
    );
}

#[tokio::test]
async fn the_first_position_that_differs_is_named() {
    let farm = lived_in(130).await;
    let size = farm.writer.glimpse(Vec::new()).await.unwrap().head.size;
    assert!(size > 256, "a bundle is full");
    let text = "CAST(replace(CAST(body AS TEXT), '14 minutes', '15 minutes') AS BLOB)";
    let byte = "substr(body, 1, 34 * 99 + 2) || x'41' || substr(body, 34 * 99 + 4)";
    for (number, (sql, position, table, remedy)) in [
        (
            format!("UPDATE ledger SET body = {text} WHERE position = 100"),
            100,
            "ledger",
            Remedy::Restore,
        ),
        (
            "UPDATE ledger SET recorded_at = recorded_at + 1 WHERE position = 200".to_owned(),
            200,
            "ledger",
            Remedy::Restore,
        ),
        (
            "DELETE FROM ledger WHERE position = 50".to_owned(),
            50,
            "ledger",
            Remedy::Restore,
        ),
        (
            format!("DELETE FROM ledger WHERE position = {size}"),
            size,
            "ledger",
            Remedy::Restore,
        ),
        (
            format!("UPDATE tile SET body = CAST({byte} AS BLOB) WHERE level = -1"),
            100,
            "tile",
            Remedy::Rebuild,
        ),
        (
            "DELETE FROM tile WHERE level = -1".to_owned(),
            0,
            "tile",
            Remedy::Rebuild,
        ),
        (
            "DELETE FROM proof_chain WHERE position = 100".to_owned(),
            100,
            "proof_chain",
            Remedy::Rebuild,
        ),
        (
            "DELETE FROM category_stats WHERE category = 'toil'".to_owned(),
            0,
            "category_stats",
            Remedy::Rebuild,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("{}/damaged-{number}.db", farm.folder.path().display());
        changed(&farm.url, &path, &sql).await;
        let report = checked(&format!("sqlite://{path}")).await;
        let first = &report.findings[0];
        let named = (first.position, first.table, first.remedy);
        assert_eq!(named, (position, table, remedy), "{sql}: {report:?}");
        assert!(report.findings.iter().all(|f| f.remedy == remedy), "{sql}");
    }
}

#[tokio::test]
async fn a_ledger_that_is_not_the_signed_one_is_not_folded_again() {
    let farm = lived_in(12).await;
    let size = farm.writer.glimpse(Vec::new()).await.unwrap().head.size;
    let text = "CAST(replace(CAST(body AS TEXT), '14 minutes', '15 minutes') AS BLOB)";
    for (number, (sql, expected)) in [
        (
            format!("UPDATE ledger SET body = {text} WHERE position = 20"),
            format!("the head of {size} entries is none of this log's"),
        ),
        (
            format!("DELETE FROM ledger WHERE position = {size}"),
            format!("the head of {size} entries is none of this log's"),
        ),
        (
            "DELETE FROM ledger WHERE position = 20".to_owned(),
            "the ledger has no entry 20".to_owned(),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("{}/damaged-{number}.db", farm.folder.path().display());
        changed(&farm.url, &path, &sql).await;
        let database = Database::open(&format!("sqlite://{path}")).await.unwrap();
        let before = database.dump_projections().await;
        let mut journal = database.journal().await.unwrap();
        let rebuilt = journal
            .rebuild(&SaltSource::new(SECRET), &mut Nowhere, &mut |_| ())
            .await;
        assert_eq!(rebuilt.unwrap_err().to_string(), expected, "{sql}");
        assert_eq!(before, database.dump_projections().await);
    }
    // What follows from a sound ledger is mended.
    let path = format!("{}/mended.db", farm.folder.path().display());
    let sql = "DELETE FROM proof_chain WHERE position = 15";
    changed(&farm.url, &path, sql).await;
    assert_eq!(checked(&format!("sqlite://{path}")).await.findings.len(), 1);
    let database = Database::open(&format!("sqlite://{path}")).await.unwrap();
    let mut journal = database.journal().await.unwrap();
    let salts = SaltSource::new(SECRET);
    journal
        .rebuild(&salts, &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(checked(&format!("sqlite://{path}")).await.findings, []);
}
