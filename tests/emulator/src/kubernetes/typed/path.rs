//! Where in an object a value is.

use std::fmt::Write;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Field(String),
    /// An entry of a list, with its key where it has one: `[name="c"]`.
    Entry(usize, Option<String>),
}

/// As server-side apply shows it: `.spec.containers[name="c"].image`.
pub(super) fn of_apply(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        let _ = match step {
            Step::Field(name) => write!(text, ".{name}"),
            Step::Entry(_, Some(key)) => write!(text, "{key}"),
            Step::Entry(index, None) => write!(text, "[{index}]"),
        };
    }
    text
}

/// As strict decoding shows it: `spec.containers[0].image`.
pub(super) fn of_decoding(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        let dot = if text.is_empty() { "" } else { "." };
        let _ = match step {
            Step::Field(name) => write!(text, "{dot}{name}"),
            Step::Entry(index, _) => write!(text, "[{index}]"),
        };
    }
    text
}
