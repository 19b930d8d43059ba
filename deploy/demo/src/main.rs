//! The `farmops-demo` program.

fn main() {}
