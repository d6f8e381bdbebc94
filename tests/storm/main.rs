//! Two stories in stormy weather, with every operation that writes: a share of all requests meets a fault, by chance that follows from a seed. Each run ends right or
//! with an error that says what failed; however it ended, the story ends right when it is run again without faults.
//!
//! `AKS_ACR_STORM_RUNS` says how many seeds are run, `AKS_ACR_STORM_SEED` which one alone, or which is the first. From 10,000 on, each kind
//! of fault has to be drawn often enough. `CARGO_PROFILE_DEV_OPT_LEVEL=1` is worth its build then.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends a trial")]

mod check;
mod credential;
mod dice;
mod stage;
mod story;
mod table;
mod teller;
mod wider;

use libtest_mimic::{Arguments, Failed, Trial};
use stage::{Play, Stage};
use std::{
    env,
    panic::catch_unwind,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};
use table::Table;

/// How many seeds a run of all tests takes.
const RUNS: u64 = 40;
/// The share of requests that meet a fault.
const SHARE: f64 = 0.3;
/// From so many seeds on, each kind of fault has to have struck so often.
const MANY: u64 = 10_000;
const LEAST_DRAWS: u64 = 500;
/// More failed seeds than these tell nothing new.
const MOST_FAILURES: usize = 5;

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("storm::in_calm_weather_the_stories_end_right", in_calm_weather_the_stories_end_right),
        Trial::test("storm::the_documented_story_ends_right_or_says_what_failed", || storms(Play::Documented)),
        Trial::test("storm::the_wider_story_ends_right_or_says_what_failed", || storms(Play::Wider)),
        Trial::test("storm::the_same_seed_meets_the_same_faults", || {
            the_same_seed_meets_the_same_faults();
            Ok(())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn in_calm_weather_the_stories_end_right() -> Result<(), Failed> {
    for (play, sign) in [(Play::Documented, "Running"), (Play::Wider, "outside")] {
        let end = Stage::new(play, 0).calm_end().map_err(|err| err.to_string())?;
        assert!(end.contains(sign), "the calm end says too little to compare with: {end}");
        // Run again after it has ended, it ends the same way.
        let stage = Stage::new(play, 1);
        let twice = [(); 2].map(|()| stage.calm_end().map_err(|err| err.to_string()));
        assert_eq!(twice, [Ok(end.clone()), Ok(end)]);
    }
    Ok(())
}

/// Which faults happen depends on no clock and on no order of concurrent requests, as long as the requests are the same.
fn the_same_seed_meets_the_same_faults() {
    let struck = |seed| {
        let stage = Stage::new(Play::Documented, seed);
        stage.stormy(SHARE);
        let first = stage.azure.requests().into_iter().take(12);
        first.map(|one| format!("{} {:?} {:?}", one.method, one.service, one.fault)).collect::<Vec<_>>()
    };
    assert_eq!(struck(7), struck(7));
    assert_ne!(struck(7), struck(8));
}

fn storms(play: Play) -> Result<(), Failed> {
    let alone = number("AKS_ACR_STORM_SEED");
    let runs = number("AKS_ACR_STORM_RUNS").unwrap_or(if alone.is_some() { 1 } else { RUNS });
    let first = alone.unwrap_or(0);
    let wanted = Stage::new(play, first).calm_end().map_err(|err| err.to_string())?;
    let (next, table, failures) = (AtomicU64::new(first), Mutex::new(Table::default()), Mutex::new(Vec::new()));
    let begun = Instant::now();
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= first + runs || failures.lock().unwrap().len() >= MOST_FAILURES {
            break;
        }
        // A panic is a finding like any other, and has a seed.
        let run = catch_unwind(|| check::run(play, seed, SHARE, &wanted));
        let verdict = match run {
            Ok(run) => {
                table.lock().unwrap().add(&run);
                run.verdict
            }
            Err(_) => Err("it panicked".to_owned()),
        };
        if let Err(why) = verdict {
            let replay = format!("AKS_ACR_STORM_SEED={seed} cargo test -p aks-acr-tests --test storm");
            failures.lock().unwrap().push(format!("seed {seed}: {why}\n  again: {replay}"));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (table, mut failures) = (table.into_inner().unwrap(), failures.into_inner().unwrap());
    println!("{}", table.shown(begun.elapsed()));
    // In so many runs each kind strikes often enough; were one missing, nothing would have been shown of it.
    if runs >= MANY && failures.is_empty() {
        failures.extend(table.seldom(LEAST_DRAWS).into_iter().map(|kind| format!("drawn too seldom: {kind}")));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}
