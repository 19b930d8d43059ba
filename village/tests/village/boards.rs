//! Boards: order, ties, cursors, and the property that a board is nothing but the newest
//! snapshots, sorted.

use std::collections::BTreeMap;

use farmops_federation::{Account, Audience, Reach, Timestamp};
use farmops_protocol::{
    int::SafeUint,
    key::SecretKey,
    proof::Category,
    snapshot::{self, CategoryTotal, Post, Snapshot, VerifiedSnapshot},
};
use farmops_village::{
    board::{Board, Scope, Sort},
    farmer::{Farmer, FarmerId, Membership},
    store::{Arrival, Kept, Saved, Store},
};
use proptest::prelude::*;

use crate::world::TestVillage;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes([n + 1; 32])
}

fn farmer(n: u8) -> Farmer {
    Farmer {
        id: FarmerId::fresh(),
        actor: format!("https://farm{n}.example/ap/actor").parse().unwrap(),
        account: Account::parse(&format!("farmer{n}@orchard.example"), Reach::Public).unwrap(),
        display_name: format!("Farm {n}"),
        tracker_url: format!("https://farm{n}.example"),
        farmer_key: key(n).public(),
        page: None,
        membership: Some(Membership::Active),
        following: None,
        registered_at: at(0),
        asked_at: None,
        last_sync_at: None,
    }
}

#[derive(Debug, Clone, Copy)]
struct Step {
    farmer: u8,
    sequence: u32,
    coins: u32,
    streak: u32,
    level: u32,
    toil: u32,
    second_season: bool,
}

fn snapshot_of(step: Step) -> VerifiedSnapshot {
    let actor = format!("https://farm{}.example/ap/actor", step.farmer);
    let post = Post {
        id: format!(
            "https://farm{}.example/ap/snapshots/{}",
            step.farmer, step.sequence
        ),
        attributed_to: actor.clone(),
        published: at(i64::from(step.sequence)),
        to: Vec::new(),
        cc: Vec::new(),
        url: actor.clone(),
        content: String::new(),
        attachment: Vec::new(),
    };
    let n = SafeUint::from;
    let snapshot = Snapshot {
        farmer_key: key(step.farmer).public(),
        season: if step.second_season {
            "2026-Q4"
        } else {
            "2026-Q3"
        }
        .to_owned(),
        sequence: n(step.sequence),
        total_coins: n(step.coins),
        current_coins: n(0),
        streak_days: n(step.streak),
        level: n(step.level),
        upgrades: Vec::new(),
        league_totals: Vec::new(),
        category_totals: vec![CategoryTotal {
            category: Category::Toil,
            proofs: n(1),
            coins: n(step.toil),
        }],
        achievements: Vec::new(),
        checkpoint: String::new(),
    };
    snapshot::sign(
        &post,
        &snapshot,
        &key(step.farmer),
        &format!("{actor}#farm-key"),
    )
    .unwrap()
}

fn announcement(step: Step) -> farmops_federation::Post {
    let url: url::Url = format!("https://orchard.example/{}/{}", step.farmer, step.sequence)
        .parse()
        .unwrap();
    farmops_federation::Post {
        id: url.clone(),
        actor: url.clone(),
        object: url,
        audience: Audience::Villages,
        listed: false,
        body: "{}".to_owned(),
        published: at(0),
    }
}

/// The board as its definition says: the newest snapshot of each farmer (of the season), sorted
/// by value, then coins, then handle.
fn naive(taken: &[Step], sort: Sort, season: Option<bool>) -> Vec<(String, u64)> {
    let mut newest: BTreeMap<u8, Step> = BTreeMap::new();
    for step in taken {
        if season.is_none_or(|second| second == step.second_season) {
            let known = newest.entry(step.farmer).or_insert(*step);
            if step.sequence > known.sequence {
                *known = *step;
            }
        }
    }
    let value = |step: &Step| {
        u64::from(match sort {
            Sort::Coins => step.coins,
            Sort::Streak => step.streak,
            Sort::Level => step.level,
            Sort::Category(Category::Toil) => step.toil,
            Sort::Category(_) => 0,
        })
    };
    let mut lines: Vec<Step> = newest.into_values().collect();
    lines.sort_by_key(|step| {
        (
            std::cmp::Reverse((value(step), step.coins)),
            format!("farmer{}", step.farmer),
        )
    });
    lines
        .iter()
        .map(|step| {
            (
                format!("@farmer{}@orchard.example", step.farmer),
                value(step),
            )
        })
        .collect()
}

const SORTS: [Sort; 5] = [
    Sort::Coins,
    Sort::Streak,
    Sort::Level,
    Sort::Category(Category::Toil),
    Sort::Category(Category::Security),
];

fn a_step() -> impl Strategy<Value = Step> {
    (
        0_u8..6,
        1_u32..20,
        0_u32..8,
        0_u32..4,
        1_u32..4,
        0_u32..4,
        any::<bool>(),
    )
        .prop_map(
            |(farmer, sequence, coins, streak, level, toil, second_season)| Step {
                farmer,
                sequence,
                coins,
                streak,
                level,
                toil,
                second_season,
            },
        )
}

