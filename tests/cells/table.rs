//! The table of the documentation: how many cells each set has, and what they show.

use crate::cell::Cell;
use aks_acr::{FindingId, Verdict};
use libtest_mimic::Failed;
use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

/// Compares `docs/findings/cells.md` with the cells, or writes it with `AKS_ACR_BLESS=1`.
pub fn is_current(cells: &[Cell], sets: &[(&str, usize)]) -> Result<(), Failed> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/findings/cells.md");
    let wanted = text(cells, sets);
    if env::var_os("AKS_ACR_BLESS").is_some() {
        fs::write(&path, &wanted)?;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found == wanted {
        return Ok(());
    }
    Err("docs/findings/cells.md is not current: AKS_ACR_BLESS=1 cargo test -p aks-acr-tests --test cells table".into())
}

fn text(cells: &[Cell], sets: &[(&str, usize)]) -> String {
    let mut text = String::from(
        "# Cells: what the findings are tested with\n\n\
         A cell is a cluster, a registry, a grant, a network and an image in the emulator. For each of them, the test program `tests/cells` compares the\n\
         verdict of [`check`](../check.md) with what the emulated nodes do, with [`explain`](../explain.md) of the same pods, and with\n\
         [`prove_pull`](../prove_pull.md) pool by pool. Then it carries out the next step and repeats the check, until the pods run. The expected finding of a cell\n\
         is computed by rules in the test, not by the library. The program fails if a single cell disagrees.\n\n\
         [All findings](README.md)\n\n\
         <!-- made: AKS_ACR_BLESS=1 cargo test -p aks-acr-tests --test cells table -->\n\n\
         | set | cells | can pull | cannot pull | unknown | disagreements |\n|---|---|---|---|---|---|\n",
    );
    let mut sums = [0; 4];
    for (set, _) in sets {
        let of = |verdict: Option<Verdict>| {
            let is_of_set = cells.iter().filter(|cell| cell.set == *set);
            is_of_set.filter(|cell| verdict.is_none_or(|wanted| cell.wanted.verdict() == wanted)).count()
        };
        let row = [None, Some(Verdict::CanPull), Some(Verdict::CannotPull), Some(Verdict::Unknown)].map(of);
        let _ = writeln!(text, "| {set} | {} | {} | {} | {} | 0 |", row[0], row[1], row[2], row[3]);
        sums.iter_mut().zip(row).for_each(|(sum, one)| *sum += one);
    }
    let _ = writeln!(text, "| all | {} | {} | {} | {} | 0 |", sums[0], sums[1], sums[2], sums[3]);
    text += "\n## By finding\n\nThe first finding of a check or, where only the cluster shows it, the root cause of an explanation.\n\n\
             | finding | cells |\n|---|---|\n";
    let mut counts: BTreeMap<usize, (FindingId, usize)> = BTreeMap::new();
    for id in cells.iter().flat_map(ids) {
        let place = FindingId::ALL.iter().position(|one| *one == id).unwrap_or(usize::MAX);
        counts.entry(place).or_insert((id, 0)).1 += 1;
    }
    for (id, count) in counts.values() {
        let _ = writeln!(text, "| [`{id}`]({id}.md) | {count} |");
    }
    text
}

/// The finding from outside, and the one from inside if it is another one.
fn ids(cell: &Cell) -> Vec<FindingId> {
    let outside = cell.wanted.found.as_ref().map(|(_, id)| id.clone());
    let inside = cell.wanted.inside.clone().filter(|id| outside.as_ref() != Some(id));
    outside.into_iter().chain(inside).collect()
}
