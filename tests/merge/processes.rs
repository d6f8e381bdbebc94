//! Many processes at once, processes that are killed, and a disk that is full.

use crate::{kubeconfig, mode, named, names, trials as trials_of};
use aks_acr::Kubeconfig;
use aks_acr_tests::folder::Folder;
use libtest_mimic::Trial;
use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

pub fn trials() -> Vec<Trial> {
    trials_of(
        "processes",
        named![
            sixteen_processes_at_once_all_land,
            a_process_killed_at_any_point_leaves_the_old_or_the_new_file,
            a_full_disk_leaves_the_old_file,
        ],
    )
}

pub const OTHERS: &str =
    "# mine\nclusters: []\ncontexts:\n  - {name: \"mine\", context: {cluster: c, user: u}}   # keep\nusers:\n";
const FILE: &str = "AKS_ACR_TEST_MERGE_FILE";
const NAMES: &str = "AKS_ACR_TEST_MERGE_NAMES";
const GATE: &str = "AKS_ACR_TEST_MERGE_GATE";

/// What this program does when a test started it: merges one name after another.
pub fn work() -> Option<ExitCode> {
    let file = env::var_os(FILE).map(PathBuf::from)?;
    let all = env::var(NAMES).unwrap_or_default();
    while env::var_os(GATE).is_some_and(|gate| !Path::new(&gate).exists()) {
        thread::yield_now();
    }
    for name in all.split_whitespace() {
        if let Err(err) = kubeconfig(name).merge(&mode(&file).with_lock_wait(Duration::from_secs(60))) {
            println!("{err:#}");
            return Some(ExitCode::from(3));
        }
    }
    Some(ExitCode::SUCCESS)
}

pub fn start(mut program: Command, file: &Path, names: &str, gate: Option<&Path>) -> Child {
    program.env(FILE, file).env(NAMES, names).stdout(Stdio::piped());
    if let Some(gate) = gate {
        program.env(GATE, gate);
    }
    program.spawn().unwrap()
}

pub fn this_program() -> Command {
    Command::new(env::current_exe().unwrap())
}

fn sixteen_processes_at_once_all_land() {
    let folder = Folder::new();
    let (file, link, gate) = (folder.join("config"), folder.join("link"), folder.join("gate"));
    fs::write(&file, OTHERS).unwrap();
    symlink(&file, &link).unwrap();
    let by = |at: usize| if at.is_multiple_of(4) { &link } else { &file };
    let wanted: Vec<String> = (0..16).map(|at| format!("cluster-{at:02}")).collect();
    let all: Vec<Child> =
        wanted.iter().enumerate().map(|(at, name)| start(this_program(), by(at), name, Some(&gate))).collect();
    fs::write(&gate, "").unwrap();
    for child in all {
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
    let text = fs::read_to_string(&file).unwrap();
    let mut there = names(&text, "contexts");
    assert_eq!(there.remove(0), "mine");
    there.sort();
    assert_eq!(there, wanted);
    assert!(text.contains("  - {name: \"mine\", context: {cluster: c, user: u}}   # keep\n"));
    fs::remove_file(&gate).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no lock and no draft is left");
}

fn a_process_killed_at_any_point_leaves_the_old_or_the_new_file() {
    let folder = Folder::new();
    let (file, lock) = (folder.join("config"), folder.join("config.lock"));
    fs::write(&file, OTHERS).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let (mut landed, mut inside, mut round) = (0, 0, 0_u64);
    // On a loaded machine a process does not come to its work so soon: then there are more rounds, and longer ones.
    while round < 60 || ((inside == 0 || landed == 0) && round < 600) {
        let wanted: Vec<String> = (landed..landed + 400).map(|at| format!("n{at}")).collect();
        let mut child = start(this_program(), &file, &wanted.join(" "), None);
        // Another point of the work each time: they are steps of a stride that shares no factor with their number.
        thread::sleep(Duration::from_micros(1500 + (round * 7919) % 30_000) * (1 + u32::try_from(round / 60).unwrap()));
        round += 1;
        child.kill().unwrap();
        child.wait().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let there = names(&text, "contexts");
        // Each merge came whole or not at all, and none that was there is lost.
        let count = there.len() - 1;
        assert!(count >= landed, "{count} after {landed}");
        let expected: Vec<String> = (0..count).map(|at| format!("n{at}")).collect();
        assert_eq!(there[1..], expected);
        assert_eq!(names(&text, "clusters"), expected);
        assert_eq!(names(&text, "users").len(), count);
        if count > 0 {
            assert_eq!(Kubeconfig::parse(&text).unwrap().context(), format!("n{}", count - 1));
        }
        assert!(text.starts_with("# mine\n") && text.contains("# keep\n"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        landed = count;
        if fs::remove_file(&lock).is_ok() {
            inside += 1;
        }
    }
    assert!(inside > 0 && landed > 0, "{inside} were killed at work, {landed} merges landed");
    // What was left behind does not get in the way.
    kubeconfig("last").merge(&mode(&file)).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn a_full_disk_leaves_the_old_file() {
    let folder = Folder::new();
    let file = folder.join("config");
    let old = format!("# {}\n{OTHERS}", "x".repeat(40_000));
    fs::write(&file, &old).unwrap();
    // The system lets no file grow beyond 8 kilobytes.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\""]).arg(env::current_exe().unwrap());
    let done = start(shell, &file, "dev", None).wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(told.contains("could not write the kubeconfig file") && !told.contains("top-secret"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), old);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no lock and no draft is left");
}
