//! The cast: Alice's farm, Orchard and Harbour villages, each a whole server.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::Router;
use farmops_federation::{
    Account, ActorKind, Clock, Deletion, Federation, FollowChange, FollowDecision, FollowRequest,
    FollowersVisibility, Host, HostError, LocalActor, PublicKey, Reach, ReceivedNote,
    ReceivedSnapshot, RelationState, Resource, Settings, Software, Subject, Timestamp, Usage, Via,
    actor::ActorKeys, store::KeyStore, system_clock,
};
use farmops_protocol::{int::SafeUint, key::SecretKey, snapshot};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Database, Pool, Store};

/// Longer than anything here takes; reached only by a failing test.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// RSA keys are slow to make; each name gets one for the whole run.
pub fn keys(name: &str) -> ActorKeys {
    static KEYS: LazyLock<Mutex<HashMap<String, ActorKeys>>> = LazyLock::new(Mutex::default);
    let mut keys = KEYS.lock().unwrap();
    let fresh = || ActorKeys::generate(&mut rsa_rng()).unwrap();
    keys.entry(name.to_owned()).or_insert_with(fresh).clone()
}

fn rsa_rng() -> farmops_federation::actor::OsRng {
    farmops_federation::actor::OsRng
}

/// A client that finds every `*.localhost` on the loopback interface.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .user_agent("FarmOps/test")
        .dns_resolver(Arc::new(Localhost))
        .build()
        .unwrap()
}

struct Localhost;

impl Resolve for Localhost {
    fn resolve(&self, name: Name) -> Resolving {
        let ours = name.as_str().trim_end_matches('.').ends_with(".localhost");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Box::pin(async move {
            let found: Addrs = Box::new(ours.then_some(address).into_iter());
            Ok(found)
        })
    }
}

/// The system's clock, which a test may push forward.
#[derive(Clone, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let (system, ahead) = (system_clock(), self.0.clone());
        Arc::new(move || system().saturating_add(ahead.load(Ordering::SeqCst)))
    }
}

/// What a host was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Follow {
        remote: Url,
        direction: &'static str,
        state: Option<RelationState>,
    },
    Snapshot {
        bytes: Vec<u8>,
        sequence: u64,
        author: Url,
        via: Via,
    },
    Note {
        id: Url,
        update: bool,
    },
    Changed(Url),
    Deleted(Deletion),
}

/// A service that has one actor and remembers what it was told.
pub struct TestHost {
    pub actors: Mutex<Vec<LocalActor>>,
    pub subjects: Mutex<Vec<Subject>>,
    pub decision: Mutex<FollowDecision>,
    pub objects: Mutex<HashMap<Url, Value>>,
    pub failures: Mutex<u32>,
    told: watch::Sender<Vec<Told>>,
}

impl TestHost {
    fn tell(&self, what: Told) -> Result<(), HostError> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("not just now".into());
        }
        self.told.send_modify(|told| told.push(what));
        Ok(())
    }
}

#[async_trait]
impl Host for TestHost {
    async fn actor(&self, name: &str) -> Result<Option<LocalActor>, HostError> {
        Ok(self
            .actors
            .lock()
            .unwrap()
            .iter()
            .find(|actor| actor.name == name)
            .cloned())
    }

    async fn webfinger(&self, resource: &Resource) -> Result<Option<Subject>, HostError> {
        let subjects = self.subjects.lock().unwrap();
        Ok(subjects
            .iter()
            .find(|subject| match resource {
                Resource::Account(account) => subject.account == *account,
                Resource::Url(url) => subject.actor == *url || subject.page.as_ref() == Some(url),
            })
            .cloned())
    }

    async fn object(&self, id: &Url) -> Result<Option<Value>, HostError> {
        Ok(self.objects.lock().unwrap().get(id).cloned())
    }

    async fn decide_follow(&self, _: &FollowRequest) -> Result<FollowDecision, HostError> {
        Ok(*self.decision.lock().unwrap())
    }

    async fn follow_changed(&self, change: &FollowChange) -> Result<(), HostError> {
        self.tell(Told::Follow {
            remote: change.remote.id.clone(),
            direction: change.direction.as_str(),
            state: change.state,
        })
    }

    async fn snapshot_received(&self, received: ReceivedSnapshot) -> Result<(), HostError> {
        self.tell(Told::Snapshot {
            bytes: received.snapshot.to_bytes(),
            sequence: received.snapshot.snapshot().sequence.value(),
            author: received.author.id,
            via: received.via,
        })
    }

