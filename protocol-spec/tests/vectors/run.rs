//! What an implementation does with a vector's input: `Ok` with the result, `Err` with the refusal.
//!
//! Written against the public interface only; an implementation in another language does the same.

use std::collections::VecDeque;

use base64::{Engine, prelude::BASE64_STANDARD};
use farmops_protocol::{
    canonical,
    chain::{self, ChainHead},
    checkpoint::{Checkpoint, CompactRange, leaf_hash},
    departure::DepartureRequest,
    digest::sha256,
    enrolment::EnrolmentRequest,
    field::FieldError,
    key::{PublicKey, SecretKey},
    league::{League, LeagueList},
    limits::DEPTH_MAX,
    proof::{Action, ActionType, Category, ParsedProof},
    registration::RegistrationRequest,
    scoring::{Freezes, RuleSet, ScoreInput, composite::Candidate},
    snapshot::SnapshotDocument,
    streak::{Calendar, Days, Rhythm, Silent, Streak, excused},
    time::Timestamp,
};
use jiff::civil::Date;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

/// Every kind of vector.
pub(crate) const KINDS: [&str; 11] = [
    "canonical-json",
    "chain",
    "checkpoint",
    "enrolment",
    "keys",
    "league",
    "log",
    "registration",
    "scoring",
    "signing",
    "snapshot",
];

pub(crate) fn run(kind: &str, input: &Value) -> Result<Value, Value> {
    match kind {
        "canonical-json" => canonical_json(&read(input)),
        "chain" => chain(&read(input)),
        "checkpoint" => checkpoint(read(input)),
        "enrolment" => enrolment(&read(input)),
        "keys" => crate::keys::keys(read(input)),
        "league" => league(&read(input)),
        "log" => crate::log::log(read(input)),
        "registration" => registration(&read(input)),
        "scoring" => scoring(read(input)),
        "signing" => signing(&read(input)),
        "snapshot" => snapshot(&read(input)),
        other => panic!("nobody reads vectors of the kind {other}"),
    }
}

fn read<T: DeserializeOwned>(input: &Value) -> T {
    T::deserialize(input).unwrap_or_else(|e| panic!("{e} in {input}"))
}

/// Bytes, as text where they are text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Bytes {
    Text { text: String },
    Base64 { base64: String },
}

impl Bytes {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text { text } => text.clone().into_bytes(),
            Self::Base64 { base64 } => BASE64_STANDARD.decode(base64).unwrap(),
        }
    }
}

pub(crate) fn field(FieldError { field, .. }: FieldError) -> Value {
    json!({ "field": field })
}

fn at(stage: &'static str) -> impl Fn(FieldError) -> Value {
    move |error| json!({ "at": stage, "field": error.field })
}

pub(crate) fn key(text: &str) -> Result<PublicKey, Value> {
    text.parse()
        .map_err(|_| json!({ "at": "key", "field": "public_key" }))
}

/// `write` brings a document into canonical form, `read` wants it there.
#[derive(Deserialize)]
struct CanonicalJson {
    mode: String,
    #[serde(flatten)]
    document: Bytes,
}

fn canonical_json(input: &CanonicalJson) -> Result<Value, Value> {
    let bytes = input.document.bytes();
    let value = match input.mode.as_str() {
        "read" => canonical::parse_canonical(&bytes, DEPTH_MAX).map_err(field)?,
        "write" => canonical::parse_value(&bytes, DEPTH_MAX).map_err(field)?,
        other => panic!("no mode {other}"),
    };
    let written = String::from_utf8(canonical::to_vec(&value).unwrap()).unwrap();
    Ok(json!({ "canonical": written }))
}

#[derive(Deserialize)]
struct Signing {
    public_key: String,
    /// Where the vector gives it, signing must give the same bytes again.
    secret_key: Option<String>,
    #[serde(flatten)]
    document: Bytes,
}

