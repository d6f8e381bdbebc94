//! The layers of a crate: which module may name which.

use crate::paths::{Crate, Reference};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// A crate held against a list of ranks, from the lowest to the highest.
pub struct Layers<'a> {
    files: BTreeMap<&'a str, usize>,
    references: BTreeSet<Reference>,
    ranks: &'a [&'a str],
}

impl<'a> Layers<'a> {
    /// A rank is a file, or a folder with `/` at its end, below `src`. The longest that fits a file is the file's.
    pub fn new(source: &'a Crate, ranks: &'a [&'a str]) -> Self {
        Self { files: source.files(), references: source.references(), ranks }
    }

    fn rank(&self, file: &str) -> Option<usize> {
        let fits = |rank: &str| file == rank || (rank.ends_with('/') && file.starts_with(rank));
        let fitting = self.ranks.iter().enumerate().filter(|(_, rank)| fits(rank));
        fitting.max_by_key(|(_, rank)| rank.len()).map(|(at, _)| at)
    }

    /// Files without a rank, and ranks without a file.
    pub fn unranked(&self) -> Vec<String> {
        let files =
            self.files.keys().filter(|file| self.rank(file).is_none()).map(|file| format!("{file} has no rank"));
        let empty = (0..self.ranks.len()).filter(|at| !self.files.keys().any(|file| self.rank(file) == Some(*at)));
        files.chain(empty.map(|at| format!("no file has the rank {}", self.ranks[at]))).collect()
    }

    /// Paths that name something of a higher rank.
    pub fn upward(&self) -> Vec<String> {
        let is_upward = |one: &&Reference| self.rank(&one.from) < self.rank(&one.to);
        self.references
            .iter()
            .filter(is_upward)
            .map(|one| format!("{} names {} ({})", one.from, one.path, one.to))
            .collect()
    }

    /// What files name of each other in a circle.
    pub fn circles(&self) -> Vec<String> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.files.keys().map(|file| (*file, self.reached(file))).collect();
        let is_back =
            |one: &&Reference| reached.get(one.to.as_str()).is_some_and(|all| all.contains(one.from.as_str()));
        self.references.iter().filter(is_back).map(|one| format!("{} -> {} ({})", one.from, one.to, one.path)).collect()
    }

    /// All files that a file names, directly or through others.
    fn reached<'b>(&'b self, file: &'b str) -> BTreeSet<&'b str> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
        while let Some(file) = next.pop() {
            let named = self.references.iter().filter(|one| one.from == file).map(|one| one.to.as_str());
            next.extend(named.filter(|one| reached.insert(*one)));
        }
        reached
    }

    /// The largest file, and the median of each top folder.
    pub fn sizes(&self) -> String {
        let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (file, lines) in &self.files {
            let folder = file.split_once('/').map_or("(top)", |(folder, _)| folder);
            folders.entry(folder).or_default().push(*lines);
        }
        let largest = self.files.iter().max_by_key(|(_, lines)| **lines).expect("a file");
        let mut text = format!("largest file: {} ({} lines)\n", largest.0, largest.1);
        for (folder, mut lines) in folders {
            lines.sort_unstable();
            writeln!(text, "{folder}: {} files, median {} lines", lines.len(), lines[lines.len() / 2]).expect("memory");
        }
        text
    }
}
