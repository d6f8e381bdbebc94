//! No secret is shown: one run with every kind of credential, through every way to fail, with everything listened to at the most
//! verbose level. Secrets are registered as the run makes and meets them, and none may be found in what was heard: records of this
//! crate and of those below it, results, errors and what lies behind them, `Debug` of whatever there is, panics, progress, writes,
//! command lines and environments of programs that were started.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends a test")]

mod detector;
mod heard;
mod kinds;
mod network;
mod story;
mod table;
mod tools;
mod watching;

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use std::process::Command;

/// Set in the process that has the variables of App Service.
const CHILD: &str = "AKS_ACR_TEST_APP_SERVICE";

fn main() -> std::process::ExitCode {
    // What is heard belongs to the whole process: one after the other.
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let app_service = std::env::var_os(CHILD).is_some();
    let trials = if app_service {
        vec![Trial::test("app_service", || table::run(&[kinds::APP_SERVICE]))]
    } else {
        vec![
            Trial::test("a_leak_that_is_made_on_purpose_is_found", || {
                detector::finds_what_is_leaked();
                Ok(())
            }),
            Trial::test("no_credential_shows_a_secret_however_it_ends", || table::run(kinds::KINDS)),
            Trial::test("nor_does_the_identity_of_app_service", in_a_process_of_its_own),
            Trial::test("nor_does_the_network_nor_a_proxy_with_a_password", network::run),
        ]
    };
    heard::begin();
    Conclusion::exit_code(&libtest_mimic::run(&arguments, trials))
}

/// The variables of App Service are read from the process itself.
fn in_a_process_of_its_own() -> Result<(), Failed> {
    let done = Command::new(std::env::current_exe()?)
        .env(CHILD, "1")
        .env("IDENTITY_ENDPOINT", "http://app.example/msi/token")
        .env("IDENTITY_HEADER", kinds::HEADER)
        .output()?;
    let told = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    // Without its counts, which are not this program's.
    told.lines()
        .filter(|line| !line.starts_with("test result") && !line.starts_with("running"))
        .for_each(|line| println!("{line}"));
    if !done.status.success() || told.contains(kinds::HEADER) {
        return Err("see above".into());
    }
    Ok(())
}
