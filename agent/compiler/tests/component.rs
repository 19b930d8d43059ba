//! Real components in a real engine, compiled by the real program: what each bound does, and what stays the same.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use farmops_component::component::ConfigureError;
use farmops_component::{
    Bounds, Cache, CompileError, Compiler, Component, Engine, Fault, LoadError, Recording,
    VerifyError,
};
use farmops_plugin::{Observation, Verdict};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_farmops-agent-compiler");
const DETECTED_AT: i64 = 1_771_666_260;

/// The component of `name`, built from this tree.
fn component(name: &str) -> Vec<u8> {
    static BUILD: Once = Once::new();
    BUILD.call_once(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/build-components");
        let built = Command::new(script)
            .args(["hostile", "prometheus-alert-resolve"])
            .status();
        assert!(built.unwrap().success());
    });
    let target = Path::new(PROGRAM).parent().unwrap().parent().unwrap();
    std::fs::read(target.join(format!("components/{name}.wasm"))).unwrap()
}

struct Shop {
    engine: Engine,
    cache: Cache,
    compiler: Compiler,
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            engine: Engine::new().unwrap(),
            cache: Cache::new(folder.path().join("components"), [7; 32]),
            compiler: Compiler::new(PROGRAM),
            folder,
        }
    }

    fn load(&self, bytes: &[u8], bounds: Bounds) -> Result<Component, LoadError> {
        Component::load(
            &self.engine,
            &self.cache,
            &self.compiler,
            bytes,
            "test",
            bounds,
        )
    }

    fn hostile(&self, bounds: Bounds) -> Component {
        self.load(&component("hostile"), bounds).unwrap()
    }

    fn cached(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("components")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn observation(event: &str) -> Observation {
    Observation {
        id: "018f0000-0000-7000-8000-000000000000".to_owned(),
        source_type: "github".to_owned(),
        event: event.to_owned(),
        raw_data: b"{}".to_vec(),
        detected_at: DETECTED_AT,
    }
}

fn fault(component: &Component, event: &str) -> Fault {
    match component.verify(&observation(event)) {
        Err(VerifyError::Observation(fault)) => fault,
        other => panic!("{event}: {other:?}"),
    }
}

fn said(component: &Component, event: &str) -> String {
    match component.verify(&observation(event)).unwrap().verdict {
        Verdict::Rejected(reason) => reason,
        other => panic!("{event}: {other:?}"),
    }
}

#[test]
fn each_bound_ends_the_call_that_breaks_it_and_no_other() {
    let shop = Shop::new();
    let bounds = Bounds {
        fuel: 200_000_000,
        ..Bounds::default()
    };
    let hostile = shop.hostile(bounds);
    assert_eq!(hostile.describe().unwrap().plugin_id, "farmops/hostile");
    let nameless = Fault::Malformed("dedupe-key is empty".to_owned());
    for (event, expected) in [
        ("loop", Fault::Fuel(200_000_000)),
        ("allocate", Fault::Memory(64 << 20)),
        ("recurse", Fault::Stack),
        ("exit", Fault::Exit),
        ("large", Fault::TooLarge(1 << 20)),
        ("many", Fault::TooLarge(1 << 20)),
        ("nameless", nameless),
    ] {
        assert_eq!(fault(&hostile, event), expected, "{event}");
        assert_eq!(said(&hostile, "fine"), "nothing happened");
    }
    assert!(matches!(fault(&hostile, "panic"), Fault::Crash(_)));
    for (event, interface) in [
        ("sleep", "wasi:clocks/monotonic-clock@"),
        ("connect", "wasi:sockets/"),
    ] {
        let fault = fault(&hostile, event);
        let named = matches!(&fault, Fault::Forbidden(name) if name.starts_with(interface));
        assert!(named, "{event}: {fault:?}");
    }
}

#[test]
fn time_runs_out_even_with_fuel_left_and_other_calls_go_on_meanwhile() {
    let shop = Shop::new();
    let bounds = Bounds {
        fuel: u64::MAX / 2,
        deadline: Duration::from_millis(300),
        ..Bounds::default()
    };
    let hostile = shop.hostile(bounds);
    std::thread::scope(|scope| {
        let begin = Instant::now();
        let looping = scope.spawn(|| fault(&hostile, "loop"));
        let mut answered = 0;
        while !looping.is_finished() {
            assert_eq!(said(&hostile, "fine"), "nothing happened");
            answered += 1;
        }
        assert_eq!(looping.join().unwrap(), Fault::Time(bounds.deadline));
        let took = begin.elapsed();
        let timely = took >= bounds.deadline && took < Duration::from_secs(20);
        assert!(timely, "{took:?}");
        assert!(answered > 1, "the other calls waited");
    });
}

#[test]
fn a_flood_of_lines_is_cut_and_counted() {
    let shop = Shop::new();
    let hostile = shop.hostile(Bounds::default());
    said(&hostile, "flood");
    let counts = hostile.log_counts();
    assert_eq!(counts.written, 20);
    assert_eq!(counts.dropped, 20_001 - 20);
    for _ in 0..5 {
        said(&hostile, "flood");
    }
    let written = hostile.log_counts().written;
    assert_eq!(written, 60, "a minute has its lines");
}

#[test]
fn nothing_of_the_machine_is_there_and_nothing_is_left_to_chance() {
    let shop = Shop::new();
    let hostile = shop.hostile(Bounds::default());
    assert_eq!(said(&hostile, "files"), "false false");
    assert_eq!(said(&hostile, "environment"), "0 0");
    let chance = said(&hostile, "chance");
    let clocks = format!("Ok({DETECTED_AT}) 0ns");
    assert!(chance.starts_with(&clocks), "{chance}");
    assert_eq!(said(&hostile, "chance"), chance);
    assert_eq!(said(&hostile, "remember"), "0");
    let again = said(&hostile, "remember");
    assert_eq!(again, "0", "an instance is used once");
}

#[test]
fn settings_are_replayed_into_every_instance_and_what_they_break_is_told() {
    let shop = Shop::new();
    let bounds = Bounds {
        fuel: 100_000_000,
        ..Bounds::default()
    };
    let hostile = shop.hostile(bounds);
    let source = |name: &str, source_type: &str| (name.to_owned(), source_type.to_owned());
    let granted = [source("hub", "github"), source("am", "alertmanager")];
    let configure = |behaviour: &str| {
        let settings = json!({"configure": behaviour}).to_string();
        hostile.configure(&granted, settings.as_bytes())
    };
    let error = configure("refuse").unwrap_err();
    assert!(matches!(error, ConfigureError::Refused(reason) if reason == "none will do"));
    let error = configure("loop").unwrap_err();
    assert!(matches!(error, ConfigureError::Call(Fault::Fuel(_))));
    let error = configure("panic").unwrap_err();
    assert!(matches!(error, ConfigureError::Call(Fault::Crash(_))));
    assert_eq!(said(&hostile, "settings"), "");
    assert_eq!(configure("nothing").unwrap().wanted, ["hub"]);
    assert_eq!(said(&hostile, "settings"), "nothing");
    assert_eq!(said(&hostile, "settings"), "nothing");
}

#[test]
fn what_is_no_plugin_is_told_before_anything_runs() {
    let shop = Shop::new();
    let load = |bytes: &[u8]| shop.load(bytes, Bounds::default()).unwrap_err();
    assert!(matches!(load(b"#!/bin/sh"), LoadError::NoComponent(_)));
    let core = load(b"\0asm\x01\0\0\0").to_string();
    assert!(core.contains("wasm32-wasip2"), "{core}");
    let empty = load(b"\0asm\x0d\0\x01\0");
    assert!(matches!(empty, LoadError::World(_)), "{empty}");
    let mut broken = component("hostile");
    broken.truncate(5000);
    let error = load(&broken);
    let refused = matches!(&error, LoadError::Compile(CompileError::Refused(_)));
    assert!(refused, "{error}");
    let large = vec![0; farmops_component::bounds::COMPONENT_BYTES_MAX + 1];
    assert!(matches!(load(&large), LoadError::TooLarge));
}

#[test]
fn native_code_is_compiled_once_and_never_believed_unsealed() {
    let mut shop = Shop::new();
    let bytes = component("hostile");
    shop.load(&bytes, Bounds::default()).unwrap();
    let [file] = shop.cached().try_into().unwrap();
    let good = std::fs::read(&file).unwrap();
    // From now on nothing can be compiled: what still loads comes from the cache.
    let compiler = std::mem::replace(&mut shop.compiler, Compiler::new("/nonexistent"));
    shop.load(&bytes, Bounds::default()).unwrap();
    let mut changed = good.clone();
    changed[1000] ^= 1;
    for spoilt in [&good[..good.len() - 1], &changed] {
        std::fs::write(&file, spoilt).unwrap();
        let error = shop.load(&bytes, Bounds::default()).unwrap_err();
        let compiled = matches!(error, LoadError::Compile(CompileError::Start { .. }));
        assert!(compiled, "{error}");
    }
    shop.compiler = compiler;
    let hostile = shop.load(&bytes, Bounds::default()).unwrap();
    assert_eq!(said(&hostile, "fine"), "nothing happened");
    let again = std::fs::read(&file).unwrap();
    assert!(again == good, "the same code again");
}

#[test]
fn a_compiler_that_hangs_or_lies_is_left() {
    let mut shop = Shop::new();
    let folder = tempfile::tempdir().unwrap();
    let mut with = |script: &str| {
        let path = folder.path().join("compiler");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, executable).unwrap();
        shop.compiler.program = path;
        shop.compiler.deadline = Duration::from_secs(2);
        let loaded = shop.load(&component("hostile"), Bounds::default());
        loaded.unwrap_err()
    };
    let error = with("while :; do :; done");
    let late = matches!(error, LoadError::Compile(CompileError::Time(_)));
    assert!(late, "{error}");
    let error = with("cat >/dev/null; echo no >&2; exit 1");
    assert!(error.to_string().ends_with("refused: no"), "{error}");
    let error = with("cat >/dev/null; echo native");
    assert!(matches!(error, LoadError::Native(_)), "{error}");
}

