//! Whole workloads, changed member by member.

#![allow(clippy::unwrap_used)]

mod public;

use proptest::prelude::*;
use serde_json::{Value, json};

use self::objects::{Edits, key, object, observed, wounded};
use super::*;

#[path = "../../tests/objects.rs"]
mod objects;

const DEPLOYMENT: &str = include_str!("../fixtures/deployment.yaml");
const CRON_JOB: &str = include_str!("../fixtures/cronjob.yaml");

const SPEC: &str = "/spec/template/spec";
const APP: &str = "/spec/template/spec/containers/0";

fn verify_as(plugin: &ResourceAudit, yaml: &str, before: Edits<'_>, after: Edits<'_>) -> Verdict {
    let span = ("2026-02-20T08:00:00Z", "2026-02-21T09:00:00Z");
    let (before, after) = (object(yaml, before), object(yaml, after));
    plugin.verify(&observed(plugin, span, &before, &after))
}

fn verify(before: Edits<'_>, after: Edits<'_>) -> Verdict {
    verify_as(&ResourceAudit::default(), DEPLOYMENT, before, after)
}

fn told(verdict: &Verdict) -> String {
    objects::told(&ResourceAudit::default(), verdict)
}

/// An edit that breaks a rule in a workload that keeps them all.
fn breaks(rule: Rule) -> (String, Value) {
    let app = |member: &str| format!("{APP}/{member}");
    let (place, value) = match rule {
        Rule::Privileged => (app("securityContext/privileged"), json!(true)),
        Rule::HostPid => (format!("{SPEC}/hostPID"), json!(true)),
        Rule::HostIpc => (format!("{SPEC}/hostIPC"), json!(true)),
        Rule::HostNetwork => (format!("{SPEC}/hostNetwork"), json!(true)),
        Rule::SensitiveHostPath => {
            let volume = json!([{"name": "run", "hostPath": {"path": "/var/run/containerd/containerd.sock"}}]);
            (format!("{SPEC}/volumes"), volume)
        }
        Rule::DangerousCapability => {
            let capabilities = json!({"add": ["CAP_SYS_ADMIN"], "drop": ["ALL"]});
            (app("securityContext/capabilities"), capabilities)
        }
        Rule::RunsAsRoot => (app("securityContext/runAsUser"), json!(0)),
        Rule::PrivilegeEscalation => (app("securityContext/allowPrivilegeEscalation"), Value::Null),
        Rule::MayRunAsRoot => (app("securityContext/runAsNonRoot"), json!(false)),
        Rule::AddedCapability => {
            let capabilities = json!({"add": ["CHOWN"], "drop": ["ALL"]});
            (app("securityContext/capabilities"), capabilities)
        }
        Rule::HostPath => {
            let volume = json!([{"name": "spool", "hostPath": {"path": "/srv/spool"}}]);
            (format!("{SPEC}/volumes"), volume)
        }
        Rule::HostPort => (app("ports/0/hostPort"), json!(8080)),
        Rule::Unconfined => {
            let profile = json!({"type": "Unconfined"});
            (format!("{SPEC}/securityContext/seccompProfile"), profile)
        }
        Rule::FloatingTag => (app("image"), json!("registry.example.com:5000/app")),
        Rule::MemoryLimit => (app("resources/limits/memory"), Value::Null),
        Rule::KeptCapabilities => (app("securityContext/capabilities"), Value::Null),
        Rule::WritableRootFilesystem => {
            (app("securityContext/readOnlyRootFilesystem"), json!(false))
        }
        Rule::MountedToken => (format!("{SPEC}/automountServiceAccountToken"), Value::Null),
        Rule::CpuRequest => (app("resources"), json!({"limits": {"memory": "1Gi"}})),
        Rule::MemoryRequest => (app("resources"), json!({"limits": {"cpu": 1}})),
        Rule::CpuLimit => (app("resources/limits/cpu"), Value::Null),
        Rule::LivenessProbe => (app("livenessProbe"), Value::Null),
        Rule::ReadinessProbe => (app("readinessProbe"), Value::Null),
    };
    (place, value)
}

fn names(flaws: &BTreeSet<Flaw>) -> BTreeSet<Rule> {
    flaws.iter().map(|flaw| flaw.rule).collect()
}

/// What the agent keeps is enough for every rule: the audit of the kept fields is that of the whole.
#[test]
fn each_rule_is_broken_by_what_breaks_it_and_mending_it_counts() {
    let sound = object(DEPLOYMENT, &[]);
    assert_eq!(
        audit(&sound["spec"]["template"], Runs::Always),
        BTreeSet::new()
    );
    for &rule in Rule::ALL {
        let (place, value) = breaks(rule);
        let broken = object(DEPLOYMENT, &[(&place, value.clone())]);
        let flaws = audit(&broken["spec"]["template"], Runs::Always);
        assert!(names(&flaws).contains(&rule), "{rule:?}: {flaws:?}");
        let verdict = verify(&[(&place, value)], &[]);
        let finding = verdict
            .finding()
            .unwrap_or_else(|| panic!("{rule:?}: {verdict:?}"));
        // Without a request there is no limit either, which weighs more.
        if rule != Rule::MemoryRequest {
            let subcategory = finding.subcategory.as_deref();
            assert_eq!(subcategory, Some(rule.name()), "{flaws:?}");
        }
        told(&verdict);
        assert!(finding.numbers.get("flaws").is_none_or(|count| *count > 1));
    }
}

