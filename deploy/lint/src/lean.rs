//! What a program must not link. Building many crates at once joins their features, so that the graph of
//! the workspace does not show what one program alone is made of; this asks for each by itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::Finding;

/// Program → libraries it does without: the agent loads native code and does not make any.
const WITHOUT: &[(&str, &[&str])] = &[("farmops-agent", &["cranelift-codegen", "wasmtime-wasi"])];

/// Every program that links what it must not.
///
/// # Errors
/// When cargo can not be run or refuses.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (program, without) in WITHOUT {
        let linked = linked(root, program)?;
        findings.extend(unwanted(program, without, &linked));
    }
    Ok(findings)
}

fn linked(root: &Path, program: &str) -> Result<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["tree", "--locked", "--package", program])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .context("run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn unwanted(program: &str, without: &[&str], linked: &str) -> Vec<Finding> {
    let names: Vec<&str> = linked
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    without
        .iter()
        .filter(|library| names.contains(library))
        .map(|library| format!("{program} links {library}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::unwanted;

    #[test]
    fn a_library_that_came_back_is_found() {
        let linked = "farmops-agent v0.1.0 (/x)\ncranelift-codegen v0.135.8\nwasmtime v48.0.8\n";
        let found = unwanted("farmops-agent", &["cranelift-codegen", "wasi"], linked);
        assert_eq!(found, ["farmops-agent links cranelift-codegen"]);
    }
}
