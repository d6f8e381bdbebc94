//! Recorded answers of Azure: the library reads each as its service meant it, and the emulator answers alike.

mod emulating;
mod exchange;
mod list;
mod reading;

use aks_acr_tests::data;
use exchange::Case;
use libtest_mimic::{Arguments, Failed, Trial};
use list::{Half, List};
use std::process::ExitCode;

/// What a file shows, as assertions.
type Check = fn(&Case) -> Result<(), Failed>;

/// The checks of one half, by file.
type Checks = [(&'static str, Check)];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match List::checked_in() {
        Ok(list) => {
            let mut trials = list::trials(&list);
            trials.extend(emulating::rule::trials());
            trials.extend(half(&list, "core", |entry| &entry.core, reading::CHECKS));
            trials.extend(half(&list, "emulator", |entry| &entry.emulator, emulating::CHECKS));
            trials
        }
        Err(why) => vec![Trial::test("list::can_be_read", || Err(why))],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One trial for each file that is listed, in the list's order; and one that fails for each check of a file that is not held.
fn half(list: &List, name: &str, of: impl Fn(&list::Entry) -> &Half, checks: &'static Checks) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (file, entry) in &list.entries {
        let trial = format!("{name}::{file}");
        let check = checks.iter().find(|(held, _)| held == file).map(|(_, check)| *check);
        let file = file.clone();
        trials.push(match (of(entry), check) {
            (Half::Held, Some(check)) => data::trial(trial, move |folder| check(&Case::read(folder, &file)?)),
            (Half::Held, None) => Trial::test(trial, || Err("listed as held, and nothing holds it".into())),
            (Half::NotProduced(reason), None) => data::not_applicable(trial, reason),
            (Half::NotProduced(_), Some(_)) => Trial::test(trial, || Err("held, and listed as not produced".into())),
        });
    }
    let unlisted = checks.iter().filter(|(file, _)| !list.entries.contains_key(*file));
    trials.extend(unlisted.map(|(file, _)| Trial::test(format!("{name}::{file}"), || Err("it is not listed".into()))));
    trials
}
