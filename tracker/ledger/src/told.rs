//! What happened, in a sentence for people. It is made from the entry alone, so it is the same wherever
//! the entry is read; machines read the body.

use farmops_farm::catalogue::Catalogue;
use farmops_protocol::enrolment::EnrolmentRequest;
use uuid::Uuid;

use super::{
    AcceptedProof, AgentDismissed, AgentOutage, AgentRevoked, CalendarChanged, ChainReset,
    CompositeEarned, Event, ItemPurchased, LeagueJoined, bodies::FarmProfile,
};

/// The days of the week, as `working_days` has them.
const WEEK: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

impl Event {
    /// The event as a sentence.
    pub fn told(&self) -> String {
        match self {
            Self::FarmFounded(profile) => founded(profile),
            Self::FarmRenamed(renamed) => format!("The farm is called “{}” now.", renamed.name),
            Self::CalendarChanged(changed) => calendar(changed),
            Self::DayMarked(marked) if marked.rest => format!("{} is a day of rest.", marked.day),
            Self::DayMarked(marked) => format!("{} is a day of rest no longer.", marked.day),
            Self::ItemPurchased(purchased) => purchase(purchased),
            Self::RulesAdopted(rules) => {
                let digest = rules.digest().to_string();
                format!(
                    "Proofs are scored by the rules {} from here on.",
                    &digest[..12]
                )
            }
            Self::LeagueJoined(joined) => league(joined),
            Self::LeagueLeft(left) => format!("The farm left the league {}.", left.league),
            Self::AgentEnrolled(request) => enrolled(request),
            Self::AgentApproved(approved) => {
                format!("The owner approved the agent {}.", approved.agent_id)
            }
            Self::AgentDismissed(dismissed) => sent_away(dismissed),
            Self::AgentRevoked(revoked) => taken_back(revoked),
            Self::KeyRotated(rotated) => format!(
                "The agent {} handed over to a new key, after {}.",
                rotated.agent_id,
                counted(rotated.place, "proof")
            ),
            Self::ChainReset(reset) => resumed(reset),
            Self::AgentOutage(outage) => silent(outage),
            Self::ProofAccepted(proof) => accepted(proof),
            Self::ForkRefused(fork) => format!(
                "The agent {} signed a second proof where the proof {} stands; it was refused and kept \
                 as evidence.",
                fork.agent_id, fork.kept
            ),
            Self::CompositeEarned(composite) => composed(composite),
        }
    }

    /// What it brings that the owner decided about `agent`, in a sentence or none; nothing if this is no such
    /// decision.
    pub fn decided(&self, agent: Uuid) -> Option<String> {
        match self {
            Self::AgentApproved(approved) if approved.agent_id == agent => Some(String::new()),
            Self::AgentDismissed(dismissed) if dismissed.agent_id == agent => Some(lost(dismissed)),
            Self::AgentRevoked(revoked) if revoked.agent_id == agent => Some(stays(revoked)),
            _ => None,
        }
    }
}

fn founded(profile: &FarmProfile) -> String {
    format!(
        "{} founded the farm “{}”, whose days are those of {}.",
        profile.handle, profile.name, profile.time_zone
    )
}

fn calendar(changed: &CalendarChanged) -> String {
    let days = WEEK.iter().zip(changed.working_days);
    let days: Vec<_> = days
        .filter(|(_, works)| *works)
        .map(|(day, _)| *day)
        .collect();
    format!(
        "From {} on the farmer lives by the clocks of {} and works on {}.",
        changed.from,
        changed.time_zone,
        listed(&days)
    )
}

fn purchase(purchased: &ItemPurchased) -> String {
    let item = Catalogue::builtin().item(&purchased.item);
    let name = item.map_or(purchased.item.as_str(), |item| item.name.as_str());
    let price = counted(purchased.price, "coin");
    match purchased.level {
        1 => format!("{name} was bought for {price}."),
        level => format!("{name} was raised to level {level} for {price}."),
    }
}

fn league(joined: &LeagueJoined) -> String {
    let of = joined.village.as_ref().map_or_else(String::new, |village| {
        format!(" of {}", village.host_str().unwrap_or(village.as_str()))
    });
    format!(
        "The farm joined the league “{}”{of}, or took over its rules.",
        joined.name
    )
}

fn enrolled(request: &EnrolmentRequest) -> String {
    format!(
        "The agent {} for “{}” presented its key and waits for approval.",
        request.agent_id, request.cluster_alias
    )
}

fn sent_away(dismissed: &AgentDismissed) -> String {
    let lost = lost(dismissed);
    format!("The agent {} was sent away. {lost}", dismissed.agent_id)
}

fn lost(dismissed: &AgentDismissed) -> String {
    match dismissed.head.map_or(0, |head| head.length.value()) {
        0 => "It had sent nothing.".to_owned(),
        1 => "The proof that it had sent was not kept.".to_owned(),
        more => format!("The {more} proofs that it had sent were not kept."),
    }
}

fn taken_back(revoked: &AgentRevoked) -> String {
    format!(
        "The owner trusts the agent {} no longer. {}",
        revoked.agent_id,
        stays(revoked)
    )
}

/// What of it counts no longer, or that all does.
fn stays(revoked: &AgentRevoked) -> String {
    let of = |proofs: bool| {
        let part = revoked.withdrawn.iter();
        part.filter(move |taken| taken.category.is_some() == proofs)
    };
    let proofs: u64 = of(true).map(|taken| taken.proofs).sum();
    let composites: u64 = of(false).map(|taken| taken.proofs).sum();
    let coins: u64 = revoked.withdrawn.iter().map(|taken| taken.coins).sum();
    let mut taken = vec![counted(proofs, "proof")];
    if composites > 0 {
        taken.push(counted(composites, "composite"));
    }
    taken.push(counted(coins, "coin"));
    let taken: Vec<_> = taken.iter().map(String::as_str).collect();
    match revoked.withdrawn.as_slice() {
        [] => "What it brought stays.".to_owned(),
        _ => format!("{} no longer count.", listed(&taken)),
    }
}

fn resumed(reset: &ChainReset) -> String {
    let place = match reset.resumes_at {
        Some(head) => format!("resumes after its proof {}", head.proof_id),
        None => "begins anew".to_owned(),
    };
    let asked = match reset.asked {
        Some(_) => ", as it had asked",
        None => "",
    };
    format!("The chain of the agent {} {place}{asked}.", reset.agent_id)
}

fn silent(outage: &AgentOutage) -> String {
    let hours = outage.until.seconds_since(outage.from).max(0) / 3600;
    format!(
        "The agent {} was heard of again after {hours} hours of silence, since {}.",
        outage.agent_id, outage.from
    )
}

fn accepted(proof: &AcceptedProof) -> String {
    let body = proof.body();
    let earns = if proof.earns() {
        ""
    } else {
        " It earns nothing."
    };
    format!(
        "“{}” proved {} work: {}.{earns}",
        body.agent.cluster_alias,
        body.action.category.as_str(),
        body.action.description.trim_end_matches('.')
    )
}

fn composed(composite: &CompositeEarned) -> String {
    format!(
        "{} together made {}, for {}.",
        counted(composite.parts.len() as u64, "proof"),
        composite.slug,
        counted(composite.coins, "coin")
    )
}

/// `1 coin`, `2 coins`.
/// `1 proof`, `2 proofs`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