#[test]
fn a_request_alone_is_worth_less_than_with_its_limit() {
    let (resources, value) = breaks(Rule::MemoryRequest);
    let request = json!({"limits": {"cpu": 1}, "requests": {"memory": "1Gi"}});
    let verdict = verify(
        &[(resources.as_str(), value)],
        &[(resources.as_str(), request)],
    );
    let finding = verdict.finding().unwrap();
    assert_eq!(finding.subcategory.as_deref(), Some("memory-request"));
    assert_eq!(finding.hints.complexity, Complexity::Low);
}

#[test]
fn the_sentence_names_area_and_severity_and_nothing_of_the_workload() {
    let (place, value) = breaks(Rule::Privileged);
    let verdict = verify(&[(&place, value)], &[]);
    assert_eq!(
        told(&verdict),
        "Mended a security flaw of high severity in a deployment"
    );
    let finding = verdict.finding().unwrap();
    assert_eq!(finding.category, Category::Security);
    assert_eq!(finding.hints.complexity, Complexity::High);
    assert_eq!(finding.finished_at, 1_771_664_400); // 2026-02-21T09:00:00Z
    let (memory, value) = breaks(Rule::MemoryLimit);
    let (probe, none) = breaks(Rule::LivenessProbe);
    let verdict = verify(&[(&memory, value), (&probe, none)], &[]);
    assert_eq!(
        told(&verdict),
        "Mended 2 flaws in a deployment, the worst a reliability flaw of medium severity"
    );
    assert_eq!(verdict.finding().unwrap().category, Category::Reliability);
}

