//! The words of core's own texts about pulls, which a redacted result keeps.

use crate::public_text::error_literals;
use std::collections::BTreeSet;

/// Where those texts are, below core's `src`.
const PLACES: [&str; 10] = [
    "action.rs",
    "cluster/settings",
    "cluster/workload/",
    "diagnosis/",
    "inventory/changed_property.rs",
    "missing.rs",
    "operation/check/",
    "operation/explain/",
    "refusal.rs",
    "role/",
];

/// The letters in one line.
const WIDTH: usize = 140;

/// The words, in lines.
pub fn text() -> String {
    // A file of tests has names of its own.
    let is_ours = |file: &str| PLACES.iter().any(|place| file.starts_with(place)) && !file.ends_with("tests.rs");
    let literals = error_literals().into_iter().filter(|(file, _)| is_ours(file));
    let words: BTreeSet<String> = literals.flat_map(|(_, text)| words(&text)).collect();
    let mut lines = vec![String::new()];
    for word in words {
        let is_full = lines.last().is_some_and(|line| line.len() + word.len() >= WIDTH);
        if is_full {
            lines.push(String::new());
        }
        let line = lines.last_mut().expect("a line");
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.join("\n")
}

/// The words of a literal, without what is filled in.
fn words(text: &str) -> Vec<String> {
    let mut plain = String::new();
    for (at, part) in text.split('{').enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once('}').map_or(part, |(_, after)| after) });
        plain.push(' ');
    }
    let all = plain.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
    let all = all.map(|word| word.trim_matches(['-', '_', '.']).to_lowercase());
    all.filter(|word| word.bytes().any(|letter| letter.is_ascii_alphabetic()) || word.len() == 36).collect()
}
