//! A tracker as a village sees it: a farmer's actor with a farm key, her signed snapshots, and
//! nothing behind them.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use farmops_federation::{
    Account, ActorKind, Audience, Deletion, Federation, FollowChange, FollowDecision,
    FollowRequest, FollowersVisibility, Host, HostError, LocalActor, Reach, ReceivedSnapshot,
    Resource, Settings, Software, Subject, Timestamp, Usage, system_clock,
};
use farmops_protocol::{
    departure::DepartureRequest,
    digest::Digest,
    int::SafeUint,
    key::SecretKey,
    proof::Category,
    registration::{Applicant, RegistrationRequest},
    snapshot::{self, CategoryTotal, LeagueTotal, Post, Snapshot, UpgradeLevel, VerifiedSnapshot},
};
use farmops_service::server::{self, Limits};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::world::{Answer, TestVillage, client, listener};

/// A tracker that runs until it is dropped.
pub(crate) struct TestTracker {
    pub(crate) url: String,
    pub(crate) key: SecretKey,
    pub(crate) federation: Federation,
    pub(crate) database: PathBuf,
    face: Arc<Face>,
    _directory: TempDir,
    _stop: DropGuard,
}

/// What the engine asks of a tracker.
pub(crate) struct Face {
    url: url::Url,
    key: farmops_protocol::key::PublicKey,
    handle: String,
    name: Mutex<String>,
    account: Mutex<Account>,
}

#[async_trait]
impl Host for Face {
    async fn actor(&self, name: &str) -> Result<Option<LocalActor>, HostError> {
        Ok((name == "actor").then(|| LocalActor {
            name: "actor".to_owned(),
            kind: ActorKind::Person,
            account: self.account.lock().unwrap().clone(),
            display_name: self.name.lock().unwrap().clone(),
            summary: None,
            page: Some(self.url.clone()),
            icon: None,
            image: None,
            farm_key: Some(self.key),
            published: None,
            manually_approves_followers: false,
            discoverable: true,
            followers_visibility: FollowersVisibility::Public,
        }))
    }

    async fn webfinger(&self, resource: &Resource) -> Result<Option<Subject>, HostError> {
        let account = self.account.lock().unwrap().clone();
        let hers = match resource {
            Resource::Account(asked) => asked.name() == self.handle,
            Resource::Url(url) => url.path() == "/ap/actor",
        };
        let actor = self.url.join("/ap/actor")?;
        Ok(hers.then_some(Subject {
            account,
            actor,
            page: None,
        }))
    }

    async fn decide_follow(&self, _: &FollowRequest) -> Result<FollowDecision, HostError> {
        Ok(FollowDecision::Accept)
    }

    async fn follow_changed(&self, _: &FollowChange) -> Result<(), HostError> {
        Ok(())
    }

    async fn snapshot_received(&self, _: ReceivedSnapshot) -> Result<(), HostError> {
        Ok(())
    }

    async fn deleted(&self, _: &Deletion) -> Result<(), HostError> {
        Ok(())
    }

    async fn usage(&self) -> Result<Usage, HostError> {
        Ok(Usage::default())
    }
}

/// What a snapshot shows, as far as the tests care.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) sequence: u32,
    pub(crate) coins: u32,
    pub(crate) streak: u32,
    pub(crate) level: u32,
    pub(crate) security: u32,
    pub(crate) season: &'static str,
    /// A league by these rules.
    pub(crate) league: Option<(&'static str, Digest)>,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            sequence: 1,
            coins: 100,
            streak: 3,
            level: 2,
            security: 40,
            season: "2026-Q4",
            league: None,
        }
    }
}

