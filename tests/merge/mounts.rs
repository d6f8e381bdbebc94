//! Files that can be written and not replaced: mounts by themselves, and those of another owner. They need root, and a mount namespace.

use crate::{
    kubeconfig, mode, names,
    processes::{OTHERS, start, this_program},
};
use aks_acr::ErrorKind;
use aks_acr_tests::folder::Folder;
use libtest_mimic::Trial;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::Path,
    process::{Command, Output},
};

pub fn trials() -> Vec<Trial> {
    let can_mount = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|done| done.status.success());
    let all: [(&str, fn()); 6] = [
        ("a_file_that_is_a_mount_is_written_in_place", a_file_that_is_a_mount_is_written_in_place),
        ("a_mount_that_is_full_keeps_the_old_text", a_mount_that_is_full_keeps_the_old_text),
        ("a_full_folder_beside_a_mount_changes_nothing", a_full_folder_beside_a_mount_changes_nothing),
        ("a_read_only_mount_is_refused_and_named", a_read_only_mount_is_refused_and_named),
        ("a_file_of_another_owner_is_written_in_place", a_file_of_another_owner_is_written_in_place),
        ("a_folder_that_cannot_be_written_is_named", a_folder_that_cannot_be_written_is_named),
    ];
    let trial = |(name, run): (&str, fn())| {
        let trial = Trial::test(format!("mounts::{name}"), move || {
            run();
            Ok(())
        });
        trial.with_ignored_flag(!can_mount)
    };
    let mut trials: Vec<Trial> = all.into_iter().map(trial).collect();
    trials.push(Trial::test("mounts::a_write_in_place_that_broke_off_is_not_built_upon", || {
        a_write_in_place_that_broke_off_is_not_built_upon();
        Ok(())
    }));
    trials
}

/// Merges a context `dev` into a file, after the commands of a shell in its own mount namespace.
fn merged(file: &Path, names: &str, prepare: &str) -> Output {
    let mut shell = Command::new("unshare");
    shell
        .args(["-m", "sh", "-c"])
        .arg(format!("set -e; {prepare}; exec {}", this_program().get_program().to_str().unwrap()));
    start(shell, file, names, None).wait_with_output().unwrap()
}

fn told(done: &Output) -> String {
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(!text.contains("top-secret"), "{text}");
    text
}

fn left(folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .collect();
    all.sort();
    all
}

/// `host` mounted over `config`, as `docker run -v` does it.
fn bound(folder: &Folder) -> String {
    format!("mount --bind '{}' '{}'", folder.join("host").display(), folder.join("config").display())
}

fn a_file_that_is_a_mount_is_written_in_place() {
    // Longer, shorter and as long as before: a replaced entry, an added one, and none.
    for old in [OTHERS.to_owned(), String::new(), format!("# {}\n{OTHERS}", "x".repeat(20_000))] {
        let folder = Folder::new();
        let (host, file) = (folder.join("host"), folder.join("config"));
        fs::write(&host, &old).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&host, PermissionsExt::from_mode(0o640)).unwrap();
        let before = fs::metadata(&host).unwrap().ino();
        let done = merged(&file, "dev other dev", &bound(&folder));
        assert!(done.status.success(), "{}", told(&done));
        let text = fs::read_to_string(&host).unwrap();
        let contexts = names(&text, "contexts");
        assert!(contexts.ends_with(&["dev".to_owned(), "other".to_owned()]), "{contexts:?}");
        assert!(text.starts_with(&old) || old == OTHERS || old.len() > OTHERS.len(), "{text}");
        let now = fs::metadata(&host).unwrap();
        assert_eq!((now.ino(), now.permissions().mode() & 0o777), (before, 0o640), "the same file with the same mode");
        assert_eq!(left(&folder), ["config", "host"], "no lock, no draft and no copy is left");
    }
}

