//! `farmops-agent-compiler`: a component on standard input, native code for this architecture on standard output.
//!
//! The agent starts it once per component and bounds its time and memory. It opens no file and no
//! connection. The same component gives the same bytes.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use farmops_component::bounds::COMPONENT_BYTES_MAX;
use farmops_component::compile::compile_here;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut component = Vec::new();
    std::io::stdin()
        .take(COMPONENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut component)
        .context("standard input")?;
    ensure!(
        component.len() <= COMPONENT_BYTES_MAX,
        "the component is larger than {COMPONENT_BYTES_MAX} bytes"
    );
    let native = compile_here(&component).map_err(|error| anyhow::anyhow!("{error:#}"))?;
    std::io::stdout()
        .write_all(&native)
        .context("standard output")
}