#[test]
fn what_mends_nothing_is_no_work() {
    let (privileged, yes) = breaks(Rule::Privileged);
    let (pid, yes_too) = breaks(Rule::HostPid);
    let (token, none) = breaks(Rule::MountedToken);
    let image = format!("{APP}/image");
    let name = format!("{APP}/name");
    let broken = (privileged.as_str(), yes);
    for (before, after, expected) in [
        (
            vec![],
            vec![(image.as_str(), json!("app:2.4.0"))],
            "- nothing was mended",
        ),
        (vec![], vec![broken.clone()], "- nothing was mended"),
        (
            vec![broken.clone()],
            vec![(pid.as_str(), yes_too)],
            "- something as bad came in its place",
        ),
        (
            vec![broken.clone()],
            vec![(token.as_str(), none)],
            "Mended a security flaw of high severity in a deployment",
        ),
        // Under another name the container keeps its flaws, and without it there is nothing to keep them.
        (
            vec![broken.clone()],
            vec![broken.clone(), (name.as_str(), json!("main"))],
            "- nothing was mended",
        ),
        (
            vec![broken.clone()],
            vec![("/spec/template/spec/containers", json!([]))],
            "- nothing was mended",
        ),
        (
            vec![broken.clone()],
            vec![("/spec/replicas", json!(0))],
            "- no pods of it run",
        ),
        (
            vec![broken.clone(), ("/spec/replicas", json!(0))],
            vec![],
            "- no pods of it run",
        ),
    ] {
        assert_eq!(
            told(&verify(&before, &after)),
            expected,
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn young_workloads_and_passing_flaws_are_no_work() {
    let plugin = ResourceAudit::default();
    let (place, value) = breaks(Rule::Privileged);
    let created = ("/metadata/creationTimestamp", json!("2026-02-20T10:00:00Z"));
    let judge = |plugin: &ResourceAudit, edits: Edits<'_>, since: &str| {
        let before = object(DEPLOYMENT, &[edits, &[(&place, value.clone())]].concat());
        let after = object(DEPLOYMENT, edits);
        let span = (since, "2026-02-21T09:00:00Z");
        told(&plugin.verify(&observed(plugin, span, &before, &after)))
    };
    let young = judge(
        &plugin,
        std::slice::from_ref(&created),
        "2026-02-20T10:00:00Z",
    );
    assert_eq!(young, "- the workload is too young");
    let passing = judge(&plugin, &[], "2026-02-21T08:46:00Z");
    assert_eq!(passing, "- the flaw had not stood long enough");
    let mut plugin = plugin;
    plugin
        .configure(&json!({"min_age_hours": 1, "min_standing_minutes": 0}))
        .unwrap();
    assert!(judge(&plugin, &[created], "2026-02-20T10:00:00Z").starts_with("Mended"));
    assert!(judge(&plugin, &[], "2026-02-21T08:59:00Z").starts_with("Mended"));
}

#[test]
fn a_rule_counts_once_per_workload_whatever_else_goes_with_it() {
    let (place, value) = breaks(Rule::Privileged);
    let (probe, none) = breaks(Rule::LivenessProbe);
    let privileged = (place.as_str(), value);
    let probe = (probe.as_str(), none);
    let alone = verify(std::slice::from_ref(&privileged), &[]);
    let with_another = verify(&[privileged.clone(), probe.clone()], &[]);
    assert_eq!(key(&alone), key(&with_another));
    let recreated = (
        "/metadata/uid",
        json!("00000000-0000-4000-8000-000000000000"),
    );
    let again = verify(&[privileged, recreated.clone()], &[recreated]);
    assert_eq!(key(&alone), key(&again));
    let other_rule = verify(&[probe], &[]);
    assert_ne!(key(&alone), key(&other_rule));
}

#[test]
fn a_cron_job_needs_no_probes_and_counts_unless_suspended() {
    let plugin = ResourceAudit::default();
    let container = "/spec/jobTemplate/spec/template/spec/containers/0";
    let template = object(CRON_JOB, &[])["spec"]["jobTemplate"]["spec"]["template"].clone();
    assert_eq!(audit(&template, Runs::ToCompletion), BTreeSet::new());
    let user = format!("{container}/securityContext/runAsUser");
    let root = (user.as_str(), json!(0));
    let verdict = verify_as(&plugin, CRON_JOB, std::slice::from_ref(&root), &[]);
    assert_eq!(
        told(&verdict),
        "Mended a security flaw of high severity in a cron job"
    );
    let suspended = ("/spec/suspend", json!(true));
    let verdict = verify_as(&plugin, CRON_JOB, &[root], &[suspended]);
    assert_eq!(told(&verdict), "- no pods of it run");
}

#[test]
fn ignored_rules_do_not_count_and_unknown_ones_are_refused() {
    let mut plugin = ResourceAudit::default();
    plugin
        .configure(&json!({"ignored_rules": ["cpu-limit"]}))
        .unwrap();
    let (place, value) = breaks(Rule::CpuLimit);
    let verdict = verify_as(&plugin, DEPLOYMENT, &[(&place, value)], &[]);
    assert_eq!(told(&verdict), "- nothing was mended");
    let schema = jsonschema::validator_for(&Settings::schema()).unwrap();
    for settings in [
        json!({"ignored_rules": ["cpu"]}),
        json!({"min_age": 1}),
        json!({"min_age_hours": -1}),
    ] {
        assert!(plugin.configure(&settings).is_err(), "{settings}");
        assert!(!schema.is_valid(&settings), "{settings}");
    }
    assert!(schema.is_valid(&json!({"ignored_rules": ["cpu-limit"]})));
}

/// Of a workload with passwords in its environment, arguments and probes, none is kept.
#[test]
fn no_secret_is_kept() {
    let plugin = ResourceAudit::default();
    let workload = object(DEPLOYMENT, &[]);
    let span = ("2026-02-20T08:00:00Z", "2026-02-21T09:00:00Z");
    let observation = observed(&plugin, span, &workload, &workload);
    let kept = String::from_utf8(observation.raw_data).unwrap();
    assert!(kept.contains("thumbnailer:2.3.1"));
    for secret in [
        "correct-horse",
        "Bearer",
        "bucket",
        "cp -r",
        "media-originals",
    ] {
        assert!(workload.to_string().contains(secret), "{secret}");
        assert!(!kept.contains(secret), "{secret}");
    }
}

#[test]
fn the_declaration_keeps_its_rules() {
    assert_eq!(ResourceAudit::default().describe().check(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A change in which anything at all stands in the place of anything gets a verdict.
    #[test]
    fn a_mutilated_change_gets_a_verdict(
        which in 0..Rule::ALL.len(), cron in any::<bool>(), wounds in objects::wounds(),
    ) {
        let plugin = ResourceAudit::default();
        let span = ("2026-02-20T08:00:00Z", "2026-02-21T09:00:00Z");
        let (place, value) = breaks(Rule::ALL[which]);
        let (before, after) = if cron {
            (object(CRON_JOB, &[]), object(CRON_JOB, &[]))
        } else {
            (object(DEPLOYMENT, &[(&place, value)]), object(DEPLOYMENT, &[]))
        };
        let verdict = plugin.verify(&wounded(observed(&plugin, span, &before, &after), wounds));
        told(&verdict);
    }

    /// A template may be anything.
    #[test]
    fn any_template_can_be_audited(template in objects::any_json()) {
        audit(&template, Runs::Always);
        audit(&json!({"spec": template}), Runs::Always);
        audit(&json!({"spec": {"containers": [template]}}), Runs::Always);
    }

    /// And what is no change gets a verdict too.
    #[test]
    fn any_bytes_get_a_verdict(observation in objects::any_bytes()) {
        let verdict = ResourceAudit::default().verify(&observation);
        prop_assert!(matches!(verdict, Verdict::Inconclusive(_)));
    }
}

#[test]
fn recorded_observations_get_their_verdicts() {
    farmops_plugin::testing::run::<ResourceAudit>(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
}