async fn check(steps: Vec<Step>) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("v.db").display());
    let store = Store::open(&url).await.unwrap();
    let farmers: Vec<Farmer> = (0..6).map(farmer).collect();
    for farmer in &farmers {
        assert_eq!(
            store.save_farmer(farmer, None, at(0)).await.unwrap(),
            Saved::Yes
        );
    }
    let mut taken: Vec<Step> = Vec::new();
    for step in steps {
        let snapshot = snapshot_of(step);
        let newest = taken
            .iter()
            .filter(|t| t.farmer == step.farmer)
            .map(|t| t.sequence)
            .max();
        let arrival = Arrival {
            farmer: &farmers[usize::from(step.farmer)],
            relayed_by: None,
            snapshot: &snapshot,
            announcement: &announcement(step),
        };
        let kept = store.take_snapshot(&arrival, at(1)).await.unwrap();
        if newest.is_none_or(|newest| newest < step.sequence) {
            assert_eq!(kept, Kept::New);
            taken.push(step);
        } else {
            assert_eq!(kept, Kept::NotNewer);
        }
    }
    for sort in SORTS {
        for season in [None, Some(false), Some(true)] {
            let name = season.map(|second| if second { "2026-Q4" } else { "2026-Q3" }.to_owned());
            let board = Board {
                scope: Scope::Local,
                sort,
                season: name,
            };
            assert_eq!(
                paged(&store, &board).await,
                naive(&taken, sort, season),
                "{board:?}"
            );
        }
    }
    store.close().await;
}

/// The whole board, two lines at a time.
async fn paged(store: &Store, board: &Board) -> Vec<(String, u64)> {
    let mut lines = Vec::new();
    let mut ranks: Vec<(u64, u64)> = Vec::new();
    let mut after = None;
    loop {
        let page = store.board(board, after.as_ref(), 2).await.unwrap();
        for entry in &page {
            lines.push((entry.account.to_handle(), entry.value));
            ranks.push((entry.rank, entry.value));
        }
        match page.last() {
            Some(last) => after = Some(farmops_village::board::BoardCursor::after(board, last)),
            None => break,
        }
    }
    for (rank, value) in &ranks {
        let better = ranks.iter().filter(|(_, other)| other > value).count() as u64;
        assert_eq!(*rank, better + 1, "equals share a rank: {ranks:?}");
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn a_board_is_the_newest_snapshots_sorted(steps in prop::collection::vec(a_step(), 0..40)) {
        tokio::runtime::Runtime::new().unwrap().block_on(check(steps));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_api_follow_one_another() {
    let orchard = TestVillage::start("Orchard").await;
    let store = orchard.village.store();
    for n in 0..5 {
        let mut farmer = farmer(n);
        let account = format!("farmer{n}@{}", orchard.host());
        farmer.account = Account::parse(&account, Reach::Loopback).unwrap();
        store.save_farmer(&farmer, None, at(0)).await.unwrap();
        let step = Step {
            farmer: n,
            sequence: 1,
            coins: u32::from(n / 2),
            streak: 0,
            level: 1,
            toil: 0,
            second_season: true,
        };
        let snapshot = snapshot_of(step);
        let announcement = announcement(step);
        let arrival = Arrival {
            farmer: &farmer,
            relayed_by: None,
            snapshot: &snapshot,
            announcement: &announcement,
        };
        store.take_snapshot(&arrival, at(1)).await.unwrap();
    }
    let mut path = "/api/v1/leaderboard?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = orchard.get(&path).await;
        for line in answer.json()["items"].as_array().unwrap() {
            seen.push((
                line["rank"].as_u64().unwrap(),
                line["value"].as_u64().unwrap(),
            ));
        }
        let Some(link) = answer.headers.get("link") else {
            break;
        };
        let link = link.to_str().unwrap();
        assert!(link.ends_with("; rel=\"next\""), "{link}");
        let url = &link[1..link.find('>').unwrap()];
        url.strip_prefix(&orchard.url)
            .unwrap()
            .clone_into(&mut path);
    }
    assert_eq!(seen, [(1, 2), (2, 1), (2, 1), (4, 0), (4, 0)]);

    for (query, field) in [
        ("sort=luck", "sort"),
        ("sort=category:none", "sort"),
        ("scope=world", "scope"),
        ("season=last", "season"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=00", "cursor"),
        ("cursor=%00%ff", "cursor"),
    ] {
        let answer = orchard.get(&format!("/api/v1/leaderboard?{query}")).await;
        assert_eq!(answer.problem(400), field, "{query}: {}", answer.text);
    }
    let answer = orchard.get("/api/v1/leaderboard").await;
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let again = orchard
        .get_with("/api/v1/leaderboard", "if-none-match", &tag)
        .await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
}
