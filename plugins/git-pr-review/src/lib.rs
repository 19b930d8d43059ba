//! `farmops/git-pr-review`: a pull request read with care, or brought in.
//!
//! Reads the webhooks `pull_request_review` and `pull_request` of GitHub, and Gitea's
//! `pull_request_approved`, `pull_request_rejected` and `pull_request`. Rewarded: a review that asks
//! for changes, or approves and says something; a merge of somebody else's pull request.
//!
//! Not rewarded: one's own pull request, a nod without a word, comments, dismissals, closing.
//! One reviewer's view of one commit is one piece of work, and so is one merge.

mod event;
mod settings;

use std::collections::BTreeMap;

use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Complexity, Description, Finding, Hints,
    Observation, OutcomeStatus, Plugin, SourceRequirement, Template, Verdict, Who,
};

use crate::event::{Event, Merge, Opinion, Person, Review};
use crate::settings::Settings;

/// The plugin; made with [`PrReview::default`].
#[derive(Debug, Default)]
pub struct PrReview {
    settings: Settings,
}

farmops_plugin::export!(PrReview);

impl Plugin for PrReview {
    fn describe(&self) -> Description {
        let source = |source_type| {
            SourceRequirement::new(source_type, &["pull request and review webhooks"])
        };
        Description {
            plugin_id: "farmops/git-pr-review".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Rewards reviews and merges of other people's pull requests.".to_owned(),
            categories: vec![Category::Reliability, Category::Maintenance],
            sources: vec![source("github"), source("gitea")],
            templates: vec![
                Template::new("reviewed", "Reviewed a pull request and {opinion}")
                    .choice("opinion", &Opinion::ALL.map(Opinion::phrase)),
                Template::new("merged", "Merged a {size} pull request").choice("size", &SIZES),
            ],
            subcategories: vec!["review".to_owned(), "merge".to_owned()],
            settings_schema: Some(Settings::schema()),
        }
    }

    fn configure(&mut self, settings: &serde_json::Value) -> Result<(), BadSettings> {
        self.settings = farmops_plugin::settings::read(settings)?;
        Ok(())
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        if !matches!(observation.source_type.as_str(), "github" | "gitea") {
            return Verdict::rejected("not a webhook of GitHub or Gitea");
        }
        match event::parse(&observation.event, &observation.raw_data) {
            Ok(Event::Review(review)) => self.judge_review(&review, observation.detected_at),
            Ok(Event::Merge(merge)) => judge_merge(&merge, observation.detected_at),
            Ok(Event::Other) => Verdict::rejected("neither a review nor a merge"),
            Err(reason) => Verdict::Inconclusive(reason),
        }
    }
}

const SIZES: [&str; 3] = ["small", "medium", "large"];

impl PrReview {
    fn judge_review(&self, review: &Review, detected_at: i64) -> Verdict {
        if review.reviewer.is(&review.author) {
            return Verdict::rejected("a review of one's own pull request");
        }
        let words = review.body.split_whitespace();
        let words = u32::try_from(words.count()).unwrap_or(u32::MAX);
        if review.opinion == Opinion::Approved && words < self.settings.approval_words_min {
            return Verdict::rejected("an approval without a word");
        }
        let complexity = match (review.opinion, words) {
            (_, 80..) => Complexity::High,
            (Opinion::ChangesRequested, _) | (_, 20..) => Complexity::Medium,
            (Opinion::Approved, _) => Complexity::Low,
        };
        Verdict::Verified(Box::new(Finding {
            action_type: ActionType::Review,
            category: Category::Reliability,
            subcategory: Some("review".to_owned()),
            template: "reviewed".to_owned(),
            numbers: BTreeMap::new(),
            words: word("opinion", review.opinion.phrase()),
            hints: Hints {
                complexity,
                impact_radius: 1,
                artifacts_touched: 1,
                time_spent_seconds: None,
            },
            outcome: OutcomeStatus::Success,
            evidence: review.evidence(words),
            actor: actor(&review.reviewer),
            dedupe_key: review.key(),
            finished_at: review.submitted_at.unwrap_or(detected_at),
        }))
    }
}

fn judge_merge(merge: &Merge, detected_at: i64) -> Verdict {
    if merge.merger.is(&merge.author) {
        return Verdict::rejected("a merge of one's own pull request");
    }
    let (complexity, size) = match merge.changed_lines {
        0..50 => (Complexity::Low, SIZES[0]),
        50..500 => (Complexity::Medium, SIZES[1]),
        500.. => (Complexity::High, SIZES[2]),
    };
    Verdict::Verified(Box::new(Finding {
        action_type: ActionType::Deploy,
        category: Category::Maintenance,
        subcategory: Some("merge".to_owned()),
        template: "merged".to_owned(),
        numbers: BTreeMap::new(),
        words: word("size", size),
        hints: Hints {
            complexity,
            impact_radius: u32::try_from(merge.changed_files.clamp(1, 10)).unwrap_or(10),
            artifacts_touched: merge.changed_files.max(1),
            time_spent_seconds: None,
        },
        outcome: OutcomeStatus::Success,
        evidence: merge.evidence(),
        actor: actor(&merge.merger),
        dedupe_key: merge.key(),
        finished_at: merge.merged_at.unwrap_or(detected_at),
    }))
}

fn word(gap: &str, word: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(gap.to_owned(), word.to_owned())])
}

fn actor(person: &Person) -> Actor {
    Actor {
        who: Who::Identifier(person.login.clone()),
        kind: if person.is_bot() {
            ActorType::Bot
        } else {
            ActorType::Human
        },
    }
}

#[cfg(test)]
mod tests;