/// The host's file is on a disk without room; the folder beside it has some.
fn a_mount_that_is_full_keeps_the_old_text() {
    let folder = Folder::new();
    let (disk, file, out) = (folder.join("disk"), folder.join("config"), folder.join("out"));
    fs::create_dir(&disk).unwrap();
    fs::write(&file, "").unwrap();
    let old = format!("# {}\n{OTHERS}", "x".repeat(8000));
    fs::write(folder.join("old"), &old).unwrap();
    let prepare = format!(
        "mount -t tmpfs -o size=16k tmpfs '{disk}'; cp '{root}/old' '{disk}/host'; \
         dd if=/dev/zero of='{disk}/filler' bs=1k count=64 2>/dev/null || true; mount --bind '{disk}/host' '{file}'; \
         (sleep 1; cat '{disk}/host' > '{out}') & ",
        disk = disk.display(),
        root = folder.path().display(),
        file = file.display(),
        out = out.display(),
    );
    // Three contexts are longer than what the last page of the file has left.
    let long = format!("dev-{} two-{} three-{}", "a".repeat(2000), "b".repeat(2000), "c".repeat(2000));
    let mut shell = Command::new("unshare");
    let program = this_program().get_program().to_str().unwrap().to_owned();
    shell.args(["-m", "sh", "-c"]).arg(format!("set -e; {prepare} {program} || code=$?; wait; exit $code"));
    let done = start(shell, &file, &long, None).wait_with_output().unwrap();
    let told = told(&done);
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(told.contains("could not write the kubeconfig file"), "{told}");
    let text = fs::read_to_string(&out).unwrap();
    // Some of the three merges may have found room; every file that exists is whole.
    assert!(text.starts_with(&format!("# {}\n", "x".repeat(8000))) && text.contains("# keep\n"), "{}", text.len());
    assert_eq!(names(&text, "contexts")[0], "mine");
    assert_eq!(names(&text, "contexts").len() - 1, names(&text, "users").len(), "each merge came whole or not at all");
    assert_eq!(left(&folder), ["config", "disk", "old", "out"]);
}

/// Neither draft nor copy has room; the mount has.
fn a_full_folder_beside_a_mount_changes_nothing() {
    let folder = Folder::new();
    let (disk, host) = (folder.join("disk"), folder.join("host"));
    fs::create_dir(&disk).unwrap();
    fs::write(&host, OTHERS).unwrap();
    let file = disk.join("config");
    let prepare = format!(
        "mount -t tmpfs -o size=16k tmpfs '{disk}'; touch '{file}'; dd if=/dev/zero of='{disk}/filler' bs=1k count=64 2>/dev/null || true; \
         mount --bind '{host}' '{file}'",
        disk = disk.display(),
        file = file.display(),
        host = host.display(),
    );
    let done = merged(&file, "dev", &prepare);
    let told = told(&done);
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(told.contains("could not write the kubeconfig file") && told.contains("No space left"), "{told}");
    assert_eq!(fs::read_to_string(&host).unwrap(), OTHERS);
}

fn a_read_only_mount_is_refused_and_named() {
    let folder = Folder::new();
    fs::write(folder.join("host"), OTHERS).unwrap();
    fs::write(folder.join("config"), "").unwrap();
    let prepare = format!("{}; mount -o remount,bind,ro '{}'", bound(&folder), folder.join("config").display());
    let done = merged(&folder.join("config"), "dev", &prepare);
    let told = told(&done);
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(told.contains("read-only mount"), "{told}");
    assert_eq!(fs::read_to_string(folder.join("host")).unwrap(), OTHERS);
    assert_eq!(left(&folder), ["config", "host"]);
}

/// A caller that may write the file but not change its owner: its group, without the rights of root.
fn a_file_of_another_owner_is_written_in_place() {
    let folder = Folder::new();
    let file = folder.join("config");
    fs::write(&file, OTHERS).unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    std::os::unix::fs::chown(&file, Some(12345), Some(12345)).unwrap();
    // The program is copied to where anyone may run it.
    let program = folder.join("program");
    fs::copy(this_program().get_program(), &program).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut other = Command::new("setpriv");
    other.args(["--reuid=54321", "--regid=54321", "--clear-groups"]).arg(&program);
    let done = start(other, &file, "dev", None).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", told(&done));
    let now = fs::metadata(&file).unwrap();
    assert_eq!((now.uid(), now.gid(), now.permissions().mode() & 0o777), (12345, 12345, 0o666));
    assert_eq!(names(&fs::read_to_string(&file).unwrap(), "contexts"), ["mine", "dev"]);
    assert_eq!(left(&folder), ["config", "program"]);
}

fn a_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    let file = folder.join("config");
    fs::write(&file, OTHERS).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    let prepare = format!("mount --bind '{0}' '{0}'; mount -o remount,bind,ro '{0}'", folder.path().display());
    let done = merged(&file, "dev", &prepare);
    let told = told(&done);
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(told.contains("could not lock the kubeconfig file") && told.contains("folder must be writable"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), OTHERS);
}

/// What a process that was killed in the middle leaves.
fn a_write_in_place_that_broke_off_is_not_built_upon() {
    let folder = Folder::new();
    let (file, copy) = (folder.join("config"), folder.join(".config.aks-acr.before"));
    fs::write(&file, "clusters: [").unwrap();
    fs::write(&copy, OTHERS).unwrap();
    let err = kubeconfig("dev").merge(&mode(&file)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert!(err.to_string().contains(copy.to_str().unwrap()), "{err}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "clusters: [");
    fs::rename(&copy, &file).unwrap();
    kubeconfig("dev").merge(&mode(&file)).unwrap();
}
