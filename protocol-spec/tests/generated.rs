//! The committed Rust of `proto/` is what the generator writes. `UPDATE=1` writes it.

#![allow(clippy::unwrap_used)]

use std::{env, fs, path::Path};

/// Package → the file, from the repository's root, that holds its generated Rust.
const OUTPUTS: [(&str, &str); 3] = [
    (
        "farmops.proof.v1",
        "protocol-spec/src/wire/proof/farmops.proof.v1.rs",
    ),
    (
        "farmops.tracker.v1",
        "protocol-spec/src/wire/tracker/farmops.tracker.v1.rs",
    ),
    (
        "farmops.plugin.v1",
        "plugins/sdk/rust/src/gen/farmops.plugin.v1.rs",
    ),
];

const NOT_WASM: &str = "#[cfg(not(target_family = \"wasm\"))]";

#[test]
fn committed_code_is_what_the_generator_writes() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = OUTPUTS.map(|(package, _)| {
        let (path, name) = (
            package.replace('.', "/"),
            package.split('.').nth(1).unwrap(),
        );
        format!("{path}/{name}.proto")
    });
    let descriptors = protox::compile(&files, [spec.join("proto")]).unwrap();
    let out = env::temp_dir().join(format!("farmops-generated-{}", std::process::id()));
    fs::create_dir_all(&out).unwrap();
    tonic_prost_build::configure()
        .build_transport(false)
        // One order of the members, so that one verdict has one encoding.
        .btree_map(".farmops.plugin.v1")
        // A plugin that is a component has no sockets.
        .client_mod_attribute("farmops.plugin.v1", NOT_WASM)
        .server_mod_attribute("farmops.plugin.v1", NOT_WASM)
        .out_dir(&out)
        .compile_fds(descriptors)
        .unwrap();
    let mut stale = Vec::new();
    for (package, committed) in OUTPUTS {
        let fresh = fs::read_to_string(out.join(format!("{package}.rs"))).unwrap();
        let path = spec.join("..").join(committed);
        if fs::read_to_string(&path).is_ok_and(|text| text == fresh) {
            continue;
        }
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, fresh).unwrap();
        } else {
            stale.push(committed);
        }
    }
    fs::remove_dir_all(&out).unwrap();
    assert!(stale.is_empty(), "run with UPDATE=1 to refresh: {stale:?}");
}
