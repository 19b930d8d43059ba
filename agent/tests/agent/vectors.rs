//! Every recorded observation of every plugin, judged by both forms: the same verdict, to the byte.
//!
//! A plugin joins by its folder `plugins/<name>/vectors`; see `farmops_plugin::testing`.

use std::path::{Path, PathBuf};

use farmops_component::{Bounds, Cache, Compiler, Component, Engine};
use farmops_plugin::testing::{Case, cases};

use crate::process::Process;
use crate::programs;

fn vectors(plugin: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugins/{plugin}/vectors"))
}

/// The sources that are granted in a case: one of its own type.
fn source(case: &Case) -> (String, String) {
    ("source".to_owned(), case.observation.source_type.clone())
}

fn settings(case: &Case) -> Vec<u8> {
    serde_json::to_vec(&case.settings).unwrap()
}

#[tokio::test]
async fn processes_and_components_give_the_recorded_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::new().unwrap();
    let cache = Cache::new(folder.path().join("components"), [7; 32]);
    let compiler = Compiler::new(programs::compiler());
    let (mut judged, mut differences) = (0, Vec::new());
    for plugin in programs::plugins() {
        let program = programs::folder().join(format!("farmops-plugin-{plugin}"));
        let bytes = std::fs::read(programs::component(&plugin)).unwrap();
        let bounds = Bounds::default();
        let component = Component::load(&engine, &cache, &compiler, &bytes, &plugin, bounds);
        let component = component.unwrap();
        let mut described = false;
        for (path, case) in cases(vectors(&plugin)) {
            let observation = case.observation.to_observation().unwrap();
            let mut process = Process::start(&program, folder.path()).await;
            if !described {
                let declared = process.describe().await;
                assert_eq!(component.describe().unwrap(), declared, "{plugin}");
                described = true;
            }
            let wanted = component.configure(&[source(&case)], &settings(&case));
            assert_eq!(
                process.configure(source(&case), settings(&case)).await,
                wanted.unwrap().wanted
            );
            let verdicts = [
                process.verify(observation.clone()).await,
                component.verify(&observation).unwrap().verdict,
            ];
            for (form, verdict) in ["process", "component"].iter().zip(verdicts) {
                if let Err(difference) = case.check(&verdict) {
                    differences.push(format!("{} as {form}: {difference}", path.display()));
                }
                judged += 1;
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(judged > 0);
}
