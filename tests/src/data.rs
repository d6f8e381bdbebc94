//! Test data that lies outside the project: recordings of Azure and parser cases. Nothing of it is copied into the project.

use libtest_mimic::{Completion, Failed, Trial};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The environment variable that names the folder.
pub const VARIABLE: &str = "AKS_ACR_SHARED";

/// The folder, if one was named.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Reads a JSON file.
///
/// # Errors
/// If there is no such file, or it is not JSON.
pub fn read(path: &Path) -> Result<Value, Failed> {
    let text = fs::read_to_string(path).map_err(|err| format!("{}: {err}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|err| format!("{}: {err}", path.display()))?)
}

/// A trial that needs the folder. Without it the trial is shown as ignored, never as passed.
pub fn trial<R>(name: impl Into<String>, run: R) -> Trial
where
    R: FnOnce(&Path) -> Result<(), Failed> + Send + 'static,
{
    let folder = folder();
    let is_missing = folder.is_none();
    let trial = Trial::ignorable_test(name, move || match folder {
        Some(folder) => run(&folder).map(|()| Completion::Completed),
        None => Ok(Completion::ignored_with(format!("{VARIABLE} is not set"))),
    });
    trial.with_ignored_flag(is_missing)
}

/// Runs a future to its end on a clock that jumps over every wait.
///
/// # Errors
/// Those of the future; also if there can be no runtime.
pub fn paused<T, E: Into<Failed>>(work: impl Future<Output = Result<T, E>>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(work).map_err(Into::into)
}
