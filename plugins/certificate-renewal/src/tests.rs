//! One certificate of ninety days, and its next term.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use self::objects::{Edits, key, object, observed, wounded};
use super::*;

#[path = "../../tests/objects.rs"]
mod objects;

const CERTIFICATE: &str = include_str!("../fixtures/certificate.yaml");

/// The certificate with its next term, issued at `day` of 2026.
fn renewed_on(day: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("/status/notBefore", json!(format!("2026-{day}T00:00:00Z"))),
        ("/status/notAfter", json!("2026-06-01T00:00:00Z")),
        ("/status/renewalTime", json!("2026-05-02T00:00:00Z")),
        ("/status/revision", json!(5)),
    ]
}

fn verify_as(
    plugin: &CertificateRenewal,
    at: &str,
    before: Edits<'_>,
    after: Edits<'_>,
) -> Verdict {
    let (before, after) = (object(CERTIFICATE, before), object(CERTIFICATE, after));
    let at = format!("2026-{at}:00Z");
    plugin.verify(&observed(
        plugin,
        ("2025-12-01T00:05:00Z", &at),
        &before,
        &after,
    ))
}

fn verify(at: &str, before: Edits<'_>, after: Edits<'_>) -> Verdict {
    verify_as(&CertificateRenewal::default(), at, before, after)
}

fn told(verdict: &Verdict) -> String {
    objects::told(&CertificateRenewal::default(), verdict)
}

fn ready(status: &str, since: &str) -> (&'static str, Value) {
    (
        "/status/conditions/0",
        json!({"type": "Ready", "status": status, "lastTransitionTime": format!("2026-{since}:00Z")}),
    )
}

#[test]
fn a_renewal_in_its_time_is_the_system_s_and_a_late_one_somebody_s() {
    let new = renewed_on("01-30");
    let unready = [ready("False", "02-10T08:00")];
    for (at, before, expected) in [
        (
            "01-30T00:10",
            vec![],
            "Had a certificate renewed 29 days before its end",
        ),
        (
            "01-30T23:00",
            vec![],
            "Had a certificate renewed 29 days before its end",
        ),
        (
            "01-31T00:10",
            vec![],
            "Rescued a certificate 28 days before its end",
        ),
        (
            "02-27T12:00",
            vec![],
            "Rescued a certificate 36 hours before its end",
        ),
        (
            "02-10T09:00",
            unready.to_vec(),
            "Rescued a certificate 18 days before its end",
        ),
    ] {
        assert_eq!(told(&verify(at, &before, &new)), expected, "{at}");
    }
    // Not ready, but only for as long as it takes to issue one, and not overdue.
    let briefly = [ready("False", "01-30T00:05")];
    let verdict = verify("01-30T00:10", &briefly, &new);
    assert_eq!(
        told(&verdict),
        "Had a certificate renewed 29 days before its end"
    );
    let for_hours = [ready("False", "01-29T22:00")];
    let verdict = verify("01-30T00:10", &for_hours, &new);
    assert_eq!(
        told(&verdict),
        "Rescued a certificate 29 days before its end"
    );
}

#[test]
fn a_rescue_weighs_more_than_a_renewal_and_most_at_the_last_moment() {
    let finding = |at: &str| {
        let verdict = verify(at, &[], &renewed_on("01-30"));
        verdict.finding().unwrap().clone()
    };
    let routine = finding("01-30T00:10");
    assert_eq!(routine.category, Category::Maintenance);
    assert_eq!(routine.hints.complexity, Complexity::Low);
    assert_eq!(routine.actor.kind, ActorType::System);
    assert_eq!(routine.finished_at, 1_769_731_800); // 2026-01-30T00:10:00Z
    let rescue = finding("02-10T00:00");
    assert_eq!(rescue.category, Category::Reliability);
    assert_eq!(rescue.hints.complexity, Complexity::Medium);
    assert_eq!(rescue.actor.kind, ActorType::Human);
    let last_moment = finding("02-25T00:00");
    assert_eq!(last_moment.hints.complexity, Complexity::High);
}

