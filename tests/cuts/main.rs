//! Every operation, cut at each of its requests, before the effect or after it with the answer lost, and run again: the end is that
//! of an uncut run. The end is the emulator's whole dump, and the files; times and what `end.rs` names may differ.
//!
//! A cut is the end of the caller: the request that it meets is never answered, and the operation is dropped. The second kind is a
//! lost connection, for which the operation gets an error: it continues to the same end, or ends with a clear error and is run again.
//!
//! What was run is printed as a table, which `README.md` here has too; `AKS_ACR_BLESS=1` writes it anew.

#![expect(clippy::expect_used, clippy::panic, reason = "a test program: what fails here ends a trial")]

mod access;
mod attach;
mod case;
mod create;
mod delete;
mod deploy;
mod detach;
mod end;
mod identity;
mod import;
mod kubeconfig;
mod line;
mod look;
mod mode;
mod progress;
mod result;
mod scene;
mod stall;
mod table;

use case::Case;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use table::Table;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases: Vec<Case> = [
        look::cases(),
        attach::cases(),
        detach::cases(),
        access::cases(),
        create::registries(),
        delete::cases(),
        identity::cases(),
        mode::cases(),
        create::clusters(),
        import::cases(),
        kubeconfig::cases(),
        deploy::cases(),
    ]
    .concat();
    let table = Table::of(&cases);
    let mut trials = vec![Trial::test("every_operation_has_a_row", {
        let cases = cases.clone();
        move || table::every_operation_has_a_row(&cases)
    })];
    for case in cases.clone() {
        let stalls = move || aks_acr_tests::data::paused(case.check_stalls());
        trials.push(Trial::test(format!("stalls: {}", case.name()), stalls));
        let endless = move || aks_acr_tests::data::paused(case.check_endless());
        trials.push(Trial::test(format!("endless: {}", case.name()), endless));
    }
    trials.extend(cases.into_iter().map(|case| {
        let table = table.clone();
        Trial::test(case.name(), move || {
            let count = aks_acr_tests::data::paused(case.check())?;
            table.put(&case, count);
            Ok(())
        })
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Only who ran all of them has the whole table.
    if conclusion.has_failed() || !table.is_whole() {
        return conclusion.exit_code();
    }
    println!("{table}");
    match table.check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
