//! What the proofs of a closed season say goes to a file, and comes back.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use farmops_ledger::archive::FormatError;
use farmops_protocol::{
    digest::Digest,
    log::{Layer, Tile},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    fsck::FARM_KEY,
    random::{Step, live, step},
    *,
};
use crate::{
    archive::{ArchiveError, Archives, Quarter, Sealed, write_season},
    audit::{Remedy, Report, fsck::fsck},
    past::{At, PastError, fold_to},
    store::{Bodies, Secrets, tests::changed},
};

fn key() -> SecretKey {
    SecretKey::from_bytes(FARM_KEY)
}

fn salts() -> SaltSource {
    SaltSource::new(SECRET)
}

fn season(name: &str) -> Quarter {
    name.parse().unwrap()
}

impl Farm {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A farm with something of two seasons: its proofs up to March, and those of April.
    async fn of_two_seasons() -> (Self, TestAgent) {
        let farm = Self::begin().await;
        farm.database.keep_secrets([FARM_KEY, SECRET]).await;
        super::replay::lively(&farm, 90).await;
        let mut agent = farm.trusted(5).await;
        for n in 0..3 {
            let proof = agent.work(Category::Security, friday().saturating_add(n * 60));
            farm.submit(proof.bytes()).await.unwrap();
        }
        farm.wait(60);
        for n in 0..3 {
            // The first one was finished in the hour of the last one of the season before.
            let when = friday().saturating_add(180 + n * 2_000_000);
            let proof = agent.work(Category::Security, when);
            farm.submit(proof.bytes()).await.unwrap();
        }
        (farm, agent)
    }

    async fn write(&self, name: &str) -> Result<bool, ArchiveError> {
        let secrets = Secrets {
            farm_key: key(),
            farm_secret: SECRET.to_vec(),
        };
        let (reads, path) = (self.database.reads(), self.file(name));
        let written = write_season(&*reads, &season("2026-Q1"), &path, &secrets, self.now()).await;
        Ok(written?.is_some())
    }

    /// What would leave the database for that file.
    async fn leaving(&self, name: &str) -> Result<Vec<(u64, Digest)>, ArchiveError> {
        let sealed = Sealed::open(&self.file(name), &key().public())?;
        let checked = sealed.check(&*self.database.reads(), &salts()).await?;
        let here = checked.into_iter().filter(|entry| entry.is_here);
        Ok(here.map(|e| (e.position, e.commitment)).collect())
    }

    /// Archives the first season in a file of that name; gives how many proofs it has.
    async fn prune(&self, name: &str) -> usize {
        if !self.write(name).await.unwrap() {
            return 0;
        }
        let leaving = self.leaving(name).await.unwrap();
        let mut journal = self.database.stranger().await;
        journal.take_bodies(&leaving).await.unwrap();
        leaving.len()
    }

    async fn checked_with(&self, archive: &mut dyn Bodies) -> Report {
        checked_with(&self.url, archive).await
    }

    fn archives(&self, name: &str) -> Archives {
        Archives::open(&[self.file(name)], &key().public()).unwrap()
    }

    async fn lines(&self) -> Vec<String> {
        let lines = self.database.reads().ledger(0, 100_000).await.unwrap();
        lines.iter().map(|line| format!("{line:?}")).collect()
    }
}

async fn checked_with(url: &str, archive: &mut dyn Bodies) -> Report {
    let reads = Database::frozen(url).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/fold.db", folder.path().display());
    let scratch = Database::open(&url).await.unwrap();
    let mut journal = scratch.journal().await.unwrap();
    let beside = (&mut *journal as &mut dyn Journal, &*scratch.reads());
    fsck(&*reads, archive, beside, &mut |_| ()).await.unwrap()
}