#[test]
fn what_is_no_renewal_in_time_is_no_work() {
    let new = renewed_on("01-30");
    let edited = |edits: &[(&'static str, Value)]| [new.as_slice(), edits].concat();
    let none = |pointer: &'static str| (pointer, Value::Null);
    let weekly = [
        ("/status/notBefore", json!("2026-01-24T00:00:01Z")),
        ("/status/notAfter", json!("2026-01-31T00:00:00Z")),
    ];
    for (at, before, after, expected) in [
        (
            "03-01T00:00",
            vec![ready("False", "02-20T00:00")],
            new.clone(),
            "- the renewal came after the end",
        ),
        (
            "01-14T23:59",
            vec![],
            renewed_on("01-14"),
            "- the old term was not half over",
        ),
        (
            "01-30T00:10",
            weekly.to_vec(),
            new.clone(),
            "- it is valid for too short a time",
        ),
        (
            "01-30T00:10",
            vec![],
            edited(&[
                ("/status/notAfter", json!("2026-03-02T00:00:00Z")),
                ("/status/notBefore", json!("2026-02-24T00:00:00Z")),
            ]),
            "- it is valid for too short a time",
        ),
        (
            "01-30T00:10",
            vec![],
            edited(&[ready("False", "01-30T00:00")]),
            "- it is not ready",
        ),
        (
            "01-30T00:10",
            vec![],
            edited(&[("/status/revision", json!(4))]),
            "- it has no new term",
        ),
        (
            "01-30T00:10",
            vec![],
            edited(&[("/status/notAfter", json!("2026-03-01T00:00:00Z"))]),
            "- it has no new term",
        ),
        // The first issue of a Certificate, of a recreated one too; and one whose secret is gone.
        (
            "01-30T00:10",
            vec![none("/status/notAfter"), none("/status/notBefore")],
            new.clone(),
            "- there was no certificate before",
        ),
        (
            "01-30T00:10",
            vec![],
            vec![none("/status/notAfter")],
            "- there is no certificate",
        ),
    ] {
        assert_eq!(
            told(&verify(at, &before, &after)),
            expected,
            "{at} {before:?}"
        );
    }
    let halfway = verify("01-15T00:00", &[], &renewed_on("01-15"));
    assert!(told(&halfway).starts_with("Had a certificate renewed"));
}

#[test]
fn routine_counts_once_a_day_and_a_rescue_once_for_an_old_end() {
    let other = [("/metadata/name", json!("storefront-internal"))];
    let new = renewed_on("01-30");
    let of_other = [other.as_slice(), &new].concat();
    let routine = verify("01-30T00:10", &[], &new);
    let routine_of_other = verify("01-30T19:10", &other, &of_other);
    assert_eq!(key(&routine), key(&routine_of_other));
    let rescue = verify("02-10T00:00", &[], &new);
    let rescue_of_other = verify("02-10T00:00", &other, &of_other);
    assert_ne!(key(&rescue), key(&rescue_of_other));
    let uid = (
        "/metadata/uid",
        json!("00000000-0000-4000-8000-000000000000"),
    );
    let recreated = [std::slice::from_ref(&uid), &new].concat();
    let told_again = verify("02-11T00:00", &[uid], &recreated);
    assert_eq!(key(&rescue), key(&told_again));
    assert_eq!(key(&rescue), "shop/storefront-public 1772323200"); // 2026-03-01T00:00:00Z
}

#[test]
fn settings_move_the_bounds_and_unknown_ones_are_refused() {
    let mut plugin = CertificateRenewal::default();
    let new = renewed_on("01-30");
    plugin
        .configure(&json!({"routine_renewals": false}))
        .unwrap();
    let verdict = verify_as(&plugin, "01-30T00:10", &[], &new);
    assert_eq!(told(&verdict), "- it took care of itself");
    plugin
        .configure(&json!({"min_overdue_hours": 720}))
        .unwrap();
    let verdict = verify_as(&plugin, "02-25T00:00", &[], &new);
    assert!(told(&verdict).starts_with("Had a certificate renewed"));
    plugin
        .configure(&json!({"min_unready_minutes": 5}))
        .unwrap();
    let unready = [ready("False", "01-30T00:05")];
    let verdict = verify_as(&plugin, "01-30T00:10", &unready, &new);
    assert!(told(&verdict).starts_with("Rescued"));
    plugin
        .configure(&json!({"min_validity_days": 100}))
        .unwrap();
    let verdict = verify_as(&plugin, "01-30T00:10", &[], &new);
    assert_eq!(told(&verdict), "- it is valid for too short a time");
    let schema = jsonschema::validator_for(&Settings::schema()).unwrap();
    for settings in [
        json!({"min_validity": 1}),
        json!({"min_validity_days": -1}),
        json!({"routine_renewals": "no"}),
    ] {
        assert!(plugin.configure(&settings).is_err(), "{settings}");
        assert!(!schema.is_valid(&settings), "{settings}");
    }
}

#[test]
fn names_of_hosts_and_secrets_are_not_kept() {
    let plugin = CertificateRenewal::default();
    let object = object(CERTIFICATE, &[]);
    let span = ("2025-12-01T00:05:00Z", "2026-01-30T00:10:00Z");
    let kept = observed(&plugin, span, &object, &object).raw_data;
    let kept = String::from_utf8(kept).unwrap();
    for word in [
        "storefront.example.com",
        "storefront-public-tls",
        "letsencrypt",
    ] {
        assert!(object.to_string().contains(word), "{word}");
        assert!(!kept.contains(word), "{word}");
    }
}

#[test]
fn the_declaration_keeps_its_rules_and_does_without_cert_manager() {
    let description = CertificateRenewal::default().describe();
    assert_eq!(description.check(), Ok(()));
    assert!(description.resources().all(|resource| resource.optional));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A change in which anything at all stands in the place of anything gets a verdict.
    #[test]
    fn a_mutilated_change_gets_a_verdict(wounds in objects::wounds()) {
        let plugin = CertificateRenewal::default();
        let (before, after) = (object(CERTIFICATE, &[]), object(CERTIFICATE, &renewed_on("01-30")));
        let span = ("2025-12-01T00:05:00Z", "2026-02-10T00:10:00Z");
        let verdict = plugin.verify(&wounded(observed(&plugin, span, &before, &after), wounds));
        told(&verdict);
    }

    /// And so does what is no change.
    #[test]
    fn any_bytes_get_a_verdict(observation in objects::any_bytes()) {
        let verdict = CertificateRenewal::default().verify(&observation);
        prop_assert!(matches!(verdict, Verdict::Inconclusive(_)));
    }
}

#[test]
fn recorded_observations_get_their_verdicts() {
    farmops_plugin::testing::run::<CertificateRenewal>(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/vectors"
    ));
}
