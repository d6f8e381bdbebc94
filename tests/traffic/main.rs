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
            if !arguments.list {
                list.tell_what_is_not_held();
            }
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

/// One trial for each file that is held; and one that fails for each file that the list and the checks do not agree on.
fn half(list: &List, name: &str, of: impl Fn(&list::Entry) -> &Half, checks: &'static Checks) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (file, entry) in &list.entries {
        let trial = format!("{name}::{file}");
        let check = checks.iter().find(|(held, _)| held == file).map(|(_, check)| *check);
        let file = file.clone();
        match (of(entry), check) {
            (Half::Held, Some(check)) => {
                trials.push(data::trial(trial, move |folder| check(&Case::read(folder, &file)?)));
            }
            (Half::Held, None) => trials.push(failing(trial, "listed as held, and nothing holds it")),
            (Half::NotProduced(_), Some(_)) => trials.push(failing(trial, "held, and listed as not produced")),
            (Half::NotProduced(_), None) => {}
        }
    }
    let unlisted = checks.iter().filter(|(file, _)| !list.entries.contains_key(*file));
    trials.extend(unlisted.map(|(file, _)| failing(format!("{name}::{file}"), "it is not listed")));
    trials
}

fn failing(name: String, why: &'static str) -> Trial {
    Trial::test(name, move || Err(why.into()))
}