/// Runs the program in this process, as on the command line.
async fn command(words: &[&str]) -> anyhow::Result<std::process::ExitCode> {
    let words = std::iter::once("farmops-tracker").chain(words.iter().copied());
    crate::cli::run(crate::cli::Cli::try_parse_from(words)?).await
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_season_has_one_name() {
    for (name, last) in [
        ("2026-Q1", "2026-03-31T23:59:59Z"),
        ("2026-Q4", "2026-12-31T23:59:59Z"),
        ("0999-Q2", "0999-06-30T23:59:59Z"),
    ] {
        let season = season(name);
        assert!(!season.is_over(at(last)), "{name}");
        assert!(season.is_over(at(last).saturating_add(1)), "{name}");
        assert_eq!(season.to_string(), name);
    }
    for nonsense in [
        "2026", "2026-Q5", "2026-q1", "26-Q1", "+226-Q1", "9999-Q4", "-Q1", "",
    ] {
        assert!(nonsense.parse::<Quarter>().is_err(), "{nonsense}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn an_archive_says_everything_and_its_absence_hides_nothing_else(
        early in prop::collection::vec(step(), 1..200),
        late in prop::collection::vec(step(), 0..100),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let steps: Vec<_> = early.into_iter().chain([Step::Wait(40)]).chain(late).collect();
            let farm = live(&steps).await;
            let (before, lines) = (farm.dump().await, farm.lines().await);
            let pruned = farm.prune("a.tar").await;
            assert_eq!(before, farm.dump().await, "no projection changes");
            // Absent: everything else is checked, and what could not be opened is told.
            let absent = farm.checked_with(&mut Nowhere).await;
            assert_eq!(absent.findings, []);
            let told: u64 = absent.archived.iter().map(|season| season.entries).sum();
            assert_eq!((told, absent.coins), (pruned as u64, farm.coins().await));
            if pruned == 0 {
                return;
            }
            let mut journal = farm.database.stranger().await;
            let refused = journal.rebuild(&salts(), &mut Nowhere, &mut |_| ()).await;
            assert!(matches!(refused, Err(StoreError::Archived(_))));
            assert_eq!(before, farm.dump().await);
            // Present: every body is opened, and a rebuild gives the same bytes.
            let mut archive = farm.archives("a.tar");
            let present = farm.checked_with(&mut archive).await;
            assert_eq!((present.findings, present.archived), (vec![], vec![]));
            assert_eq!(present.proofs, absent.proofs + told);
            journal.rebuild(&salts(), &mut archive, &mut |_| ()).await.unwrap();
            assert_eq!(before, farm.dump().await);
            // The tracker goes on as if nothing had happened.
            let farm = farm.restart().await;
            let mut agent = farm.trusted(9).await;
            let proof = agent.work(Category::Toil, farm.now());
            assert!(farm.submit(proof.bytes()).await.is_ok());
            drop(farm.writer.revoke(TestAgent::new(1).id, Since::After(None)).await);
            let later = farm.checked_with(&mut Nowhere).await;
            assert_eq!((later.findings, later.archived), (vec![], absent.archived));
            assert_eq!(farm.checked_with(&mut archive).await.findings, []);
            // And back.
            put_back(&farm, "a.tar").await;
            assert_eq!(farm.lines().await[..lines.len()], lines);
            assert_eq!(farm.checked_with(&mut Nowhere).await.archived, []);
        });
    }
}

async fn put_back(farm: &Farm, name: &str) {
    let sealed = Sealed::open(&farm.file(name), &key().public()).unwrap();
    let checked = sealed.check(&*farm.database.reads(), &salts()).await;
    let bodies = sealed.bodies().unwrap().map(Result::unwrap);
    let bodies: Vec<_> = checked
        .unwrap()
        .iter()
        .zip(bodies)
        .map(|(entry, (position, body))| (position, entry.commitment, body))
        .collect();
    let mut journal = farm.database.stranger().await;
    journal.put_bodies(&bodies).await.unwrap();
}

