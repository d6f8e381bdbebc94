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

/// How often it is tried to end and remove what is left in one folder, and the wait between two tries.
const ROUNDS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Ends and removes what no living emulator of this user owns in a folder.
pub(super) fn remove(parent: &Path) {
    for folder in folders(parent).into_iter().filter(|folder| is_left(folder)) {
        if !(0..ROUNDS).any(|round| is_gone(&folder, round)) {
            eprintln!("aks-acr-emulator: cannot remove what another emulator has left: {}", folder.display());
        }
    }
}

/// Ends the processes in a folder and removes it. Gives whether nothing of it is left, which the next round is to say: a process may have
/// started another one in the meantime.
fn is_gone(folder: &Path, round: usize) -> bool {
    let running: Vec<String> = processes_in(folder).collect();
    if running.is_empty() && !folder.exists() {
        return true;
    }
    if round > 0 {
        std::thread::sleep(PAUSE);
    }
    if !running.is_empty() {
        let mut kill = Command::new("kill");
        let _ = kill.args(["-s", "KILL"]).args(&running).stderr(Stdio::null()).status();
    }
    let _ = fs::remove_dir_all(folder);
    false
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

/// The processes that run in a folder, also in one that was removed: Linux shows that behind its name.
fn processes_in(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_below = move |place: &Path| {
        let place = place.to_string_lossy();
        Path::new(place.strip_suffix(" (deleted)").unwrap_or(&place)).starts_with(folder)
    };
    let runs_here =
        move |entry: &fs::DirEntry| fs::read_link(entry.path().join("cwd")).is_ok_and(|place| is_below(&place));
    let is_process = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let names = entries.filter(runs_here).map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(is_process)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("aks-acr-leftovers-{}", uuid::Uuid::new_v4().simple()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        /// What an emulator has left, whose lock nobody holds.
        fn leave(&self) -> PathBuf {
            let left = self.0.join(format!("{PREFIX}1"));
            fs::create_dir(&left).unwrap();
            fs::write(left.join(LOCK), "").unwrap();
            left
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn run(folder: &Path, script: &str) -> std::process::Child {
        Command::new("/bin/sh").args(["-c", script]).arg(folder).current_dir(folder).spawn().unwrap()
    }

    #[test]
    fn a_process_in_a_folder_that_was_removed_is_found() {
        let parent = Folder::new();
        let left = parent.leave();
        let mut process = run(&left, "exec sleep 60");
        fs::remove_dir_all(&left).unwrap();
        assert_eq!(processes_in(&left).collect::<Vec<_>>(), [process.id().to_string()]);
        process.kill().unwrap();
        process.wait().unwrap();
    }

    #[test]
    fn processes_that_start_others_are_ended_too() {
        let parent = Folder::new();
        let left = parent.leave();
        // Each process starts the next, writes and ends.
        let mut first = run(&left, r#"next() { sleep 0.04; mkdir -p "$0/again"; next & }; next"#);
        first.wait().unwrap();
        assert!(processes_in(&left).next().is_some());
        remove(&parent.0);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(processes_in(&left).count(), 0);
        assert!(!left.exists());
    }

    #[test]
    fn what_a_living_owner_has_locked_stays() {
        let parent = Folder::new();
        let left = parent.leave();
        let lock = fs::File::open(left.join(LOCK)).unwrap();
        lock.try_lock().unwrap();
        remove(&parent.0);
        assert!(left.exists());
        drop(lock);
        remove(&parent.0);
        assert!(!left.exists());
    }
}
