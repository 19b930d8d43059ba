//! The plugins in both their forms, and the program that compiles components, beside the agent's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::SystemTime;

/// The plugins whose folder has both forms: `plugins/<name>`.
pub(crate) fn plugins() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("plugins")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let manifest = std::fs::read_to_string(path.join("Cargo.toml"));
            manifest.is_ok_and(|text| text.contains("cdylib") && !text.contains("{{"))
        })
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The agent's own program, which is its plugins' launcher too.
pub(crate) fn agent() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_farmops-agent"))
}

/// A plugin in `place` that misbehaves as `name` says (`agent/examples/hostile.rs`).
pub(crate) fn hostile(place: &Path, name: &str) -> PathBuf {
    example(place, "hostile", name)
}

/// A copy in `place`, called `name`, of a program in `agent/examples`.
pub(crate) fn example(place: &Path, example: &str, name: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    let examples = folder().join("examples");
    let (program, copy) = (examples.join(example), place.join(name));
    BUILD.call_once(|| {
        let source = newest(&root().join("agent/examples"));
        let source = source.max(newest(&root().join("plugins/sdk")));
        let fresh = |name| is_fresh(&examples.join(name), source);
        if !["babbler", "hostile"].into_iter().all(fresh) {
            let mut build = Command::new(env!("CARGO"));
            build.current_dir(root()).args(["build", "--quiet"]);
            build.args(["-p", "farmops-agent", "--examples"]);
            assert!(build.status().unwrap().success());
        }
    });
    let mut content = std::fs::read(program).unwrap();
    // So that each has a digest of its own.
    content.extend_from_slice(name.as_bytes());
    std::fs::write(&copy, content).unwrap();
    copy
}

/// The folder with the programs. Cargo builds only this crate's own for a test, so the plugins are
/// built here when they are missing or older than their source.
pub(crate) fn folder() -> PathBuf {
    static BUILD: Once = Once::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .parent()
        .unwrap();
    BUILD.call_once(|| {
        let packages = plugins()
            .iter()
            .map(|name| format!("farmops-plugin-{name}"))
            .collect();
        build(folder, packages, &["plugins"]);
    });
    folder.to_owned()
}

/// The program that compiles components.
pub(crate) fn compiler() -> PathBuf {
    static BUILD: Once = Once::new();
    let name = "farmops-agent-compiler";
    let folder = folder();
    BUILD.call_once(|| {
        let sources = ["agent/wasm/src", "agent/compiler/src"];
        build(&folder, vec![name.to_owned()], &sources);
    });
    folder.join(name)
}

/// The component of the plugin `name`; `hostile` is one that breaks every bound.
pub(crate) fn component(name: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    let folder = folder().parent().unwrap().join("components");
    BUILD.call_once(|| {
        let names: Vec<String> = plugins()
            .into_iter()
            .chain(["hostile".to_owned()])
            .collect();
        let source =
            newest(&root().join("plugins")).max(newest(&root().join("agent/wasm/hostile")));
        let built = |name: &String| is_fresh(&folder.join(format!("{name}.wasm")), source);
        if !names.iter().all(built) {
            let mut script = Command::new(root().join("plugins/build-components"));
            assert!(script.args(names).status().unwrap().success());
        }
    });
    folder.join(format!("{name}.wasm"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Builds the programs, unless all are in `folder` and younger than their sources.
fn build(folder: &Path, packages: Vec<String>, sources: &[&str]) {
    let source = sources.iter().map(|path| newest(&root().join(path))).max();
    let source = source.unwrap();
    if packages
        .iter()
        .all(|name| is_fresh(&folder.join(name), source))
    {
        return;
    }
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(root()).args(["build", "--quiet"]);
    for name in packages {
        build.args(["-p", &name]);
    }
    // What a benchmark asks is built as it is.
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
}

fn is_fresh(built: &Path, source: SystemTime) -> bool {
    let modified = std::fs::metadata(built).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|built| built >= source)
}

/// When anything under `folder` was changed last.
fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                newest(&entry.path())
            } else {
                entry.metadata().unwrap().modified().unwrap()
            }
        })
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
