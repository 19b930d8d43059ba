//! What happens on a farm in the years of a long ledger.
//!
//! Six agents with nine kinds of work in all categories and action types; most of it in the hours of
//! working days, one proof in twelve earns nothing. Beside it: purchases, days of rest, changed rules, leagues
//! that are joined, changed and left, agents that go silent or hand over their key, two moves to another time
//! zone, and the composites that follow from it all. Nothing is left to chance: it is the same every time.

use farmops_farm::catalogue::Catalogue;
use farmops_ledger::{AgentApproved, AgentOutage, Event};
use farmops_protocol::{
    digest::sha256,
    enrolment::EnrolmentRequest,
    int::SafeUint,
    key::{PublicKey, SecretKey},
    proof::{
        ActionType, Category, Complexity, Outcome, OutcomeStatus, ScoringHints, VerifiedProof,
    },
    rotation::{KeyRotation, ParsedKeyRotation},
    scoring::RuleSet,
    time::Timestamp,
};
use farmops_tracker::domain::{
    Founding, LeagueOffer, State, WaitingRoom, decide_calendar, decide_found, decide_join_league,
    decide_leave_league, decide_purchase, decide_rest, decide_rotate, decide_rules,
};
use jiff::civil::Date;

use crate::cast::TestAgent;

/// When it begins: a Monday.
const START: &str = "2022-11-07T00:00:00Z";
const AGENTS: u8 = 6;
const DAY: i64 = 86_400;
const WORKING_DAY_PROOFS: u64 = 950;
const DAY_OFF_PROOFS: u64 = 40;

/// A kind of work, and how often it happens.
struct Kind(u64, &'static str, ActionType, Category);

const KINDS: [Kind; 10] = [
    Kind(
        30,
        "farmops/git-pr-review",
        ActionType::Review,
        Category::Maintenance,
    ),
    Kind(
        16,
        "farmops/ci-pipeline",
        ActionType::Verify,
        Category::Reliability,
    ),
    Kind(
        14,
        "farmops/prometheus-alert-resolve",
        ActionType::Resolve,
        Category::Incident,
    ),
    Kind(9, "farmops/ticket-close", ActionType::Fix, Category::Toil),
    Kind(
        8,
        "farmops/helm-release",
        ActionType::Deploy,
        Category::Upgrade,
    ),
    Kind(
        6,
        "farmops/cve-scan",
        ActionType::Verify,
        Category::Security,
    ),
    Kind(
        5,
        "farmops/helm-release",
        ActionType::Upgrade,
        Category::Upgrade,
    ),
    Kind(
        5,
        "farmops/slo-watch",
        ActionType::Observe,
        Category::Reliability,
    ),
    Kind(
        4,
        "farmops/terraform-apply",
        ActionType::Configure,
        Category::Toil,
    ),
    Kind(3, "farmops/cve-scan", ActionType::Fix, Category::Security),
];

/// Numbers that look like chance (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The story as far as it is told.
pub(crate) struct Story {
    agents: Vec<TestAgent>,
    numbers: Numbers,
    keys: u8,
    bought: u64,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self {
            agents: (1..=AGENTS).map(TestAgent::new).collect(),
            numbers: Numbers(0x9e37_79b9_7f4a_7c15),
            keys: AGENTS,
            bought: 0,
        }
    }

    /// The midnight that a day begins with.
    pub(crate) fn midnight(day: i64) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        start.saturating_add(day * DAY)
    }

    /// The founding, and the agents.
    pub(crate) fn beginning(&self, key: PublicKey) -> Vec<Event> {
        let founding = Founding {
            handle: "alice".to_owned(),
            name: "Alice's farm".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            working_days: [true, true, true, true, true, false, false],
        };
        let now = Self::midnight(0);
        let mut events = decide_found(&State::default(), &founding, key).unwrap();
        for agent in &self.agents {
            let request = EnrolmentRequest::verify(&agent.enrolment(now), now).unwrap();
            events.push(Event::AgentEnrolled(request));
            events.push(Event::AgentApproved(AgentApproved {
                agent_id: agent.id,
                fingerprint: agent.key.public().fingerprint(),
            }));
        }
        events
    }

    /// What happens in the first second of a day, beside work. Each is decided after the one before.
    pub(crate) fn morning(&mut self, state: &State, day: i64, step: u8) -> Option<Event> {
        let now = Self::midnight(day);
        match step {
            0 => self.hand_over(state, day, now),
            1 => leagues(state, day),
            2 => rules(state, day),
            3 => zone(state, day, now),
            4 => rest(state, day, now),
            5 => silence(&self.agents, day, now),
            _ => self.buy(state, day, now),
        }
    }

    /// The proofs of a day, in order.
    pub(crate) fn work(&mut self, day: i64) -> Vec<(Timestamp, VerifiedProof)> {
        let working = day % 7 < 5;
        // Work goes on from six to twenty o'clock, a few proofs a minute.
        let (proofs, open) = if working {
            (WORKING_DAY_PROOFS, 14 * 3600)
        } else {
            (DAY_OFF_PROOFS, 10 * 3600)
        };
        let morning = Self::midnight(day).saturating_add(6 * 3600);
        let mut seconds: Vec<_> = (0..proofs).map(|_| self.numbers.below(open)).collect();
        seconds.sort_unstable();
        let at = |second| morning.saturating_add(i64::try_from(second).unwrap());
        seconds
            .into_iter()
            .map(|second| (at(second), self.one(at(second))))
            .collect()
    }

    fn one(&mut self, at: Timestamp) -> VerifiedProof {
        let mut lot = self.numbers.below(KINDS.iter().map(|kind| kind.0).sum());
        let Kind(_, plugin, action_type, category) = KINDS
            .iter()
            .find(|kind| {
                let it = lot < kind.0;
                lot = lot.saturating_sub(kind.0);
                it
            })
            .unwrap();
        let agent = usize::try_from(self.numbers.below(AGENTS.into())).unwrap();
        let agent = &mut self.agents[agent];
        let previous = agent.head;
        let mut body = agent.body_after(previous.as_ref(), *category, at);
        body.action.action_type = *action_type;
        (*plugin).clone_into(&mut body.action.plugin);
        body.action.description = format!("Did what {plugin} saw within 14 minutes");
        let (status, verified) = match self.numbers.below(24) {
            0 => (OutcomeStatus::Failure, true),
            1 => (OutcomeStatus::Partial, false),
            _ => (OutcomeStatus::Success, true),
        };
        body.outcome = Outcome {
            evidence_hash: sha256(&self.numbers.0.to_be_bytes()),
            status,
            verified,
        };
        let size = |n: u64| SafeUint::try_from(n).unwrap();
        body.scoring_hints = ScoringHints {
            artifacts_touched: size(1 + self.numbers.below(20)),
            complexity: [Complexity::Low, Complexity::Medium, Complexity::High]
                [usize::try_from(self.numbers.below(3)).unwrap()],
            impact_radius: size(1 + self.numbers.below(10)),
            time_spent_seconds: (!self.numbers.0.is_multiple_of(3)).then(|| size(840)),
        };
        let proof = body.sign(&agent.key).unwrap();
        agent.advance(&proof);
        proof
    }

    /// Every agent hands its key over about once a year.
    fn hand_over(&mut self, state: &State, day: i64, now: Timestamp) -> Option<Event> {
        let n = usize::try_from((day + 1) % 360 / 60).unwrap();
        let agent = self.agents.get_mut(n).filter(|_| (day + 1) % 60 == 0)?;
        self.keys += 1;
        let new = SecretKey::from_bytes([self.keys; 32]);
        let text = KeyRotation::sign(agent.id, agent.head.as_ref(), &agent.key, &new, now).unwrap();
        let rotation = ParsedKeyRotation::parse(&text).unwrap();
        let event = decide_rotate(state, &WaitingRoom::default(), rotation, now).unwrap();
        agent.key = new;
        event
    }

    /// Every ten days the next thing in the catalogue, if it can be had.
    fn buy(&mut self, state: &State, day: i64, now: Timestamp) -> Option<Event> {
        if day % 10 != 9 {
            return None;
        }
        self.bought += 1;
        let key = sha256(&self.bought.to_be_bytes());
        let items = Catalogue::builtin().items();
        let first = usize::try_from(self.bought).unwrap() % items.len();
        let (later, earlier) = (&items[first..], &items[..first]);
        later
            .iter()
            .chain(earlier)
            .find_map(|item| decide_purchase(state, key, &item.slug, now).ok().flatten())
    }
}

