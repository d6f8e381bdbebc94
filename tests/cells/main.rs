//! Cells: each cause of a failed pull as a scene in the emulator, with what must be said of it. One trial is one set; `run.rs` has what each
//! cell asserts.
//!
//! `AKS_ACR_CELL` runs only the cells whose name contains its value.

mod authorization;
mod cell;
mod clock;
mod image;
mod lists;
mod network;
mod nodes;
mod ranking;
mod rights;
mod run;
mod scene;
mod secrets;
mod state;
mod step;
mod table;

use cell::Cell;
use libtest_mimic::{Arguments, Failed, Trial};
use run::ensure;
use std::{
    collections::BTreeSet,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

/// The sets, and how many cells each of them has.
const SETS: &[(&str, usize)] = &[
    ("authorization", 265),
    ("network", 156),
    ("image", 168),
    ("secrets", 80),
    ("state", 32),
    ("ranking", 110),
    ("nodes", 19),
];

fn main() -> ExitCode {
    let sets = [
        authorization::cells(),
        network::cells(),
        image::cells(),
        secrets::cells(),
        state::cells(),
        ranking::cells(),
        nodes::cells(),
    ];
    let cells: Arc<Vec<Cell>> = Arc::new(sets.into_iter().flatten().collect());
    let mut trials: Vec<Trial> = SETS
        .iter()
        .map(|(set, _)| {
            let cells = Arc::clone(&cells);
            Trial::test(format!("set::{set}"), move || run_set(&cells, set))
        })
        .collect();
    let all = |name: &str, assert: fn(&[Cell]) -> Result<(), Failed>| {
        let cells = Arc::clone(&cells);
        Trial::test(name, move || assert(&cells))
    };
    trials.extend([
        all("each_set_has_its_cells", counts),
        all("a_right_that_is_missing_never_turns_a_verdict", |cells| paused(rights::run(cells))),
        all("after_a_fix_verdicts_are_what_nodes_do_at_that_time", |cells| paused(clock::run(cells))),
        all("the_list_of_unknowns_only_shrinks", lists::unknown_only_shrinks),
        all("the_table_is_current", |cells| table::is_current(cells, SETS)),
    ]);
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn counts(cells: &[Cell]) -> Result<(), Failed> {
    for (set, wanted) in SETS {
        let names: Vec<&str> = cells.iter().filter(|cell| cell.set == *set).map(|cell| cell.name.as_str()).collect();
        let distinct: BTreeSet<&&str> = names.iter().collect();
        ensure!(distinct.len() == names.len(), "two cells of the set {set} have the same name");
        ensure!(names.len() == *wanted, "the set {set} has {} cells, not {wanted}", names.len());
    }
    ensure!(cells.iter().all(|cell| SETS.iter().any(|(set, _)| cell.set == *set)), "a cell is in no set");
    Ok(())
}

/// Runs the cells of a set, spread over threads, and names each one that fails.
fn run_set(cells: &[Cell], set: &str) -> Result<(), Failed> {
    let filter = env::var("AKS_ACR_CELL").unwrap_or_default();
    let cells: Vec<&Cell> = cells.iter().filter(|cell| cell.set == set && cell.name.contains(&filter)).collect();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let begun = Instant::now();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = run_cell(cell) {
                        failures.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort();
    println!("{set}: {} cells, {} disagree, {:.1} s", cells.len(), failures.len(), begun.elapsed().as_secs_f64());
    ensure!(failures.is_empty(), "{} of {} cells disagree\n\n{}", failures.len(), cells.len(), failures.join("\n\n"));
    Ok(())
}

/// On the emulator no wait takes real time: the clock jumps to the next thing that is to happen.
fn paused(work: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(work)
}

fn run_cell(cell: &Cell) -> Result<(), String> {
    let ended = catch_unwind(AssertUnwindSafe(|| paused(run::run(cell))));
    let failed = |text: &str| format!("{}\n{text}", cell.full_name());
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(err)) => Err(failed(err.message().unwrap_or("failed without a message"))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(failed(&text.unwrap_or_else(|| "panicked".to_owned())))
        }
    }
}