fn signing(input: &Signing) -> Result<Value, Value> {
    let key = key(&input.public_key)?;
    let parsed = ParsedProof::parse(&input.document.bytes()).map_err(at("parse"))?;
    if let Some(seed) = &input.secret_key {
        let secret = SecretKey::from_bytes(hex::decode(seed).unwrap().try_into().unwrap());
        assert_eq!(secret.public(), key);
        let again = parsed.body().clone().sign(&secret).unwrap();
        assert_eq!(again.bytes(), parsed.bytes());
    }
    let proof = parsed
        .verify(&key)
        .map_err(|_| json!({ "at": "verify", "field": "signature" }))?;
    Ok(json!({ "earns": proof.earns(), "hash": proof.hash() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    now: Timestamp,
    /// Of a branch: the proof that it resumes after.
    #[serde(default)]
    resumes_after: Option<ChainHead>,
    proofs: Vec<String>,
    public_key: String,
}

fn chain(input: &Chain) -> Result<Value, Value> {
    let key = key(&input.public_key)?;
    let mut head = input.resumes_after;
    for (index, text) in input.proofs.iter().enumerate() {
        let proof = ParsedProof::parse(text.as_bytes())
            .unwrap()
            .verify(&key)
            .unwrap();
        let next = chain::extend(head.as_ref(), &proof, input.now)
            .map_err(|e| json!({ "at": index, "code": e.code(), "field": e.field() }))?;
        chain::check_ids(proof.body())
            .map_err(|e| json!({ "at": index, "code": "invalid", "field": e.field }))?;
        head = Some(next);
    }
    Ok(json!(head))
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Scoring {
    Score {
        rules: Option<Value>,
        score: ScoreInput,
    },
    Rules {
        rules_text: String,
    },
    Streak(Box<StreakInput>),
    Composites {
        proofs: Vec<Part>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreakInput {
    time_zone: String,
    today: Timestamp,
    work: Vec<Timestamp>,
    working_days: [bool; 7],
    #[serde(default)]
    rest_days: Vec<Date>,
    /// Of each agent.
    silences: Option<Vec<Vec<Silence>>>,
    freezes: Option<Freezes>,
    changed: Option<Changed>,
}

/// Other working days, from a day on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    from: Date,
    working_days: [bool; 7],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Silence {
    from: Timestamp,
    until: Timestamp,
}

/// What an implementation knows of the days of a vector.
struct Known<'a> {
    calendar: &'a Calendar,
    changed: Option<(Date, Calendar)>,
    rest: &'a [Date],
    silences: Vec<Vec<Silent>>,
}

impl Days for Known<'_> {
    fn calendar_on(&self, day: Date) -> &Calendar {
        match &self.changed {
            Some((from, changed)) if *from <= day => changed,
            _ => self.calendar,
        }
    }
    fn rests(&self, day: Date) -> bool {
        self.rest.contains(&day)
    }
    fn excused(&self, day: Date) -> bool {
        excused(self.calendar, day, self.silences.iter().map(Vec::as_slice))
    }
}

fn streak(input: &StreakInput) -> Result<Value, Value> {
    let calendar = Calendar::new(&input.time_zone, input.working_days).map_err(field)?;
    let silent = |silence: &Silence| Silent {
        from: silence.from,
        until: silence.until,
    };
    let silences = input.silences.iter().flatten();
    let changed = input.changed.as_ref().map(|changed| {
        let calendar = Calendar::new(&input.time_zone, changed.working_days);
        calendar.map(|calendar| (changed.from, calendar))
    });
    let known = Known {
        calendar: &calendar,
        changed: changed.transpose().map_err(field)?,
        rest: &input.rest_days,
        silences: silences
            .map(|agent| agent.iter().map(silent).collect())
            .collect(),
    };
    let none = Freezes {
        held_max: 0,
        recharge_days: 1,
    };
    let rhythm = Rhythm {
        days: &known,
        freezes: input.freezes.unwrap_or(none),
    };
    let worked = input.work.iter().map(|&moment| calendar.day(moment));
    let (streak, _) = Streak::over(worked, &rhythm);
    let today = calendar.day(input.today);
    let mut told = json!({ "days": streak.days_on(today, &rhythm) });
    if input.freezes.is_some() {
        told["freezes"] = json!(streak.freezes_on(today, &rhythm));
    }
    Ok(told)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    proof_id: Uuid,
    timestamp: Timestamp,
    plugin: String,
    action_type: ActionType,
    category: Category,
}

/// The proofs in the order in which they came, by the rules a farm starts with.
fn composites(proofs: Vec<Part>) -> Value {
    let rules = RuleSet::default().composites;
    let mut waiting = vec![VecDeque::new(); rules.len()];
    let mut earned = Vec::new();
    for part in proofs {
        let action = Action {
            action_type: part.action_type,
            category: part.category,
            description: "x".to_owned(),
            plugin: part.plugin,
            subcategory: None,
        };
        for (rule, waiting) in rules.iter().zip(&mut waiting) {
            let fits = rule.fits(&action);
            if fits.is_empty() {
                continue;
            }
            let candidate = Candidate {
                proof_id: part.proof_id,
                agent_id: Uuid::nil(),
                timestamp: part.timestamp,
                fits,
            };
            rule.admit(waiting, candidate);
            let completed = rule.completed_by(waiting, Uuid::nil(), part.proof_id);
            let ids = |parts: Vec<&Candidate>| parts.iter().map(|c| c.proof_id).collect::<Vec<_>>();
            if let Some(parts) = completed.map(ids) {
                waiting.retain(|c| !parts.contains(&c.proof_id));
                earned.push(json!({ "parts": parts, "slug": rule.slug }));
            }
        }
    }
    json!({ "earned": earned })
}

fn scoring(input: Scoring) -> Result<Value, Value> {
    match input {
        Scoring::Score { rules, score } => {
            let rules = rules.map_or_else(RuleSet::default, |rules| {
                RuleSet::parse(rules.to_string().as_bytes()).unwrap()
            });
            Ok(json!(rules.score(&score)))
        }
        Scoring::Rules { rules_text } => {
            let rules = RuleSet::parse(rules_text.as_bytes()).map_err(field)?;
            Ok(json!({ "digest": rules.digest() }))
        }
        Scoring::Streak(input) => streak(&input),
        Scoring::Composites { proofs } => Ok(composites(proofs)),
    }
}

/// A document as a tree, or as text where the tree would hide what is wrong with it.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Snapshot {
    Tree { document: Value, public_key: String },
    Text { public_key: String, text: String },
}

fn snapshot(input: &Snapshot) -> Result<Value, Value> {
    let (document, public_key) = match input {
        Snapshot::Tree {
            document,
            public_key,
        } => (SnapshotDocument::from_value(document.clone()), public_key),
        Snapshot::Text { public_key, text } => {
            (SnapshotDocument::parse(text.as_bytes()), public_key)
        }
    };
    let verified = document
        .map_err(at("parse"))?
        .verify(&key(public_key)?)
        .map_err(at("verify"))?;
    let reread = SnapshotDocument::parse(&verified.to_bytes()).unwrap();
    assert_eq!(reread.snapshot(), verified.snapshot());
    Ok(json!({
        "sequence": verified.snapshot().sequence,
        "sha256": sha256(&verified.to_bytes()),
    }))
}

#[derive(Deserialize)]
struct Enrolment {
    now: Timestamp,
    #[serde(flatten)]
    document: Bytes,
}

fn enrolment(input: &Enrolment) -> Result<Value, Value> {
    let request = EnrolmentRequest::verify(&input.document.bytes(), input.now).map_err(field)?;
    Ok(json!({
        "agent_id": request.agent_id,
        "fingerprint": request.public_key.fingerprint(),
    }))
}

#[derive(Deserialize)]
struct Registration {
    kind: String,
    now: Timestamp,
    village_url: String,
    #[serde(flatten)]
    document: Bytes,
}

fn registration(input: &Registration) -> Result<Value, Value> {
    let (bytes, village, now) = (
        input.document.bytes(),
        input.village_url.as_str(),
        input.now,
    );
    let actor = match input.kind.as_str() {
        "registration" => RegistrationRequest::verify(&bytes, village, now).map(|r| r.actor),
        "departure" => DepartureRequest::verify(&bytes, village, now).map(|r| r.actor),
        other => panic!("no kind {other}"),
    };
    actor.map(|actor| json!({ "actor": actor })).map_err(field)
}

#[derive(Deserialize)]
struct LeagueInput {
    kind: String,
    #[serde(flatten)]
    document: Bytes,
}

fn league(input: &LeagueInput) -> Result<Value, Value> {
    let bytes = input.document.bytes();
    match input.kind.as_str() {
        "league" => League::parse(&bytes)
            .map(|league| json!({ "league": league.league, "rules": league.rules.digest() })),
        "list" => LeagueList::parse(&bytes).map(|list| {
            let slugs: Vec<_> = list.items.into_iter().map(|item| item.league).collect();
            json!({ "leagues": slugs })
        }),
        other => panic!("no kind {other}"),
    }
    .map_err(field)
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum CheckpointInput {
    Note { note: String, public_key: String },
    Log { entries: Vec<String> },
}

fn checkpoint(input: CheckpointInput) -> Result<Value, Value> {
    match input {
        CheckpointInput::Note { note, public_key } => {
            let read = Checkpoint::verify(&note, &key(&public_key)?).map_err(field)?;
            Ok(json!({ "origin": read.origin, "root": read.root, "size": read.size }))
        }
        CheckpointInput::Log { entries } => {
            let mut log = CompactRange::default();
            for entry in entries {
                log.append(leaf_hash(entry.as_bytes()));
            }
            Ok(json!({ "root": log.root(), "size": log.size() }))
        }
    }
}
