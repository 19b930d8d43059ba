//! The `farmops-tracker` program.

fn main() {}
