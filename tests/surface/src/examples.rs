//! The examples of operations, which tests run: each is the body of a function.

use crate::{files::root, source::camel_case};
use std::fs;

/// An operation's example in Rust, for core's own types.
pub fn rust(operation: &str) -> String {
    body("examples.rs", &format!("pub async fn {operation}("), "\n}\n", "    ")
}

pub fn python(operation: &str) -> String {
    body("examples.py", &format!("\ndef {operation}("), "\n\n\n", "    ")
}

pub fn javascript(operation: &str) -> String {
    body("examples.mjs", &format!("export async function {}(", camel_case(operation)), "\n}\n", "  ")
}

/// A function's body, without its indentation.
fn body(file: &str, begin: &str, end: &str, indent: &str) -> String {
    let path = root().join("tests/docs").join(file);
    let text = fs::read_to_string(path).unwrap_or_else(|err| panic!("tests/docs/{file}: {err}"));
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("tests/docs/{file} has no {begin}"));
    let (_, rest) = rest.split_once('\n').expect("a body");
    let (body, _) = rest.split_once(end).unwrap_or((rest, ""));
    let lines = body.lines().map(|line| line.strip_prefix(indent).unwrap_or(line));
    lines.filter(|line| *line != "Ok(())").collect::<Vec<_>>().join("\n")
}