    async fn note_received(&self, note: ReceivedNote) -> Result<(), HostError> {
        assert_ne!(
            note.id.path(),
            "/notes/poison",
            "a bug that a note sets off"
        );
        self.tell(Told::Note {
            id: note.id,
            update: note.update,
        })
    }

    async fn actor_changed(
        &self,
        actor: &farmops_federation::RemoteActor,
    ) -> Result<(), HostError> {
        self.tell(Told::Changed(actor.id.clone()))
    }

    async fn deleted(&self, deletion: &Deletion) -> Result<(), HostError> {
        self.tell(Told::Deleted(deletion.clone()))
    }

    async fn usage(&self) -> Result<Usage, HostError> {
        Ok(Usage {
            users: 1,
            node_name: "Test".to_owned(),
            ..Usage::default()
        })
    }
}

/// A whole server: engine, store on disk, routes on a port.
pub struct Server {
    pub federation: Federation,
    pub host: Arc<TestHost>,
    pub store: Store,
    pub pool: Pool,
    pub url: Url,
    pub clock: TestClock,
    pub farm: SecretKey,
    told: watch::Receiver<Vec<Told>>,
    listener: Option<JoinHandle<()>>,
    workers: Option<JoinHandle<()>>,
    stop: CancellationToken,
    database: Arc<Database>,
}

impl Server {
    /// Starts `{name}.localhost` with one actor.
    pub async fn start(name: &str, actor: &str, kind: ActorKind) -> Self {
        let database = Arc::new(Database::new());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = Url::parse(&format!("http://{name}.localhost:{port}/")).unwrap();
        let farm = SecretKey::generate(&mut rand::rng());
        let account = format!("{name}@{name}.localhost:{port}");
        let account = Account::parse(&account, Reach::Loopback).unwrap();
        let local = local_actor(actor, kind, account.clone(), farm.public());
        let subject = Subject {
            account,
            actor: url.join(&format!("ap/{actor}")).unwrap(),
            page: Some(url.clone()),
        };
        let host = Arc::new(TestHost {
            actors: Mutex::new(vec![local]),
            subjects: Mutex::new(vec![subject]),
            decision: Mutex::new(FollowDecision::Accept),
            objects: Mutex::default(),
            failures: Mutex::new(0),
            told: watch::Sender::new(Vec::new()),
        });
        Self::open(database, listener, url, host, farm, TestClock::default()).await
    }

    async fn open(
        database: Arc<Database>,
        listener: TcpListener,
        url: Url,
        host: Arc<TestHost>,
        farm: SecretKey,
        clock: TestClock,
    ) -> Self {
        let (store, pool) = database.open().await;
        let site = url.host_str().unwrap();
        for name in ["instance", "actor", "village"] {
            let pem = keys(&format!("{site}/{name}")).to_pem().unwrap();
            store.keep_key(name, &pem).await.unwrap();
        }
        let settings = Settings {
            public_url: url.clone(),
            reach: Reach::Loopback,
            software: Software {
                name: "farmops-test".to_owned(),
                version: "0.0.0".to_owned(),
                repository: Url::parse("https://source.example/farmops").unwrap(),
            },
            clock: clock.clock(),
        };
        let federation =
            Federation::open(settings, client(), Arc::new(store.clone()), host.clone())
                .await
                .unwrap();
        let told = host.told.subscribe();
        let router: Router = federation.router();
        let listener = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let stop = CancellationToken::new();
        let workers = tokio::spawn({
            let (federation, stop) = (federation.clone(), stop.clone());
            async move { federation.run(stop).await }
        });
        Self {
            federation,
            host,
            store,
            pool,
            url,
            clock,
            farm,
            told,
            listener: Some(listener),
            workers: Some(workers),
            stop,
            database,
        }
    }

    /// Stops answering and working at once, as a crash would.
    pub async fn crash(&mut self) {
        for task in [self.listener.take(), self.workers.take()]
            .into_iter()
            .flatten()
        {
            task.abort();
            let _ = task.await;
        }
        self.pool.close().await;
    }

    /// Starts again on the same database, port and clock.
    pub async fn restart(&mut self) {
        let port = self.url.port().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        let farm = SecretKey::from_bytes(self.farm.to_bytes());
        *self = Self::open(
            self.database.clone(),
            listener,
            self.url.clone(),
            self.host.clone(),
            farm,
            self.clock.clone(),
        )
        .await;
    }