fn leagues(state: &State, day: i64) -> Option<Event> {
    let join = |slug: &str, incident| {
        let mut rules = RuleSet::default();
        rules.base_coins.incident = incident;
        let offer = LeagueOffer {
            league: slug.to_owned(),
            name: slug.to_owned(),
            rules,
            village: None,
        };
        decide_join_league(state, offer).unwrap()
    };
    match day {
        60 => join("platform-league", 40),
        200 => join("autumn-cup", 20),
        400 => join("platform-league", 50),
        700 => decide_leave_league(state, "autumn-cup").unwrap(),
        900 => join("autumn-cup", 25),
        _ => None,
    }
}

fn rules(state: &State, day: i64) -> Option<Event> {
    let mut rules = RuleSet::default();
    match day {
        300 => rules.caps.per_day = Some(40_000),
        800 => rules.caps.per_proof = Some(100),
        _ => return None,
    }
    decide_rules(state, rules)
}

fn zone(state: &State, day: i64, now: Timestamp) -> Option<Event> {
    let zone = match day {
        500 => "America/New_York",
        750 => "Europe/Berlin",
        _ => return None,
    };
    let week = [true, true, true, true, true, false, false];
    decide_calendar(state, zone, week, now).unwrap()
}

/// A day off every other Monday.
fn rest(state: &State, day: i64, now: Timestamp) -> Option<Event> {
    let start: Date = START[..10].parse().unwrap();
    let off = start + jiff::Span::new().days(day + 7);
    if day % 14 != 0 {
        return None;
    }
    decide_rest(state, off, true, now).unwrap()
}

fn silence(agents: &[TestAgent], day: i64, now: Timestamp) -> Option<Event> {
    let agent = agents.get(usize::try_from(day % 90).unwrap())?;
    (day > 90).then(|| {
        Event::AgentOutage(AgentOutage {
            agent_id: agent.id,
            from: now.saturating_add(-30 * 3600),
            until: now.saturating_add(-9 * 3600),
        })
    })
}
