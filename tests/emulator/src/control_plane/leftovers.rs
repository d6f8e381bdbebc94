//! What an emulator has left that was killed together with its guard: its processes, control groups and folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How the names of the folders begin.
pub(super) const PREFIX: &str = "aks-acr-control-plane-";
/// The file that the owner of a folder keeps locked.
pub(super) const LOCK: &str = "lock";
/// Its name before it is locked.
const NEW_LOCK: &str = "lock.new";

/// A folder without a lock is as young as this when its owner is still making it.
const YOUNG: Duration = Duration::from_secs(60);

/// How often it is tried to end and remove what is left in one folder, and the wait between two tries.
const ROUNDS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Locks a new folder. Under its name the file is locked from the beginning: another emulator takes an unlocked one for what is left of
/// a dead one.
pub(crate) fn lock(folder: &Path) -> io::Result<fs::File> {
    let new = folder.join(NEW_LOCK);
    let lock = fs::File::create(&new)?;
    lock.try_lock().map_err(io::Error::from)?;
    fs::rename(new, folder.join(LOCK))?;
    Ok(lock)
}

/// Removes the folders whose names begin like this and whose lock no living process holds.
pub(crate) fn remove_locked(parent: &Path, prefix: &str) {
    for folder in folders(parent, prefix) {
        if folder.join(LOCK).exists() && is_left(&folder) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Ends and removes what no living emulator of this user owns in a folder.
pub(super) fn remove(parent: &Path) {
    for folder in folders(parent, PREFIX).into_iter().filter(|folder| is_left(folder)) {
        if !clear(&folder) {
            eprintln!("aks-acr-emulator: cannot remove what another emulator has left: {}", folder.display());
        }
    }
}

/// Ends the processes in a folder, and removes its control groups and the folder itself. Gives whether nothing of it is left.
pub(super) fn clear(folder: &Path) -> bool {
    (0..ROUNDS).any(|round| is_gone(folder, round))
}

/// Ends the processes in a folder and removes it. Gives whether nothing of it is left, which the next round is to say: a process may have
/// started another one in the meantime.
fn is_gone(folder: &Path, round: usize) -> bool {
    let running: Vec<String> = processes_in(folder).collect();
    if running.is_empty() && !folder.exists() && control_groups(folder).next().is_none() {
        return true;
    }
    if round > 0 {
        std::thread::sleep(PAUSE);
    }
    if !running.is_empty() {
        let mut kill = Command::new("kill");
        let _ = kill.args(["-s", "KILL"]).args(&running).stderr(Stdio::null()).status();
    }
    // The folder goes last: its name says which groups are left.
    if control_groups(folder).all(|group| remove_groups(&group)) {
        let _ = fs::remove_dir_all(folder);
    }
    false
}

/// The control groups of a real node whose folder this is.
fn control_groups(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let name = folder.file_name().unwrap_or_default().to_owned();
    let top = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(top).into_iter().flatten().flatten().map(|entry| entry.path());
    std::iter::once(top.to_owned())
        .chain(hierarchies.collect::<Vec<_>>())
        .map(move |hierarchy| hierarchy.join(&name))
        .filter(|group| group.is_dir())
}

/// Removes a group and those below, which the kernel does once they are empty; their files go with them.
fn remove_groups(group: &Path) -> bool {
    let below = fs::read_dir(group).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    let below: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
    below.iter().all(|group| remove_groups(group)) && fs::remove_dir(group).is_ok()
}

fn folders(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
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
        // Each process starts the next, writes and ends. It lives longer than a program takes to start on a machine that is busy.
        let mut first = run(&left, r#"next() { sleep 0.15; mkdir -p "$0/again"; next & }; next"#);
        first.wait().unwrap();
        assert!(processes_in(&left).next().is_some());
        remove(&parent.0);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(processes_in(&left).count(), 0);
        assert!(!left.exists());
    }

    #[test]
    fn a_folder_without_a_lock_is_another_programs() {
        let parent = Folder::new();
        let left = parent.leave();
        let other = parent.0.join(format!("{PREFIX}2"));
        fs::create_dir(&other).unwrap();
        let held = parent.0.join(format!("{PREFIX}3"));
        fs::create_dir(&held).unwrap();
        let lock = lock(&held).unwrap();
        remove_locked(&parent.0, PREFIX);
        assert!(!left.exists() && other.exists() && held.exists());
        drop(lock);
        // A process that another test starts holds the lock, too, until its program runs.
        let is_removed = |_| {
            remove_locked(&parent.0, PREFIX);
            std::thread::sleep(Duration::from_millis(10));
            !held.exists()
        };
        assert!((0..100).any(is_removed));
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
        let is_removed = |_| {
            remove(&parent.0);
            std::thread::sleep(Duration::from_millis(10));
            !left.exists()
        };
        assert!((0..100).any(is_removed));
    }
}
