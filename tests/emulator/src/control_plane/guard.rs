//! A temporary folder and the processes of one group: both end with this process, however it ends.
//!
//! A guard, a shell of its own, makes the folder and waits for the end of its input, which this process keeps open. Then it kills the
//! group and removes the folder. (`PR_SET_PDEATHSIG` ends with the thread that started a process, and threads here come and go.)

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::leftovers::{self, PREFIX};

/// Its input is the number of the group, if one was started, and `stop` or its end: a fork of this process may keep it open. It kills
/// at least twice, as a process may be joining the group, and until the folder and control groups of its name are gone; the folder goes
/// last, as its name says to others what is left.
const GUARD: &str = r#"
trap '' PIPE HUP INT TERM
mkdir -m 700 -- "$1" || exit
echo made
exec >/dev/null
read -r group
[ "$group" = stop ] || while read -r word && [ "$word" != stop ]; do :; done
[ "$group" != stop ] || group=
round=0
while [ $round -lt 50 ]; do
    round=$((round + 1))
    [ -z "$group" ] || kill -s KILL -- "-$group" || group=
    left=
    for groups in /sys/fs/cgroup/"${1##*/}" /sys/fs/cgroup/*/"${1##*/}"; do
        [ ! -d "$groups" ] || find "$groups" -depth -type d -exec rmdir {} + || left=1
    done
    [ -z "$left" ] && rm -rf -- "$1" && [ ! -e "$1" ] && { [ -z "$group" ] || [ $round -gt 1 ]; } && exit
    sleep 0.1
done
"#;

/// The first process of the group sends its number to the guard before it becomes the program.
const LEAD: &str = r#"echo $$; exec "$@" >>"$0" 2>&1"#;

/// A folder, and processes that run in it.
#[derive(Debug)]
pub(super) struct Guard {
    folder: PathBuf,
    /// Locked while this process lives.
    lock: Option<File>,
    keeper: Child,
    input: Option<ChildStdin>,
    /// The first one leads the group. It is not reaped before the end: until then, its number cannot be another's.
    processes: Vec<(String, Child)>,
}

impl Guard {
    /// A guard of a new folder in this one.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        let folder = parent.join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
        let mut command = shell(GUARD, "guard");
        command.arg(&folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        own_group(&mut command, 0);
        let mut keeper = command.spawn()?;
        let input = keeper.stdin.take();
        let mut line = String::new();
        let read = keeper.stdout.take().map(|out| BufReader::new(out).read_line(&mut line)).transpose();
        let mut made = Self { folder, lock: None, keeper, input, processes: Vec::new() };
        if read?.is_none() || line.trim() != "made" {
            made.stop();
            let text = format!("cannot create the folder {}", made.folder.display());
            return Err(io::Error::other(text));
        }
        made.lock = Some(leftovers::lock(&made.folder)?);
        Ok(made)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a part writes its log.
    fn log_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// A process's log.
    pub(super) fn whole_log(&self, name: &str) -> String {
        let text = std::fs::read(self.log_of(name)).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The end of it.
    pub(super) fn log(&self, name: &str) -> String {
        let text = self.end_of_log(name).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn end_of_log(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.log_of(name))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(1500)))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(text)
    }

    /// Starts a program in the folder, with these variables beside the usual ones.
    pub(super) fn start(
        &mut self,
        name: &str,
        program: &Path,
        arguments: &[String],
        variables: &[(String, String)],
    ) -> io::Result<()> {
        let log = self.log_of(name);
        let mut command = if self.processes.is_empty() {
            let input = self.input.as_ref().ok_or_else(|| io::Error::other("the guard has ended"))?;
            let mut command = shell(LEAD, &log.to_string_lossy());
            command.arg(program).stdout(Stdio::from(duplicate(input)?)).stderr(Stdio::null());
            command
        } else {
            let output = File::options().create(true).append(true).open(&log)?;
            let mut command = Command::new(program);
            command.stdout(Stdio::from(output.try_clone()?)).stderr(Stdio::from(output));
            command
        };
        environment(&mut command);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("HOME", &self.folder).env("TMPDIR", &self.folder);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        own_group(&mut command, self.processes.first().map_or(0, |(_, leader)| leader.id().cast_signed()));
        self.processes.push((name.to_owned(), command.spawn()?));
        Ok(())
    }

    /// The first process that has ended, if one has.
    pub(super) fn ended(&self) -> Option<&str> {
        let ended = |process: &&(String, Child)| has_ended(process.1.id());
        self.processes.iter().find(ended).map(|(name, _)| name.as_str())
    }

    /// Ends the processes and removes the folder.
    pub(super) fn stop(&mut self) {
        if let Some(mut input) = self.input.take() {
            let _ = input.write_all(b"stop\n");
        }
        let _ = self.keeper.wait();
        for (_, process) in &mut self.processes {
            // The guard itself may have been killed.
            let _ = process.kill();
            let _ = process.wait();
        }
        self.processes.clear();
        leftovers::clear(&self.folder);
        self.lock = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether a child has ended. It is not reaped: the state of one that has ended is `Z`.
fn has_ended(id: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return true };
    // The name of the program, in parentheses, may hold anything.
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

fn shell(script: &str, zero: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(zero);
    environment(&mut command);
    command
}

/// The processes see nothing of the environment but what programs need.
fn environment(command: &mut Command) {
    command.env_clear();
    for name in ["PATH", "LANG"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command, group: i32) {
    std::os::unix::process::CommandExt::process_group(command, group);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command, _: i32) {}

#[cfg(unix)]
fn duplicate(input: &ChildStdin) -> io::Result<std::os::fd::OwnedFd> {
    std::os::fd::AsFd::as_fd(input).try_clone_to_owned()
}

#[cfg(not(unix))]
fn duplicate(_: &ChildStdin) -> io::Result<File> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::leftovers::LOCK;
    use super::*;

    #[test]
    fn nobody_sees_a_lock_that_is_not_locked() {
        let parent = std::env::temp_dir().join(format!("aks-acr-guard-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&parent).unwrap();
        let (done, parent) = (&AtomicBool::new(false), &parent);
        let unlocked = std::thread::scope(|scope| {
            let looks = scope.spawn(move || {
                let mut unlocked = 0;
                while !done.load(Ordering::Relaxed) {
                    for folder in std::fs::read_dir(parent).unwrap() {
                        let path = folder.unwrap().path().join(LOCK);
                        let Ok(lock) = File::open(&path) else { continue };
                        // The owner removes it before it lets it go.
                        unlocked += usize::from(lock.try_lock().is_ok() && path.exists());
                    }
                }
                unlocked
            });
            for _ in 0..50 {
                drop(Guard::new(parent).unwrap());
            }
            done.store(true, Ordering::Relaxed);
            looks.join().unwrap()
        });
        assert_eq!(unlocked, 0);
        assert_eq!(std::fs::read_dir(parent).unwrap().count(), 0);
        std::fs::remove_dir(parent).unwrap();
    }
}