#[tokio::test]
async fn whatever_ends_a_prune_early_loses_nothing_and_the_next_one_ends_it() {
    let (farm, _) = Farm::of_two_seasons().await;
    let lines = farm.lines().await;
    // No folder for the file: nothing is left behind.
    assert!(farm.write("nowhere/a.tar").await.is_err());
    assert!(!farm.file("nowhere").exists());
    // After the file is written, and after it is checked.
    assert!(farm.write("a.tar").await.unwrap());
    let leaving = farm.leaving("a.tar").await.unwrap();
    assert_eq!(farm.lines().await, lines);
    assert!(farm.write("a.tar").await.is_err(), "never over a file");
    // In the midst of the transaction.
    let mut journal = farm.database.stranger().await;
    let mut broken = leaving.clone();
    broken.push((1, leaving[0].1));
    assert!(journal.take_bodies(&broken).await.is_err());
    assert_eq!(farm.lines().await, lines);
    assert_eq!(farm.checked_with(&mut Nowhere).await.archived, []);
    drop(journal);

    let (db, file) = (farm.url.clone(), farm.file("a.tar"));
    let _folder = farm.end().await;
    let prune = [
        "prune",
        "--season",
        "2026-Q1",
        "--to",
        text(&file),
        "--db",
        &db,
    ];
    command(&prune).await.unwrap();
    let report = checked_with(&db, &mut Nowhere).await;
    assert_eq!(report.findings, []);
    assert_eq!(report.archived[0].entries, leaving.len() as u64);
    let season = &report.archived[0];
    assert_eq!(
        (season.season.as_str(), season.first, season.last),
        ("2026-Q1", leaving[0].0, leaving[leaving.len() - 1].0)
    );
    // Once more changes nothing, and neither does a file that is not there again.
    command(&prune).await.unwrap();
    assert_eq!(
        checked_with(&db, &mut Nowhere).await.archived,
        report.archived
    );
    let other = file.with_file_name("b.tar");
    let again = [
        "prune",
        "--season",
        "2026-Q1",
        "--to",
        text(&other),
        "--db",
        &db,
    ];
    command(&again).await.unwrap();
    assert!(!other.exists());

    // The commands that need what it says ask for the file, by its season.
    let exported = file.with_file_name("farm.tar");
    for words in [
        &["rebuild", "--db", &db][..],
        &["export", text(&exported), "--db", &db],
    ] {
        let error = format!("{:#}", command(words).await.unwrap_err());
        assert!(
            error.contains("2026-Q1") && error.contains("--archive"),
            "{error}"
        );
        let with = [words, &["--archive", text(&file)]].concat();
        command(&with).await.unwrap();
    }
    command(&["import", text(&exported), "--check"])
        .await
        .unwrap();
    let error = command(&["import", text(&file), "--check"])
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("unprune"), "{error:#}");
    command(&["proofs", "verify", "--db", &db]).await.unwrap();
    let with = ["proofs", "verify", "--db", &db, "--archive", text(&file)];
    command(&with).await.unwrap();
    for _ in 0..2 {
        let unprune = ["unprune", "--from", text(&file), "--db", &db];
        command(&unprune).await.unwrap();
        let reads = Database::inspect(&db).await.unwrap();
        let now: Vec<_> = reads.ledger(0, 100_000).await.unwrap();
        let now: Vec<_> = now.iter().map(|line| format!("{line:?}")).collect();
        assert_eq!(now, lines);
    }
}

#[tokio::test]
async fn only_a_closed_season_goes_and_only_to_its_own_file() {
    let (farm, _) = Farm::of_two_seasons().await;
    let lines = farm.lines().await;
    let (db, file) = (farm.url.clone(), farm.file("a.tar"));
    let prune = [
        "prune",
        "--season",
        "2026-Q1",
        "--to",
        text(&file),
        "--db",
        &db,
    ];
    let busy = command(&prune).await.unwrap_err();
    assert!(format!("{busy:#}").contains("running"), "{busy:#}");
    let _folder = farm.end().await;
    let open = [
        "prune",
        "--season",
        "9998-Q1",
        "--to",
        text(&file),
        "--db",
        &db,
    ];
    let open = command(&open).await.unwrap_err();
    assert!(open.to_string().contains("not over"), "{open}");
    // Something else under that name, and the archive of another season.
    std::fs::write(&file, "something of mine").unwrap();
    assert!(command(&prune).await.is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"something of mine");
    let second = file.with_file_name("second.tar");
    let april = [
        "prune",
        "--season",
        "2026-Q2",
        "--to",
        text(&second),
        "--db",
        &db,
    ];
    command(&april).await.unwrap();
    let other = [
        "prune",
        "--season",
        "2026-Q1",
        "--to",
        text(&second),
        "--db",
        &db,
    ];
    let other = command(&other).await.unwrap_err();
    assert!(other.to_string().contains("2026-Q2"), "{other}");
    command(&["unprune", "--from", text(&second), "--db", &db])
        .await
        .unwrap();
    let reads = Database::inspect(&db).await.unwrap();
    let now = reads.ledger(0, 100_000).await.unwrap();
    let now: Vec<_> = now.iter().map(|line| format!("{line:?}")).collect();
    assert_eq!(now, lines);
}

