//! Chains: what follows, and what does not.

use farmops_protocol::digest::sha256;
use serde_json::{Value, json};

use super::{
    case::{Case, NOW, agent_key, replaced},
    signing::{UNSIGNED, sealed},
};

const KIND: &str = "chain";
/// The agent of every proof here.
const AGENT: &str = "0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11";

/// An unsigned proof with its place in a chain.
struct Link {
    unsigned: String,
    id: String,
}

impl Link {
    fn first(number: u8, time: &str) -> Self {
        let id = format!("0195d2c8-3000-7000-8000-0000000000{number:02}");
        let unsigned = replaced(UNSIGNED, "0195d2c8-3000-7000-8000-000000000001", &id);
        Self {
            unsigned: replaced(&unsigned, NOW, time),
            id,
        }
    }

    fn after(previous: &Self, number: u8, time: &str) -> Self {
        let hash = sha256(previous.unsigned.as_bytes()).to_string();
        Self::naming(&previous.id, &hash, number, time)
    }

    fn naming(id: &str, hash: &str, number: u8, time: &str) -> Self {
        let link = Self::first(number, time);
        let unsigned = replaced(
            &link.unsigned,
            r#""prev_proof_hash":null,"prev_proof_id":null"#,
            &format!(r#""prev_proof_hash":"{hash}","prev_proof_id":"{id}""#),
        );
        Self { unsigned, ..link }
    }

    fn called(self, id: &str) -> Self {
        Self {
            unsigned: replaced(
                &self.unsigned,
                &format!(r#""proof_id":"{}","schema"#, self.id),
                &format!(r#""proof_id":"{id}","schema"#),
            ),
            id: id.to_owned(),
        }
    }

    fn saying(self, text: &str) -> Self {
        Self {
            unsigned: replaced(&self.unsigned, "52 pods", text),
            ..self
        }
    }
}

fn input(links: &[&Link]) -> Value {
    let proofs: Vec<String> = links.iter().map(|link| sealed(&link.unsigned)).collect();
    json!({ "now": NOW, "proofs": proofs, "public_key": agent_key().public() })
}

/// Of a branch that resumes after `link`.
fn branch_input(resumes_after: &Value, links: &[&Link]) -> Value {
    let mut input = input(links);
    input["resumes_after"] = resumes_after.clone();
    input
}

fn head(link: &Link, length: u64, time: &str) -> Value {
    json!({ "hash": sha256(link.unsigned.as_bytes()), "length": length, "proof_id": link.id, "timestamp": time })
}

pub(crate) fn cases() -> Vec<Case> {
    let times = [
        "2026-02-21T09:00:00Z",
        "2026-02-21T09:10:00Z",
        "2026-02-21T09:20:00Z",
    ];
    let first = Link::first(1, times[0]);
    let second = Link::after(&first, 2, times[1]);
    let third = Link::after(&second, 3, times[2]);
    let same_second = Link::after(&first, 2, times[0]);
    let (soon, too_soon) = ("2026-02-21T09:35:00Z", "2026-02-21T09:35:01Z");
    let (ahead, too_far_ahead) = (Link::first(1, soon), Link::first(1, too_soon));
    let long_ago = Link::first(1, "2019-01-01T00:00:00Z");
    let valid = |name: &str, clause, title: &str, links: &[&Link], head: Value| {
        Case::valid(KIND, name, clause, title, input(links), head)
    };
    let mut cases = vec![
        valid(
            "first-proof",
            "PRF-CHAIN-001",
            "a first proof",
            &[&first],
            head(&first, 1, times[0]),
        ),
        valid(
            "three-proofs",
            "PRF-CHAIN-002",
            "each names the one before",
            &[&first, &second, &third],
            head(&third, 3, times[2]),
        ),
        valid(
            "same-second",
            "PRF-CHAIN-004",
            "two proofs of one second",
            &[&first, &same_second],
            head(&same_second, 2, times[0]),
        ),
        valid(
            "five-minutes-ahead",
            "PRF-CHAIN-005",
            "exactly 300 seconds ahead",
            &[&ahead],
            head(&ahead, 1, soon),
        ),
        valid(
            "long-ago",
            "PRF-CHAIN-005",
            "the past has no limit: an agent may have been offline",
            &[&long_ago],
            head(&long_ago, 1, "2019-01-01T00:00:00Z"),
        ),
    ];
    let hash = |link: &Link| sha256(link.unsigned.as_bytes()).to_string();
    let whole = sha256(sealed(&first.unsigned).as_bytes()).to_string();
    let other_first = Link::first(9, times[1]);
    let fork = Link::after(&first, 9, times[2]);
    let gap = Link::after(&Link::after(&first, 8, times[1]), 9, times[2]);
    let wrong_hash = Link::naming(&first.id, &hash(&second), 2, times[1]);
    let hash_of_all = Link::naming(&first.id, &whole, 2, times[1]);
    let same_id = Link::after(&first, 2, times[1]).saying("53 pods");
    let own_id = Link::naming(&second.id, &hash(&first), 2, times[1]);
    let earlier = Link::after(&first, 2, "2026-02-21T08:59:59Z");
    let later = Link::after(&first, 2, too_soon);
    let as_agent = Link::first(1, times[0]).called(AGENT);
    let second_as_agent = Link::after(&first, 2, times[1]).called(AGENT);
    for (name, clause, title, links, code, field) in [
        (
            "second-first-proof",
            "PRF-CHAIN-003",
            "a second first proof",
            vec![&first, &other_first],
            "second-genesis",
            "prev_proof_id",
        ),
        (
            "fork",
            "PRF-CHAIN-003",
            "a second proof with the same predecessor",
            vec![&first, &second, &fork],
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "gap",
            "PRF-CHAIN-002",
            "a predecessor that never came",
            vec![&first, &gap],
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "no-first-proof",
            "PRF-CHAIN-001",
            "an empty chain and a proof that names a predecessor",
            vec![&second],
            "no-genesis",
            "prev_proof_id",
        ),
        (
            "wrong-hash",
            "PRF-CHAIN-002",
            "the head's id with another hash",
            vec![&first, &wrong_hash],
            "wrong-hash",
            "prev_proof_hash",
        ),
        (
            "hash-of-signed-bytes",
            "PRF-HASH-001",
            "the hash taken with the signature included",
            vec![&first, &hash_of_all],
            "wrong-hash",
            "prev_proof_hash",
        ),
        (
            "same-id-other-content",
            "PRF-CHAIN-007",
            "the head's id for another proof",
            vec![&first, &second, &same_id],
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "names-itself",
            "PRF-CHAIN-002",
            "a proof that names itself",
            vec![&first, &own_id],
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "the-head-again",
            "PRF-CHAIN-006",
            "the head once more, to be acknowledged",
            vec![&first, &second, &second],
            "duplicate",
            "proof_id",
        ),
        (
            "an-earlier-one-again",
            "PRF-CHAIN-006",
            "an earlier proof once more, known only to who has the whole chain",
            vec![&first, &second, &third, &second],
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "back-in-time",
            "PRF-CHAIN-004",
            "one second before its predecessor",
            vec![&first, &earlier],
            "back-in-time",
            "timestamp",
        ),
        (
            "first-proof-from-the-future",
            "PRF-CHAIN-005",
            "301 seconds ahead",
            vec![&too_far_ahead],
            "future-dated",
            "timestamp",
        ),
        (
            "proof-from-the-future",
            "PRF-CHAIN-005",
            "301 seconds ahead, as second proof",
            vec![&first, &later],
            "future-dated",
            "timestamp",
        ),
        (
            "first-proof-with-the-agents-id",
            "PRF-CHAIN-011",
            "a first proof whose id is its agent's",
            vec![&as_agent],
            "invalid",
            "proof_id",
        ),
        (
            "second-proof-with-the-agents-id",
            "PRF-CHAIN-011",
            "a second proof whose id is its agent's",
            vec![&first, &second_as_agent],
            "invalid",
            "proof_id",
        ),
    ] {
        let expect = json!({ "at": links.len() - 1, "code": code, "field": field });
        cases.push(Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&links),
            expect,
        ));
    }
    let resumes_after = head(&first, 1, times[0]);
    cases.push(Case::invalid(
        KIND,
        "after-a-proof-with-the-agents-id",
        "PRF-CHAIN-011",
        "follows a proof whose id is its agent's, which an old log may have",
        branch_input(
            &head(&as_agent, 1, times[0]),
            &[&Link::after(&as_agent, 2, times[1])],
        ),
        json!({ "at": 0, "code": "invalid", "field": "prev_proof_id" }),
    ));
    cases.push(Case::valid(
        KIND,
        "branch",
        "PRF-RESET-002",
        "a branch that resumes after a proof of an earlier one",
        branch_input(&resumes_after, &[&second, &third]),
        head(&third, 3, times[2]),
    ));
    for (name, title, link, code, field) in [
        (
            "branch-elsewhere",
            "the first proof of a branch follows another proof",
            &third,
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "branch-anew-unasked",
            "a first proof for a branch that resumes after one",
            &other_first,
            "second-genesis",
            "prev_proof_id",
        ),
        (
            "branch-back-in-time",
            "before the proof that the branch resumes after",
            &earlier,
            "back-in-time",
            "timestamp",
        ),
    ] {
        cases.push(Case::invalid(
            KIND,
            name,
            "PRF-RESET-002",
            title,
            branch_input(&resumes_after, &[link]),
            json!({ "at": 0, "code": code, "field": field }),
        ));
    }
    cases
}