impl TestTracker {
    pub(crate) async fn start(handle: &str, seed: u8) -> Self {
        let (listener, url) = listener(&format!("{handle}-farm")).await;
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("tracker.db");
        let memory = crate::store::open(&database).await;
        let key = SecretKey::from_bytes([seed; 32]);
        let host = url.strip_prefix("http://").unwrap();
        let account = Account::parse(&format!("{handle}@{host}"), Reach::Loopback).unwrap();
        let face = Arc::new(Face {
            url: url.parse().unwrap(),
            key: key.public(),
            handle: handle.to_owned(),
            name: Mutex::new(format!("{handle}'s farm")),
            account: Mutex::new(account),
        });
        let federation = Federation::open(
            Settings {
                public_url: url.parse().unwrap(),
                reach: Reach::Loopback,
                software: Software {
                    name: "test-tracker".to_owned(),
                    version: "1".to_owned(),
                    repository: url.parse().unwrap(),
                },
                clock: system_clock(),
            },
            client(),
            Arc::new(memory.federation()),
            face.clone(),
        )
        .await
        .unwrap();
        let stop = CancellationToken::new();
        let router = server::harden(federation.router(), &Limits::default());
        tokio::spawn(server::serve(
            listener,
            router,
            Limits::default(),
            stop.clone(),
        ));
        tokio::spawn({
            let (federation, stop) = (federation.clone(), stop.clone());
            async move { federation.run(stop).await }
        });
        Self {
            url,
            key,
            federation,
            database,
            face,
            _directory: directory,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn actor(&self) -> String {
        format!("{}/ap/actor", self.url)
    }

    pub(crate) fn rename(&self, name: &str) {
        name.clone_into(&mut self.face.name.lock().unwrap());
    }

    /// Her tracker learns that her handle lives at `village` from now on.
    pub(crate) fn settle_at(&self, village: &TestVillage) {
        let account = format!("{}@{}", self.face.handle, village.host());
        *self.face.account.lock().unwrap() = Account::parse(&account, Reach::Loopback).unwrap();
    }

    pub(crate) fn handle_at(&self, village: &TestVillage) -> String {
        format!("@{}@{}", self.face.handle, village.host())
    }

    /// The signed request to join `village`.
    pub(crate) fn request(&self, village: &impl Place, invite: Option<&str>) -> Vec<u8> {
        self.request_at(village, invite, now())
    }

    pub(crate) fn request_at(
        &self,
        village: &impl Place,
        invite: Option<&str>,
        at: Timestamp,
    ) -> Vec<u8> {
        let name = self.face.name.lock().unwrap().clone();
        let applicant = Applicant {
            actor: &self.actor(),
            display_name: &name,
            handle: &self.face.handle,
            invite,
            tracker_url: &self.url,
            village_url: village.url(),
        };
        RegistrationRequest::sign(applicant, &self.key, at).unwrap()
    }

    /// Joins and settles; the answer must be 201.
    pub(crate) async fn join(&self, village: &TestVillage) -> String {
        let answer = village
            .post_bytes(REGISTER, self.request(village, None))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.settle_at(village);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn leave(&self, village: &TestVillage, id: &str) -> Answer {
        let request =
            DepartureRequest::sign(&self.actor(), &village.url, &self.key, now()).unwrap();
        village
            .delete_with(&format!("/api/v1/farmers/{id}"), request)
            .await
    }

    /// A snapshot signed with her key.
    pub(crate) fn snapshot(&self, shown: Shown) -> VerifiedSnapshot {
        self.snapshot_by(&self.key, shown)
    }

    /// A snapshot in her name, signed with any key.
    pub(crate) fn snapshot_by(&self, key: &SecretKey, shown: Shown) -> VerifiedSnapshot {
        let number = SafeUint::from;
        let post = Post {
            id: format!("{}/ap/snapshots/{}", self.url, shown.sequence),
            attributed_to: self.actor(),
            published: now(),
            to: vec!["https://www.w3.org/ns/activitystreams#Public".to_owned()],
            cc: vec![format!("{}/followers", self.actor())],
            url: self.url.clone(),
            content: "<p>My farm</p>".to_owned(),
            attachment: Vec::new(),
        };
        let total = |category, proofs, coins| CategoryTotal {
            category,
            proofs: number(proofs),
            coins: number(coins),
        };
        let snapshot = Snapshot {
            farmer_key: key.public(),
            season: shown.season.to_owned(),
            sequence: number(shown.sequence),
            total_coins: number(shown.coins),
            current_coins: number(shown.coins / 2),
            streak_days: number(shown.streak),
            level: number(shown.level),
            upgrades: vec![UpgradeLevel {
                slug: "barn".to_owned(),
                level: number(1),
            }],
            league_totals: shown.league.map_or_else(Vec::new, |(league, rules)| {
                vec![LeagueTotal {
                    league: league.to_owned(),
                    rules,
                    coins: number(77),
                }]
            }),
            category_totals: vec![
                total(Category::Security, 2, shown.security),
                total(
                    Category::Incident,
                    1,
                    shown.coins.saturating_sub(shown.security),
                ),
            ],
            achievements: vec!["first-proof".to_owned()],
            checkpoint: "note".to_owned(),
        };
        snapshot::sign(&post, &snapshot, key, &self.federation.farm_key_id("actor")).unwrap()
    }

    /// Sends a snapshot to every village that follows her.
    pub(crate) async fn publish(&self, shown: Shown) {
        let snapshot = self.snapshot(shown);
        let key = format!(
            "create-{}",
            farmops_protocol::digest::sha256(&snapshot.to_bytes())
        );
        let post = self
            .federation
            .create("actor", &key, snapshot.value(), Audience::Villages)
            .unwrap();
        self.federation.publish(&post).await.unwrap();
    }

    /// Waits until `village` follows her.
    pub(crate) async fn followed_by(&self, village: &TestVillage) {
        use farmops_federation::RelationState::Accepted;
        let group = format!("{}/ap/village", village.url);
        crate::world::eventually("the village follows the farmer", async || {
            let followers = self
                .federation
                .followers("actor", Some(Accepted), None, 10)
                .await
                .unwrap();
            followers
                .iter()
                .any(|relation| relation.remote.as_str() == group)
                .then_some(())
        })
        .await;
        // And until the village knows it.
        crate::world::eventually("the village knows that it follows", async || {
            let federation = village.village.federation();
            let following = federation
                .following("village", Some(Accepted), None, 10)
                .await
                .unwrap();
            following
                .iter()
                .any(|relation| relation.remote.as_str() == self.actor())
                .then_some(())
        })
        .await;
    }
}

/// Something with a village's address.
pub(crate) trait Place {
    fn url(&self) -> &str;
}

impl Place for TestVillage {
    fn url(&self) -> &str {
        &self.url
    }
}

pub(crate) const REGISTER: &str = "/api/v1/farmers/register";

pub(crate) fn now() -> Timestamp {
    system_clock()()
}
