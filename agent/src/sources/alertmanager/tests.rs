//! When a missing alert has ended, and when it is merely missing.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const T: i64 = 1_771_666_200; // 2026-02-21T09:30:00Z
const LEASE: i64 = 240;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(T + second).unwrap()
}

fn alert(fingerprint: &str, starts: i64, seen: i64) -> GettableAlert {
    GettableAlert {
        fingerprint: fingerprint.to_owned(),
        starts_at: jiff::Timestamp::from_second(T + starts).unwrap(),
        ends_at: jiff::Timestamp::from_second(T + seen + LEASE).unwrap(),
        labels: BTreeMap::from([("alertname".to_owned(), "DiskFull".to_owned())]),
        status: AlertStatus {
            state: "active".to_owned(),
        },
    }
}

/// A memory in which process `p1` showed these alerts at second 0.
fn watching(alerts: &[GettableAlert]) -> Memory {
    let mut memory = Memory::default();
    assert_eq!(memory.take_in("p1", alerts, at(0)), []);
    memory
}

#[test]
fn an_alert_that_goes_away_before_its_lease_has_ended() {
    let mut memory = watching(&[alert("a", -600, 0), alert("b", -60, 0)]);
    let ended = memory.take_in("p1", &[alert("b", -60, 15)], at(15));
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].fingerprint, "a");
    assert_eq!(ended[0].starts_at, "2026-02-21T09:20:00Z");
    assert_eq!(ended[0].ends_at, "2026-02-21T09:30:00Z"); // last seen
    assert_eq!(ended[0].instances, 2);
    assert_eq!(memory.take_in("p1", &[alert("b", -60, 30)], at(30)), []);
}

#[test]
fn a_restarted_alertmanager_ends_nothing() {
    let mut memory = watching(&[alert("a", -600, 0)]);
    assert_eq!(memory.take_in("p2", &[], at(15)), []);
    // Prometheus tells the new process of it, and then it really ends.
    assert_eq!(memory.take_in("p2", &[alert("a", -600, 60)], at(60)), []);
    assert_eq!(memory.take_in("p2", &[], at(75)).len(), 1);
}

#[test]
fn what_only_the_earlier_process_knew_is_forgotten_in_silence() {
    let mut memory = watching(&[alert("a", -600, 0)]);
    for second in [15, 30, 3000, FORGET_SECONDS + 1] {
        assert_eq!(memory.take_in("p2", &[], at(second)), []);
    }
    assert_eq!(memory.alerts.len(), 0);
}

#[test]
fn an_alert_whose_lease_ran_out_is_not_resolved() {
    let mut memory = watching(&[alert("a", -600, 0)]);
    assert_eq!(memory.take_in("p1", &[], at(LEASE)), []);
    assert_eq!(memory.alerts.len(), 0);
}

#[test]
fn a_new_life_between_two_polls_ends_the_old_one() {
    let mut memory = watching(&[alert("a", -600, 0)]);
    let ended = memory.take_in("p1", &[alert("a", 5, 15)], at(15));
    assert_eq!(ended.len(), 1);
    assert_eq!(memory.firing(), 1);
    // A start moved back is the same life: Alertmanager merges overlapping alerts.
    assert_eq!(memory.take_in("p1", &[alert("a", -10, 30)], at(30)), []);
}

#[test]
fn suppression_is_remembered_with_the_last_sighting() {
    let mut silenced = alert("a", -600, 0);
    silenced.status.state = "suppressed".to_owned();
    let mut memory = watching(&[silenced]);
    assert!(memory.take_in("p1", &[], at(15))[0].suppressed);
}

#[test]
fn the_memory_survives_its_own_spelling() {
    let memory = watching(&[alert("a", -600, 0)]);
    let text = serde_json::to_string(&memory).unwrap();
    assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
}

#[test]
fn a_notification_tells_which_alerts_of_the_group_ended() {
    let alert = |status: &str, instance: &str| {
        json!({
            "status": status, "labels": {"alertname": "DiskFull", "instance": instance},
            "annotations": {}, "startsAt": "2026-02-21T09:00:00.5Z", "endsAt": "2026-02-21T09:30:00Z",
            "generatorURL": "", "fingerprint": format!("f-{instance}"),
        })
    };
    let notification = json!({
        "version": "4", "status": "firing",
        "alerts": [alert("resolved", "a"), alert("firing", "b")],
    });
    let notification: Notification = serde_json::from_value(notification).unwrap();
    let ended = notification.ended();
    assert_eq!(ended.len(), 1);
    assert_eq!(
        (ended[0].fingerprint.as_str(), ended[0].instances),
        ("f-a", 2)
    );
}
