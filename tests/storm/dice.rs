//! Numbers that follow from a seed and a word.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number below `count`, the same for the same seed and word.
pub fn below(count: u64, seed: u64, word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, word).hash(&mut hasher);
    hasher.finish() % count
}
