//! The checked-in lists: cells whose verdict is unknown, and next steps that only a person can do.

use crate::{cell::Cell, run::ensure};
use aks_acr::{FindingId, Verdict};
use libtest_mimic::Failed;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// The cells whose verdict is unknown. A lower number is progress; a higher one is not accepted.
pub const MOST_UNKNOWN: usize = 40;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cells").join(name)
}

/// The cells of a table, row by row, without its head.
fn rows(name: &str) -> Result<Vec<Vec<String>>, Failed> {
    let path = file(name);
    let text = fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
    let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    Ok(rows.map(cells).collect())
}

/// Whether the list says that only a person can do the next step of a finding.
pub fn is_by_hand(id: &FindingId) -> Result<bool, Failed> {
    Ok(rows("by_hand.md")?.iter().any(|row| row.first().is_some_and(|first| first.trim_matches('`') == id.as_str())))
}

/// The cells that expect an unknown verdict are those of the list, with the same finding.
pub fn unknown_only_shrinks(cells: &[Cell]) -> Result<(), Failed> {
    let listed: BTreeSet<Vec<String>> = rows("unknown.md")?.into_iter().collect();
    let is_unknown = |cell: &&Cell| cell.wanted.verdict() == Verdict::Unknown;
    let row = |cell: &Cell| {
        let id = cell.wanted.found.as_ref().map_or_else(String::new, |(_, id)| format!("`{id}`"));
        vec![cell.set.to_owned(), cell.name.clone(), id]
    };
    let expected: BTreeSet<Vec<String>> = cells.iter().filter(is_unknown).map(row).collect();
    let more: Vec<_> = expected.difference(&listed).map(|row| format!("| {} |", row.join(" | "))).collect();
    let less: Vec<_> = listed.difference(&expected).map(|row| row.join(" | ")).collect();
    ensure!(more.is_empty(), "not in tests/cells/unknown.md, and it may only shrink:\n{}", more.join("\n"));
    ensure!(less.is_empty(), "no longer unknown: remove them from tests/cells/unknown.md:\n{}", less.join("\n"));
    ensure!(listed.len() <= MOST_UNKNOWN, "{} unknown cells, at most {MOST_UNKNOWN} are accepted", listed.len());
    Ok(())
}