#[tokio::test]
async fn a_damaged_archive_is_not_believed() {
    let (farm, _) = Farm::of_two_seasons().await;
    farm.prune("a.tar").await;
    let bytes = std::fs::read(farm.file("a.tar")).unwrap();
    let find = |what: &[u8]| bytes.windows(what.len()).position(|w| w == what).unwrap();
    for (what, at) in [
        ("a proof", find(b"after 14 minutes") + 6),
        ("the extent", find(b"\"entries\"") + 12),
        ("the manifest", find(b"farmops-archive-1") + 1),
        ("the end", bytes.len() / 2),
    ] {
        let mut damaged = bytes.clone();
        match what {
            "the end" => damaged.truncate(at),
            _ => damaged[at] ^= 1,
        }
        std::fs::write(farm.file("damaged.tar"), damaged).unwrap();
        let files = [farm.file("damaged.tar")];
        assert!(Archives::open(&files, &key().public()).is_err(), "{what}");
        assert!(Sealed::open(&files[0], &key().public()).is_err(), "{what}");
    }
    let stranger = SecretKey::from_bytes([5; 32]).public();
    let refused = Archives::open(&[farm.file("a.tar")], &stranger)
        .err()
        .unwrap();
    assert!(refused.to_string().contains("not this farm's"), "{refused}");

    // The farm signs what it is given: an archive whose proofs are not those that were logged.
    put_back(&farm, "a.tar").await;
    let twin = format!("{}/twin.db", farm.folder.path().display());
    let sql = "UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '14 minutes', '15 minutes') AS BLOB) \
               WHERE position = 20";
    changed(&farm.url, &twin, sql).await;
    let twin = Database::inspect(&format!("sqlite://{twin}"))
        .await
        .unwrap();
    let secrets = Secrets {
        farm_key: key(),
        farm_secret: SECRET.to_vec(),
    };
    let false_file = farm.file("false.tar");
    let first = season("2026-Q1");
    write_season(&*twin, &first, &false_file, &secrets, friday())
        .await
        .unwrap();
    let error = farm.leaving("false.tar").await.unwrap_err();
    assert!(
        matches!(
            error,
            ArchiveError::Format(FormatError::Unsound { position: 20, .. })
        ),
        "{error}"
    );
    std::fs::remove_file(farm.file("a.tar")).unwrap();
    farm.prune("a.tar").await;
    let report = farm.checked_with(&mut farm.archives("false.tar")).await;
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(
        (report.findings[0].position, report.findings[0].remedy),
        (20, Remedy::Archive)
    );
    assert_eq!(report.archived[0].entries, 1, "the others were opened");
    let mut journal = farm.database.stranger().await;
    let mut archive = farm.archives("false.tar");
    assert!(
        journal
            .rebuild(&salts(), &mut archive, &mut |_| ())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_changed_row_of_an_archived_proof_is_found_without_the_archive() {
    let (farm, _) = Farm::of_two_seasons().await;
    farm.prune("a.tar").await;
    let of = "WHERE position = 30";
    for (number, (change, tables)) in [
        ("ledger SET commitment = randomblob(32)", &["ledger"][..]),
        (
            "proof_chain SET coins_awarded = coins_awarded + 1",
            &["proof_chain"],
        ),
        (
            "proof_chain SET scoring_detail = replace(scoring_detail, '\"coins\":', '\"coins\":1')",
            &["ledger"],
        ),
        ("proof_chain SET follows = randomblob(16)", &["proof_chain"]),
        ("proof_chain SET chain_length = 99", &["proof_chain"]),
        (
            "proof_chain SET category = CASE category WHEN 'toil' THEN 'incident' ELSE 'toil' END",
            &["category_stats"],
        ),
        ("proof_chain SET day = '2026-01-01'", &["day_stats", "farm"]),
        (
            "proof_chain SET earns = 1 - earns",
            &["category_stats", "farm"],
        ),
        (
            "proof_chain SET proof_id = randomblob(16)",
            &["proof_chain"],
        ),
        // When it was recorded is a part of what the archive alone can open.
        ("ledger SET recorded_at = recorded_at - 1", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("{}/{number}.db", farm.folder.path().display());
        changed(&farm.url, &path, &format!("UPDATE {change} {of}")).await;
        let url = format!("sqlite://{path}");
        let report = if tables.is_empty() {
            checked_with(&url, &mut farm.archives("a.tar")).await
        } else {
            checked_with(&url, &mut Nowhere).await
        };
        let tables = if tables.is_empty() {
            &["ledger"]
        } else {
            tables
        };
        assert!(
            report.findings.iter().any(|f| tables.contains(&f.table)),
            "{change}: {:?}",
            report.findings
        );
    }
}

#[tokio::test]
async fn the_past_and_the_pages_say_what_is_archived() {
    let (farm, _) = Farm::of_two_seasons().await;
    let reads = farm.database.reads();
    let before = fold_to(&*reads, At::Position(6), farm.now()).await.unwrap();
    let last = farm.prune("a.tar").await as u64;
    let early = fold_to(&*reads, At::Position(4), farm.now()).await.unwrap();
    assert!(early.farm.coins.earned <= before.farm.coins.earned);
    let error = fold_to(&*reads, At::Position(last), farm.now())
        .await
        .unwrap_err();
    assert!(matches!(&error, PastError::Archived(seasons) if seasons == "2026-Q1"));
    // The log keeps everything.
    for tile in [
        Tile::new(Layer::Entries, 0, 50),
        Tile::new(Layer::Hashes(0), 0, 50),
    ] {
        assert!(reads.tile(&tile.unwrap()).await.unwrap().is_some());
    }
    let row = reads.proof_rows(0, 30).await.unwrap().pop().unwrap();
    let (db, folder) = (farm.url.clone(), farm.end().await);
    let answers = Served::begin(&db, &folder).await;
    let (status, shown) = answers
        .get(&format!("/api/v1/proofs/{}", row.proof_id))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        (&shown["proof"], &shown["archived"], &shown["coins"]),
        (&Value::Null, &json!("2026-Q1"), &json!(row.score.coins))
    );
    let (status, page) = answers.get("/api/v1/ledger?after=29&limit=1").await;
    let entry = &page["entries"][0];
    assert!(status == 200 && entry["body"].is_null() && entry["commitment"].is_string());
    assert!(
        entry["text"].as_str().unwrap().contains("2026-Q1"),
        "{entry}"
    );
    let at = row.position;
    let (status, problem) = answers.get(&format!("/api/v1/farm?at={at}")).await;
    assert_eq!(
        (status, &problem["code"], &problem["field"]),
        (410, &json!("archived"), &json!("at"))
    );
    let (status, problem) = answers
        .get(&format!("/api/v1/ledger/{at}/opening?parts=event"))
        .await;
    assert_eq!((status, &problem["code"]), (410, &json!("archived")));
    let opening = answers
        .text(&format!("/api/v1/ledger/{at}/opening?parts=score"))
        .await;
    let opened = farmops_protocol::log::LogProof::parse(&opening).unwrap();
    let (opened, _) = opened.open(&key().public()).unwrap();
    assert!(matches!(
        opened.score,
        farmops_protocol::log::Part::Open { .. }
    ));
    let (url, token) = (answers.base.clone(), text(&answers.token).to_owned());
    command(&["--url", &url, "--token-file", &token, "proofs", "verify"])
        .await
        .unwrap();
    let file = folder.path().join("a.tar");
    let with = [
        "--url",
        &url,
        "--token-file",
        &token,
        "proofs",
        "verify",
        "--archive",
        text(&file),
    ];
    command(&with).await.unwrap();
    answers.end().await;
}

/// The whole tracker on a database that is there.
struct Served {
    base: String,
    token: PathBuf,
    stop: CancellationToken,
    running: crate::serve::Running,
}

impl Served {
    async fn begin(db: &str, folder: &TempDir) -> Self {
        let token = folder.path().join(crate::serve::TOKEN_FILE);
        let config = serde_json::from_value(json!({
            "db": db,
            "owner_token_path": token,
            "port": 0,
            "public_url": "http://alice.localhost:8443",
            "handle": "alice",
            "allow_loopback": true,
        }));
        let stop = CancellationToken::new();
        let running = crate::serve::start(&config.unwrap(), stop.clone())
            .await
            .unwrap();
        Self {
            base: format!("http://{}", running.address),
            token,
            stop,
            running,
        }
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        use farmops_service::outbound::{Outbound, Reach};
        let client = Outbound::new(Reach::Operator, "test").unwrap().client();
        let token = std::fs::read_to_string(&self.token).unwrap();
        let request = client.get(format!("{}{path}", self.base));
        request.bearer_auth(token.trim()).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.ask(path).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn text(&self, path: &str) -> String {
        self.ask(path).await.text().await.unwrap()
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.wait().await.unwrap();
    }
}
