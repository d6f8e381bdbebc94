//! The first line, from an import to running pods.

fn main() {}