    /// The id of the server's one actor.
    pub fn id(&self) -> Url {
        let name = self.host.actors.lock().unwrap()[0].name.clone();
        self.federation.actor_id(&name)
    }

    /// The handle of the server's one actor.
    pub fn handle(&self) -> String {
        self.host.subjects.lock().unwrap()[0].account.to_handle()
    }

    /// Waits until the host was told something that `is` recognises.
    pub async fn told(&self, is: impl Fn(&Told) -> bool) -> Told {
        let mut told = self.told.clone();
        let found = tokio::time::timeout(PATIENCE, told.wait_for(|told| told.iter().any(&is)));
        let found = found
            .await
            .unwrap_or_else(|_| panic!("told only {:?}", self.all_told()));
        found.unwrap().iter().find(|what| is(what)).unwrap().clone()
    }

    /// Everything the host was told so far.
    pub fn all_told(&self) -> Vec<Told> {
        self.told.borrow().clone()
    }

    /// The number of rows of a statement that counts.
    pub async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Waits until a counting statement answers `want`. The store tells nobody when it changes,
    /// so this looks again; the bound is only for failing tests.
    pub async fn until(&self, statement: &'static str, want: i64) {
        let settled = async {
            while self.count(statement).await != want {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let settled = tokio::time::timeout(PATIENCE, settled).await;
        assert!(
            settled.is_ok(),
            "{statement} is {}, not {want}",
            self.count(statement).await
        );
    }

    /// Waits until everything that arrived has been processed.
    pub async fn inbox_settled(&self) {
        self.until("SELECT COUNT(*) FROM fed_inbox WHERE state = 'waiting'", 0)
            .await;
    }

    /// Nothing was kept of anyone, and the host heard nothing.
    pub async fn assert_untouched(&self) {
        for statement in [
            "SELECT COUNT(*) FROM fed_inbox",
            "SELECT COUNT(*) FROM fed_actors",
            "SELECT COUNT(*) FROM fed_relations",
            "SELECT COUNT(*) FROM fed_deliveries",
            "SELECT COUNT(*) FROM fed_posts",
        ] {
            assert_eq!(self.count(statement).await, 0, "{statement}");
        }
        assert_eq!(self.all_told(), []);
    }

    /// A signed snapshot of this farm.
    pub fn snapshot(&self, sequence: u64) -> Value {
        let id = self
            .federation
            .object_id("snapshots", &sequence.to_string());
        let actor = self.id();
        signed_snapshot(&id, &actor, &self.farm, sequence)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

/// A snapshot of the farm of `actor`, signed with `key`.
pub fn signed_snapshot(id: &Url, actor: &Url, key: &SecretKey, sequence: u64) -> Value {
    let number = |n: u64| SafeUint::try_from(n).unwrap();
    let post = snapshot::Post {
        id: id.to_string(),
        attributed_to: actor.to_string(),
        published: Timestamp::from_second(1_790_000_000).unwrap(),
        to: vec!["https://www.w3.org/ns/activitystreams#Public".to_owned()],
        cc: vec![format!("{actor}/followers")],
        url: actor.to_string(),
        content: "<p>The farm grew: \u{1F33E}</p>".to_owned(),
        attachment: Vec::new(),
    };
    let farm = snapshot::Snapshot {
        farmer_key: key.public(),
        season: "2026-Q4".to_owned(),
        sequence: number(sequence),
        total_coins: number(1250),
        current_coins: number(250),
        streak_days: number(14),
        level: number(7),
        upgrades: Vec::new(),
        category_totals: Vec::new(),
        league_totals: Vec::new(),
        achievements: vec!["first-harvest".to_owned()],
        checkpoint: String::new(),
    };
    let method = format!("{actor}#farm-key");
    snapshot::sign(&post, &farm, key, &method)
        .unwrap()
        .value()
        .clone()
}

fn local_actor(name: &str, kind: ActorKind, account: Account, farm: PublicKey) -> LocalActor {
    LocalActor {
        name: name.to_owned(),
        kind,
        display_name: account.name().to_owned(),
        account,
        summary: None,
        page: None,
        icon: None,
        image: None,
        farm_key: Some(farm),
        published: None,
        manually_approves_followers: false,
        discoverable: true,
        followers_visibility: FollowersVisibility::Public,
    }
}
