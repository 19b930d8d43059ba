//! The webhooks of the two forges, read down to what a verdict needs.

use serde::Deserialize;

/// What a webhook tells.
#[derive(Debug)]
pub(crate) enum Event {
    Review(Review),
    Merge(Merge),
    /// Anything else these webhooks are sent for.
    Other,
}

#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) reviewer: Person,
    pub(crate) author: Person,
    pub(crate) opinion: Opinion,
    pub(crate) body: String,
    pub(crate) submitted_at: Option<i64>,
    place: Place,
    commit: String,
}

#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) merger: Person,
    pub(crate) author: Person,
    pub(crate) changed_lines: u64,
    pub(crate) changed_files: u64,
    pub(crate) merged_at: Option<i64>,
    place: Place,
}

/// Which pull request, in ids: names can be changed.
#[derive(Debug, Clone, Copy)]
struct Place {
    repository: u64,
    pull_request: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    Approved,
    ChangesRequested,
}

impl Opinion {
    pub(crate) const ALL: [Self; 2] = [Self::Approved, Self::ChangesRequested];

    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Approved => "approved it",
            Self::ChangesRequested => "asked for changes",
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Person {
    id: u64,
    pub(crate) login: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Person {
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }

    pub(crate) fn is_bot(&self) -> bool {
        self.kind == "Bot" || self.login.ends_with("[bot]")
    }
}

#[derive(Deserialize)]
struct Payload {
    action: String,
    pull_request: PullRequest,
    repository: Repository,
    sender: Person,
    review: Option<ReviewPart>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
}

#[derive(Deserialize)]
struct PullRequest {
    id: u64,
    user: Person,
    head: Head,
    #[serde(default)]
    merged: Option<bool>,
    merged_at: Option<jiff::Timestamp>,
    merged_by: Option<Person>,
    additions: Option<u64>,
    deletions: Option<u64>,
    changed_files: Option<u64>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    sha: String,
}

/// GitHub has `state`, `body`, `user`, `commit_id`, `submitted_at`; Gitea has `type` and `content`, and
/// the reviewer is the sender.
#[derive(Deserialize)]
struct ReviewPart {
    state: Option<String>,
    body: Option<String>,
    user: Option<Person>,
    commit_id: Option<String>,
    submitted_at: Option<jiff::Timestamp>,
    #[serde(rename = "type")]
    kind: Option<String>,
    content: Option<String>,
}

/// Reads a webhook; `name` is the forge's own name of the event.
pub(crate) fn parse(name: &str, raw: &[u8]) -> Result<Event, String> {
    if !matches!(
        name,
        "pull_request" | "pull_request_review" | "pull_request_approved" | "pull_request_rejected"
    ) {
        return Ok(Event::Other);
    }
    let payload: Payload =
        serde_json::from_slice(raw).map_err(|e| format!("not a {name} webhook: {e}"))?;
    let event = match (name, payload.action.as_str()) {
        ("pull_request", "closed") => payload.merge().map(Event::Merge),
        ("pull_request_review", "submitted")
        | ("pull_request_approved" | "pull_request_rejected", "reviewed") => {
            payload.review().map(Event::Review)
        }
        _ => None,
    };
    Ok(event.unwrap_or(Event::Other))
}

impl Payload {
    fn place(&self) -> Place {
        Place {
            repository: self.repository.id,
            pull_request: self.pull_request.id,
        }
    }

    fn review(self) -> Option<Review> {
        let place = self.place();
        let review = self.review?;
        let opinion = match review.state.as_deref().or(review.kind.as_deref())? {
            "approved" | "pull_request_review_approved" => Opinion::Approved,
            "changes_requested" | "pull_request_review_rejected" => Opinion::ChangesRequested,
            _ => return None,
        };
        Some(Review {
            reviewer: review.user.unwrap_or(self.sender),
            author: self.pull_request.user,
            opinion,
            body: review.body.or(review.content).unwrap_or_default(),
            submitted_at: review.submitted_at.map(jiff::Timestamp::as_second),
            place,
            commit: review.commit_id.unwrap_or(self.pull_request.head.sha),
        })
    }

    fn merge(self) -> Option<Merge> {
        let place = self.place();
        let pull = self.pull_request;
        if pull.merged != Some(true) {
            return None;
        }
        Some(Merge {
            merger: pull.merged_by.unwrap_or(self.sender),
            author: pull.user,
            changed_lines: pull
                .additions
                .unwrap_or(0)
                .saturating_add(pull.deletions.unwrap_or(0)),
            changed_files: pull.changed_files.unwrap_or(1),
            merged_at: pull.merged_at.map(jiff::Timestamp::as_second),
            place,
        })
    }
}

impl Review {
    /// One reviewer's view of one commit.
    pub(crate) fn key(&self) -> Vec<u8> {
        let Place {
            repository,
            pull_request,
        } = self.place;
        let (reviewer, commit) = (self.reviewer.id, &self.commit);
        format!("review {repository} {pull_request} {reviewer} {commit}").into_bytes()
    }

    pub(crate) fn evidence(&self, words: u32) -> Vec<u8> {
        serde_json::json!({
            "commit": self.commit,
            "opinion": self.opinion.phrase(),
            "pull_request": self.place.pull_request,
            "repository": self.place.repository,
            "reviewer": self.reviewer.login,
            "submitted_at": self.submitted_at,
            "words": words,
        })
        .to_string()
        .into_bytes()
    }
}

impl Merge {
    /// One merge.
    pub(crate) fn key(&self) -> Vec<u8> {
        let Place {
            repository,
            pull_request,
        } = self.place;
        format!("merge {repository} {pull_request}").into_bytes()
    }

    pub(crate) fn evidence(&self) -> Vec<u8> {
        serde_json::json!({
            "changed_files": self.changed_files,
            "changed_lines": self.changed_lines,
            "merged_at": self.merged_at,
            "merger": self.merger.login,
            "pull_request": self.place.pull_request,
            "repository": self.place.repository,
        })
        .to_string()
        .into_bytes()
    }
}
