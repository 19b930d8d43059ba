//! Every event and every archive reads back as it was written, and nothing else does.
#![allow(clippy::unwrap_used)]

mod archives;
#[path = "../../../tests/boundary/cast.rs"]
mod cast;
mod events;

use farmops_ledger::{
    CompositeEarned, Event, EventError,
    archive::{FormatError, LEDGER, Opened},
};
use farmops_protocol::{canonical::is_canonical, digest::sha256, scoring::RuleSet};

use self::{cast::TestAgent, events::events};

#[test]
fn every_event_reads_back() {
    for event in events() {
        let body = event.body();
        assert!(is_canonical(&body, 8), "{}", event.kind());
        assert_eq!(Event::read(event.kind(), &body).unwrap(), event);
    }
}

#[test]
fn a_purchase_of_before_boosts_were_written_down_reads_and_writes_as_it_was() {
    let body = format!(
        r#"{{"idempotency_key":"{}","item":"barn","level":2,"price":300}}"#,
        sha256(b"key")
    );
    let event = Event::read("item_purchased", body.as_bytes()).unwrap();
    assert_eq!(&*event.body(), body.as_bytes());
}

#[test]
fn a_sum_beyond_what_json_has_is_written_as_that_many_or_more() {
    let most = 9_007_199_254_740_991;
    for event in events() {
        let body = String::from_utf8(event.body().into_owned()).unwrap();
        assert!(!body.is_empty(), "{}", event.kind());
    }
    let beyond = CompositeEarned {
        coins: u64::MAX,
        day: "2026-02-20".parse().unwrap(),
        parts: Vec::new(),
        slug: "safe-change".to_owned(),
    };
    let body = Event::CompositeEarned(beyond.clone()).body().into_owned();
    let read = Event::read("composite_earned", &body).unwrap();
    let capped = CompositeEarned {
        coins: most,
        ..beyond
    };
    assert_eq!(read, Event::CompositeEarned(capped));
}

#[test]
fn a_line_that_is_not_ours_is_refused() {
    assert!(matches!(
        Event::read("proof_forgotten", b"{}"),
        Err(EventError::UnknownKind(_))
    ));
    for event in events() {
        for body in [&b"{}"[..], b"", b"{\"x\":1}", b"[[[[[[[["] {
            assert!(
                matches!(
                    Event::read(event.kind(), body),
                    Err(EventError::Body { .. })
                ),
                "{}",
                event.kind()
            );
        }
    }
}

/// The log commits to what is written: a body that would be written in another way is another entry.
#[test]
fn a_body_has_one_spelling() {
    let id = "019c7a62-79c0-7000-8000-000000000101";
    let upper = id.to_uppercase();
    let fingerprint = TestAgent::new(1).key.public().fingerprint();
    let approved = |id: &str| format!(r#"{{"agent_id":"{id}","fingerprint":"{fingerprint}"}}"#);
    assert!(Event::read("agent_approved", approved(id).as_bytes()).is_ok());
    for (kind, body) in [
        ("agent_approved", approved(&upper)),
        // The members of an object as a list.
        ("agent_approved", format!(r#"["{id}","{fingerprint}"]"#)),
        // What may be null is named all the same.
        ("agent_dismissed", format!(r#"{{"agent_id":"{id}"}}"#)),
        ("day_marked", r#"{"day":"20261224","rest":true}"#.to_owned()),
    ] {
        assert!(
            matches!(
                Event::read(kind, body.as_bytes()),
                Err(EventError::Body { .. })
            ),
            "{body}"
        );
    }
}

#[test]
fn every_event_is_told_in_sentences() {
    let agent = TestAgent::new(1).id;
    let told: Vec<_> = events()
        .iter()
        .map(|event| event.told().replace(&agent.to_string(), "A"))
        .collect();
    let expected = "\
alice founded the farm “Alice's \"farm\"”, whose days are those of Europe/Berlin.
Proofs are scored by the rules be296d54f490 from here on.
The agent A for “cluster-1” presented its key and waits for approval.
The owner approved the agent A.
The agent A signed a second proof where the proof 019c7a62-79c0-7000-8000-000000000101 stands; \
it was refused and kept as evidence.
“cluster-1” proved incident work: Resolved an alert of severity 2 after 14 minutes.
The owner trusts the agent A no longer. 1 proof and 12 coins no longer count.
The farm is called “Hill farm” now.
From 2026-02-21 on the farmer lives by the clocks of Pacific/Apia and works on Tuesday, Wednesday, \
Thursday, Friday and Saturday.
2026-12-24 is a day of rest.
Barn was raised to level 2 for 300 coins.
The farm joined the league “Harvest” of orchard.example, or took over its rules.
The farm left the league harvest.
The agent A was sent away. The proof that it had sent was not kept.
The agent A handed over to a new key, after 1 proof.
The chain of the agent A resumes after its proof 019c7a62-79c0-7000-8000-000000000101.
The agent A was heard of again after 13 hours of silence, since 2026-02-20T09:30:00Z.
1 proof together made safe-change, for 40 coins.";
    // The digest changes with the default rules.
    let digest = RuleSet::default().digest().to_string();
    let expected = expected.replace("be296d54f490", &digest[..12]);
    assert_eq!(told.join("\n"), expected);
}

#[test]
fn archives_read_back() {
    for members in [archives::members(), archives::members_of_season()] {
        let file = archives::archive(&members);
        let opened = Opened::read(&file[..]).unwrap();
        let lines: Vec<u8> = opened
            .lines()
            .unwrap()
            .flat_map(|line| line.unwrap().to_bytes().unwrap())
            .collect();
        assert_eq!(lines, members[0].1);
    }
    let whole = archives::archive(&archives::members());
    Opened::read(&whole[..]).unwrap().read_through().unwrap();
}

/// What a tar may have beside plain files, holes and names and sizes in entries of their own, would be as large in
/// memory or on the disk as its header says.
#[test]
fn only_plain_files_are_read_of_an_archive() {
    let mut files = vec![archives::swollen()];
    for kind in *b"LKxgSV125" {
        let mut file = archives::archive(&archives::members());
        file[156] = kind;
        archives::sum(&mut file[..archives::BLOCK]);
        files.push(file);
    }
    for file in files {
        let Err(FormatError::Form { member, reason }) = Opened::read(&file[..]) else {
            panic!("it is taken");
        };
        assert_eq!((&*member, &*reason), (LEDGER, "it is no plain file"));
    }
}
