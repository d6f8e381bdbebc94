//! What is the same in every language: the names of the operations, the kinds of errors, and the stories.
//!
//! The JSON files here are read by the suites of all three. This program is Rust's: it compares the files with core, so that a
//! missing operation or kind fails, and runs each story over the emulator's TLS server.
//!
//! `AKS_ACR_BLESS=1` writes the results into the stories: review the difference before you commit it.

#![expect(clippy::expect_used, reason = "a test program: what fails here ends a trial")]

mod answer;
mod call;
mod compare;
mod names;
mod story;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("every_operation_of_the_client_is_listed", || Ok(names::operations()?)),
        Trial::test("every_kind_of_error_is_listed", || Ok(names::errors()?)),
        Trial::test("every_operation_is_told_of_in_a_story", || Ok(names::told(&story::all())?)),
        Trial::test("every_finding_is_in_a_story_or_listed", || Ok(names::findings(&story::all())?)),
    ];
    trials.extend(story::all().into_iter().map(|story| {
        let name = format!("story::{}", story.name);
        Trial::test(name, move || Ok(story.tell()?))
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
