//! Whatever a file looks like: others' lines stay, ours are there, and a second run changes nothing.

use crate::{
    generate::{Generated, Whose, file},
    kubeconfig, mode, named, names, trials as trials_of, values,
};
use aks_acr::{MergeOutcome, OnExistingEntry};
use aks_acr_tests::folder::Folder;
use libtest_mimic::Trial;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::fs;

pub fn trials() -> Vec<Trial> {
    trials_of("property", named![others_stay_byte_for_byte_in_any_file])
}

fn others_stay_byte_for_byte_in_any_file() {
    // 256 cases; `PROPTEST_CASES` asks for more.
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&file(), |file| {
            holds(&file);
            Ok(())
        })
        .unwrap();
}

fn holds(generated: &Generated) {
    let (folder, old) = (Folder::new(), generated.text());
    let (path, target) = placed(&folder, old.len());
    fs::write(&target, &old).unwrap();
    let permissions = given_mode(&target, old.len());
    let merged = kubeconfig("dev").merge(&mode(&path).with_on_existing_entry(OnExistingEntry::Replace)).unwrap();
    let new = fs::read_to_string(&target).unwrap();

    // Every byte of others, in its order.
    let others = generated.lines.iter().filter(|(whose, _)| *whose == Whose::Others);
    let mut lines = new.split('\n').map(|line| line.trim_start_matches('\u{feff}'));
    for (_, line) in others {
        let full = if generated.crlf { format!("{line}\r") } else { line.clone() };
        assert!(lines.any(|there| there == full || there == *line), "{line:?} is gone\n{old}\n=>\n{new}");
    }
    assert_eq!(new.starts_with('\u{feff}'), generated.bom);
    let (ends, returns) = (new.matches('\n').count(), new.matches("\r\n").count());
    assert!(returns == 0 || returns == ends, "line ends are mixed\n{new:?}");
    if generated.crlf && old.contains('\n') {
        assert_eq!(returns, ends);
    }
    if !old.trim_start_matches('\u{feff}').is_empty() {
        assert_eq!(new.ends_with('\n'), old.ends_with('\n'));
    }
    // What others mean, and what is ours.
    let (before, after) = (values(&old), values(&new));
    assert_eq!(without_ours(&before), without_ours(&after), "{old}\n=>\n{new}");
    assert_eq!(after["current-context"], "dev");
    for (list, name) in [("clusters", "dev"), ("contexts", "dev"), ("users", "clusterUser_group_dev")] {
        assert_eq!(names(&new, list).iter().filter(|there| *there == name).count(), 1);
    }
    assert!(new.contains("https://dev.example:443") && new.contains("top-secret") && !new.contains("https://old"));
    assert_eq!(fs::metadata(&target).unwrap().permissions(), permissions);
    assert_eq!(path == target, !path.is_symlink());
    let had = names(&old, "contexts").contains(&"dev".to_owned());
    assert!(!had || merged.outcome == MergeOutcome::Replaced);

    let written = fs::metadata(&target).unwrap().modified().unwrap();
    let again = kubeconfig("dev").merge(&mode(&path)).unwrap();
    assert_eq!((again.outcome, again.current_context_changed), (MergeOutcome::Unchanged, false));
    assert_eq!(fs::read_to_string(&target).unwrap(), new);
    assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), written);
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, if path == target { 1 } else { 3 }, "nothing is left beside the file");
}

/// Now the file itself, now a link to a link to it.
fn placed(folder: &Folder, turn: usize) -> (std::path::PathBuf, std::path::PathBuf) {
    let target = folder.join("config");
    #[cfg(unix)]
    if turn.is_multiple_of(2) {
        use std::os::unix::fs::symlink;
        symlink("config", folder.join("inner")).unwrap();
        symlink(folder.join("inner"), folder.join("outer")).unwrap();
        return (folder.join("outer"), target);
    }
    let _ = turn;
    (target.clone(), target)
}

fn given_mode(file: &std::path::Path, turn: usize) -> fs::Permissions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = [0o600, 0o640, 0o644, 0o660, 0o700][turn % 5];
        fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
    }
    let _ = turn;
    fs::metadata(file).unwrap().permissions()
}

fn without_ours(file: &Value) -> Value {
    let mut rest = file.as_object().cloned().unwrap_or_default();
    rest.remove("current-context");
    for list in ["clusters", "contexts", "users"] {
        let items = rest.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let others = |item: &Value| item["name"] != "dev" && item["name"] != "clusterUser_group_dev";
        rest.insert(list.to_owned(), items.into_iter().filter(others).collect());
    }
    rest.into_iter().collect()
}
