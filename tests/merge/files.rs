//! What is refused, and how files come to be.

use crate::{kubeconfig, mode, named, names, trials as trials_of, values};
use aks_acr::{ErrorKind, Kubeconfig, MergeOutcome, OnExistingEntry};
use aks_acr_tests::folder::Folder;
use libtest_mimic::Trial;
use std::{fs, path::Path, time::Duration};

pub fn trials() -> Vec<Trial> {
    let mut all = trials_of(
        "files",
        named![
            a_file_that_cannot_be_edited_safely_is_refused_with_the_reason_and_left,
            another_entry_of_the_name_is_a_conflict_unless_it_is_to_be_replaced,
            a_namespace_that_somebody_set_survives,
            a_file_that_kubectl_wrote_again_is_unchanged,
            a_lock_that_is_not_given_back_is_named_and_left,
            the_text_of_a_first_merge_is_what_kubectl_would_write,
            only_what_the_context_leads_to_is_merged,
        ],
    );
    #[cfg(unix)]
    all.extend(trials_of(
        "files",
        named![
            a_new_file_and_its_folder_are_for_their_owner_alone,
            a_mode_that_lets_others_in_is_kept_and_told,
            a_link_to_nothing_makes_what_it_leads_to,
            what_is_no_file_of_its_own_is_refused,
        ],
    ));
    all
}

/// Merging fails, changes nothing, and reveals nothing of the file's content.
fn refused(text: &str) -> aks_acr::Error {
    let folder = Folder::new();
    let file = folder.join("config");
    fs::write(&file, text).unwrap();
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    let err = kubeconfig("dev").merge(&mode(&file)).unwrap_err();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(!format!("{err:#} {err:?}").contains("hidden"), "{err:#}");
    err
}

fn a_file_that_cannot_be_edited_safely_is_refused_with_the_reason_and_left() {
    for (text, why, line) in [
        ("{\"clusters\": [], \"hidden\": 1}\n", "flow style", Some("1")),
        ("users: [{name: hidden, user: {}}]\n", "flow style", Some("1")),
        ("a: 1\n---\nb: hidden\n", "several documents", Some("2")),
        ("a: hidden\n...\n", "end marker", Some("2")),
        ("%YAML 1.1\n---\na: hidden\n", "directive", Some("1")),
        ("users:\n\t- name: hidden\n", "not YAML", Some("2")),
        ("hidden: [\n", "not YAML", None),
        ("users: hidden\n", "where a list is expected", Some("1")),
        ("users: {hidden: 1}\n", "where a list is expected", Some("1")),
        ("- hidden\n", "not a mapping", Some("1")),
        ("hidden\n", "not a mapping", Some("1")),
        ("kind: Hidden\n", "kind is not Config", Some("1")),
        ("clusters:\n- hidden\n", "not a mapping with a name", Some("2")),
        ("clusters:\n- cluster: {server: hidden}\n", "not a mapping with a name", Some("2")),
        ("x: &a {name: hidden}\nusers:\n- *a\n", "alias of another part", Some("3")),
        ("users: &hidden\n- name: a\nx: *hidden\n", "anchor", Some("2")),
        ("x: &hidden [{name: a}]\nusers: *hidden\n", "alias of another part", Some("2")),
        ("x: &x {a: hidden}\n<<: *x\n", "merge key", Some("2")),
        ("users: []\nusers: []\nx: hidden\n", "duplicate key", Some("2")),
        ("contexts:\n- name: dev\n- name: dev\n  x: hidden\n", "same name", Some("3")),
        ("current-context: |\n  hidden\n", "current context is not a plain value", Some("1")),
        ("current-context: [hidden]\n", "current context is not a plain value", Some("1")),
        ("users: [\n  ] # hidden\n", "spans lines", Some("1")),
        ("  a: hidden\n  users: []\n", "does not begin its line", Some("1")),
        ("a: 1\rb: hidden\n", "carriage return", Some("1")),
    ] {
        let err = refused(text);
        assert_eq!(err.kind(), ErrorKind::InvalidInput, "{text:?}: {err:#}");
        assert!(err.to_string().contains(why), "{text:?}: {err}");
        let told = err.context().find(|(name, _)| *name == "line").map(|(_, line)| line.to_owned());
        assert!(line.is_none() || told.as_deref() == line, "{text:?}: {err}");
    }
    let deep = format!("x: {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(refused(&deep).kind(), ErrorKind::InvalidInput);
}

const OLD: &str = "users:\n# above\n- name: clusterUser_group_dev # mine\n  user: {token: &t hidden}\n# below\n- name: other\n  user: {token: x}\n";

fn another_entry_of_the_name_is_a_conflict_unless_it_is_to_be_replaced() {
    let err = refused(OLD);
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert!(err.context().any(|fact| fact == ("name", "clusterUser_group_dev")), "{err}");

    let folder = Folder::new();
    let file = folder.join("config");
    let replacing = mode(&file).with_on_existing_entry(OnExistingEntry::Replace).with_set_current(false);
    fs::write(&file, OLD).unwrap();
    let merged = kubeconfig("dev").merge(&replacing).unwrap();
    assert_eq!((merged.outcome, merged.current_context_changed), (MergeOutcome::Replaced, false));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("users:\n# above\n- name: clusterUser_group_dev\n  user:\n"), "{text}");
    assert!(text.contains("# below\n- name: other\n  user: {token: x}\n") && !text.contains("hidden"));
    assert!(values(&text).get("current-context").is_none());
    // What it would take from others is not replaced.
    let repeated = OLD.replace("token: x", "token: *t");
    fs::write(&file, &repeated).unwrap();
    let err = kubeconfig("dev").merge(&replacing).unwrap_err();
    assert!(err.to_string().contains("an alias elsewhere"), "{err}");
    assert_eq!(fs::read_to_string(&file).unwrap(), repeated);
}

