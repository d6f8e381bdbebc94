//! What an emulator has left that was killed together with its guard: its processes and folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How the names of the folders begin.
pub(super) const PREFIX: &str = "aks-acr-control-plane-";
/// The file that the owner of a folder keeps locked.
pub(super) const LOCK: &str = "lock";

/// A folder without a lock is as young as this when its owner is still making it.
const YOUNG: Duration = Duration::from_secs(60);

/// Ends and removes what no living emulator of this user owns in a folder.
pub(super) fn remove(parent: &Path) {
    for folder in folders(parent).into_iter().filter(|folder| is_left(folder)) {
        let running: Vec<String> = processes_in(&folder).collect();
        if !running.is_empty() {
            let mut kill = Command::new("kill");
            let _ = kill.args(["-s", "KILL"]).args(&running).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_dir_all(&folder);
    }
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    // A link is not followed.
    named.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

#[cfg(unix)]
fn is_own(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| fs::symlink_metadata(path).map(|metadata| metadata.uid()).ok();
    owner(folder).is_some() && owner(folder) == owner(Path::new("/proc/self"))
}

#[cfg(not(unix))]
fn is_own(_: &Path) -> bool {
    false
}

/// Whether its owner is gone.
fn is_left(folder: &Path) -> bool {
    if !is_own(folder) {
        return false;
    }
    if let Ok(lock) = fs::File::open(folder.join(LOCK)) {
        return lock.try_lock().is_ok();
    }
    let made = fs::metadata(folder).and_then(|metadata| metadata.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > YOUNG))
}

/// The processes that run in a folder.
fn processes_in(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let runs_here = move |entry: &fs::DirEntry| {
        fs::read_link(entry.path().join("cwd")).is_ok_and(|place| place.starts_with(folder))
    };
    let is_process = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let names = entries.filter(runs_here).map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(is_process)
}
