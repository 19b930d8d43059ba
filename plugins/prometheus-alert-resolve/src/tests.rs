//! One life of an alert at a time.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn alert() -> Value {
    json!({
        "fingerprint": "b3b3f0a1c2d4e5f6",
        "startsAt": "2026-02-21T09:00:00.123456789Z",
        "endsAt": "2026-02-21T09:30:00Z",
        "labels": {"alertname": "DiskFull", "instance": "db-7.internal:9100", "severity": "critical"},
        "suppressed": false,
        "instances": 1,
    })
}

fn verify(plugin: &AlertResolve, alert: &Value) -> Verdict {
    plugin.verify(&Observation {
        id: "018f".to_owned(),
        source_type: "alertmanager".to_owned(),
        event: "alert.ended".to_owned(),
        raw_data: alert.to_string().into_bytes(),
        detected_at: 1_771_666_260,
    })
}

fn told(alert: &Value) -> String {
    let plugin = AlertResolve::default();
    let verdict = verify(&plugin, alert);
    let finding = verdict.finding().unwrap();
    let description = plugin.describe();
    let template = description.template(&finding.template).unwrap();
    template.render(&finding.numbers, &finding.words).unwrap()
}

fn with(member: &str, value: Value) -> Value {
    let mut alert = alert();
    alert[member] = value;
    alert
}

#[test]
fn the_declaration_keeps_its_rules() {
    assert_eq!(AlertResolve::default().describe().check(), Ok(()));
}

#[test]
fn a_resolved_alert_is_an_incident_ended_by_whoever_was_on_call() {
    let verdict = verify(&AlertResolve::default(), &alert());
    let finding = verdict.finding().unwrap();
    assert_eq!(finding.category, Category::Incident);
    assert_eq!(finding.hints.complexity, Complexity::High);
    assert_eq!(finding.actor.who, Who::OnCall);
    assert_eq!(told(&alert()), "Resolved a critical alert after 30 minutes");
}

#[test]
fn the_sentence_fits_the_length_and_the_breadth() {
    let quick = with("endsAt", json!("2026-02-21T09:01:30Z"));
    assert_eq!(told(&quick), "Resolved a critical alert within two minutes");
    let long = with("endsAt", json!("2026-02-22T09:00:01Z"));
    assert_eq!(told(&long), "Resolved a critical alert after 24 hours");
    let broad = with("instances", json!(12));
    assert_eq!(
        told(&broad),
        "Resolved a critical alert that fired on 12 instances"
    );
    let verdict = verify(&AlertResolve::default(), &broad);
    assert_eq!(verdict.finding().unwrap().hints.impact_radius, 10);
}

#[test]
fn poll_and_webhook_name_the_same_life() {
    let plugin = AlertResolve::default();
    let key = |alert: &Value| verify(&plugin, alert).finding().unwrap().dedupe_key.clone();
    let polled = with("startsAt", json!("2026-02-21T10:00:00.123+01:00"));
    assert_eq!(key(&alert()), key(&polled));
    let next_life = with("startsAt", json!("2026-02-21T09:10:00Z"));
    assert_ne!(key(&alert()), key(&next_life));
}

#[test]
fn suppressed_flapping_and_eternal_alerts_are_no_work() {
    let eternal = with(
        "labels",
        json!({"alertname": "Watchdog", "severity": "none"}),
    );
    let flap = with("endsAt", json!("2026-02-21T09:00:59Z"));
    for alert in [with("suppressed", json!(true)), eternal, flap] {
        let verdict = verify(&AlertResolve::default(), &alert);
        assert!(matches!(verdict, Verdict::Rejected(_)), "{alert}");
    }
}

#[test]
fn a_record_that_tells_nothing_is_inconclusive() {
    let backwards = with("endsAt", json!("2026-02-21T08:00:00Z"));
    for alert in [
        backwards,
        json!({}),
        json!([]),
        with("startsAt", json!("soon")),
    ] {
        let verdict = verify(&AlertResolve::default(), &alert);
        assert!(matches!(verdict, Verdict::Inconclusive(_)), "{alert}");
    }
}

#[test]
fn settings_move_the_bounds_and_unknown_ones_are_refused() {
    let mut plugin = AlertResolve::default();
    plugin
        .configure(&json!({"min_firing_seconds": 3600, "owner_label": "team"}))
        .unwrap();
    assert!(verify(&plugin, &alert()).finding().is_none());
    plugin
        .configure(&json!({"owner_label": "alertname"}))
        .unwrap();
    let owner = Who::Identifier("DiskFull".to_owned());
    assert_eq!(
        verify(&plugin, &alert()).finding().unwrap().actor.who,
        owner
    );
    assert!(plugin.configure(&json!({"min_firing": 1})).is_err());
    assert!(
        plugin
            .configure(&json!({"min_firing_seconds": -1}))
            .is_err()
    );
}

#[test]
fn recorded_observations_get_their_verdicts() {
    farmops_plugin::testing::run::<AlertResolve>(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
}
