//! Writes `openapi.json` anew, as the routes describe themselves.
#![allow(clippy::print_stdout)]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let document = farmops_tracker::http::openapi::describe()?;
    std::fs::write(path, serde_json::to_string_pretty(&document)? + "\n")?;
    println!("{path}");
    Ok(())
}