fn a_namespace_that_somebody_set_survives() {
    let folder = Folder::new();
    let file = folder.join("config");
    kubeconfig("dev").merge(&mode(&file)).unwrap();
    let set =
        fs::read_to_string(&file).unwrap().replace("    cluster: dev\n", "    cluster: dev\n    namespace: mine\n");
    assert!(set.contains("namespace: mine"));
    fs::write(&file, &set).unwrap();
    let merged = kubeconfig("dev").merge(&mode(&file).with_on_existing_entry(OnExistingEntry::Replace)).unwrap();
    assert_eq!(merged.outcome, MergeOutcome::Unchanged);
    assert_eq!(fs::read_to_string(&file).unwrap(), set);
}

fn a_file_that_kubectl_wrote_again_is_unchanged() {
    let azure = "current-context: dev\nclusters: [{name: dev, cluster: {server: 'https://dev.example'}}]\n\
                 contexts: [{name: dev, context: {cluster: dev, user: me}}]\n\
                 users: [{name: me, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: kubelogin, env: null, provideClusterInfo: false}}}]\n";
    let again = "apiVersion: v1\nclusters:\n- cluster:\n    server: https://dev.example\n  name: dev\ncontexts:\n- context:\n    \
                 cluster: dev\n    user: me\n  name: dev\ncurrent-context: dev\nkind: Config\nusers:\n- name: me\n  user:\n    exec:\n      \
                 apiVersion: client.authentication.k8s.io/v1\n      command: kubelogin\n      interactiveMode: IfAvailable\n      provideClusterInfo: false\n";
    let folder = Folder::new();
    let file = folder.join("config");
    fs::write(&file, again).unwrap();
    assert_eq!(Kubeconfig::parse(azure).unwrap().merge(&mode(&file)).unwrap().outcome, MergeOutcome::Unchanged);
    assert_eq!(fs::read_to_string(&file).unwrap(), again);
}

fn a_lock_that_is_not_given_back_is_named_and_left() {
    let folder = Folder::new();
    let (file, lock) = (folder.join("config"), folder.join("config.lock"));
    fs::write(&lock, "").unwrap();
    let err = kubeconfig("dev").merge(&mode(&file).with_lock_wait(Duration::ZERO)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert!(err.to_string().contains(lock.to_str().unwrap()), "{err}");
    assert!(lock.exists() && !file.exists());
}

fn the_text_of_a_first_merge_is_what_kubectl_would_write() {
    let folder = Folder::new();
    let file = folder.join("config");
    kubeconfig("on").merge(&mode(&file)).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: QUJD\n"),
        "{text}"
    );
    // To YAML 1.1, which kubectl reads, this word is a truth.
    assert!(text.ends_with("current-context: \"on\"\n"), "{text}");
    assert_eq!(Kubeconfig::parse(text).unwrap().server(), "https://on.example:443");
}

fn only_what_the_context_leads_to_is_merged() {
    let text = kubeconfig("dev")
        .text()
        .replace("contexts:\n", "contexts:\n- {name: side, context: {cluster: dev, user: u}}\n");
    let folder = Folder::new();
    let file = folder.join("config");
    Kubeconfig::parse(text).unwrap().merge(&mode(&file)).unwrap();
    assert_eq!(names(&fs::read_to_string(&file).unwrap(), "contexts"), ["dev"]);
}

#[cfg(unix)]
fn mode_of(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn a_new_file_and_its_folder_are_for_their_owner_alone() {
    let folder = Folder::new();
    let file = folder.join("new/.kube/config");
    let merged = kubeconfig("dev").merge(&mode(&file)).unwrap();
    assert!(!merged.is_open_to_others);
    assert_eq!((mode_of(&file), mode_of(file.parent().unwrap()), mode_of(&folder.join("new"))), (0o600, 0o700, 0o700));
}

#[cfg(unix)]
fn a_mode_that_lets_others_in_is_kept_and_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let file = folder.join("config");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(kubeconfig("dev").merge(&mode(&file)).unwrap().is_open_to_others);
    assert_eq!(mode_of(&file), 0o644);
}

#[cfg(unix)]
fn a_link_to_nothing_makes_what_it_leads_to() {
    let folder = Folder::new();
    let link = folder.join("config");
    std::os::unix::fs::symlink("dotfiles/kube/config", &link).unwrap();
    kubeconfig("dev").merge(&mode(&link)).unwrap();
    assert!(link.is_symlink());
    assert_eq!(mode_of(&folder.join("dotfiles/kube/config")), 0o600);
    let circle = folder.join("circle");
    std::os::unix::fs::symlink("circle", &circle).unwrap();
    let err = kubeconfig("dev").merge(&mode(&circle)).unwrap_err();
    assert!(err.to_string().contains("circle"), "{err}");
}

#[cfg(unix)]
fn what_is_no_file_of_its_own_is_refused() {
    let folder = Folder::new();
    let (file, second) = (folder.join("config"), folder.join("second"));
    fs::write(&file, "# mine\n").unwrap();
    fs::hard_link(&file, &second).unwrap();
    let err = kubeconfig("dev").merge(&mode(&second)).unwrap_err();
    assert!(err.to_string().contains("hard link"), "{err}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");
    fs::create_dir(folder.join("folder")).unwrap();
    let err = kubeconfig("dev").merge(&mode(&folder.join("folder"))).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    fs::write(&second, [0xff]).unwrap();
    fs::remove_file(&file).unwrap();
    let err = kubeconfig("dev").merge(&mode(&second)).unwrap_err();
    assert!(err.to_string().contains("UTF-8"), "{err}");
}