#[test]
fn the_program_gives_the_same_bytes_for_the_same_component() {
    let compile = || {
        let mut child = Command::new(PROGRAM)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = component("prometheus-alert-resolve");
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &bytes));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let first = compile();
    assert!(!first.is_empty());
    assert!(compile() == first);
}

#[test]
fn a_recorded_judgement_says_and_costs_the_same_after_a_new_compilation() {
    let shop = Shop::new();
    let bytes = component("prometheus-alert-resolve");
    let recording: Recording = serde_json::from_value(json!({
        "granted": [["am", "alertmanager"]],
        "settings": {"min_firing_seconds": 30},
        "observation": {
            "source_type": "alertmanager", "event": "alert.ended", "detected_at": DETECTED_AT,
            "payload": {
                "fingerprint": "a1", "startsAt": "2026-02-21T09:00:00Z", "endsAt": "2026-02-21T09:30:00Z",
                "labels": {"alertname": "Slow", "severity": "critical"}, "instances": 1,
            },
        },
    }))
    .unwrap();
    let judge = |shop: &Shop| {
        let component = shop.load(&bytes, Bounds::default()).unwrap();
        recording.judge(&component).unwrap()
    };
    let first = judge(&shop);
    assert_eq!(first.verdict["verified"]["numbers"]["minutes"], 30);
    assert!(first.fuel > 1000);
    assert_eq!(judge(&shop), first, "from the cache");
    // A second generation of native code, in an engine and under bounds of its own.
    for file in shop.cached() {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(judge(&shop), first, "compiled anew");
    let wider = Bounds {
        fuel: 9_000_000_000,
        ..Bounds::default()
    };
    let component = Shop::new().load(&bytes, wider).unwrap();
    assert_eq!(recording.judge(&component).unwrap(), first, "elsewhere");
    let mut other = first.clone();
    other.fuel += 1;
    assert_eq!(first.differences(&other).len(), 1);
}
