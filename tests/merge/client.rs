//! The client's operation: which file it takes, which names, and what it asks of Azure.

use crate::{named, names, trials as trials_of, values};
use aks_acr::{
    Access, CallOptions, Client, ClusterRef, Error, ErrorKind, KubeconfigOptions, MergeKubeconfigOptions, MergeOutcome,
    MergedKubeconfig, OnExistingEntry,
};
use aks_acr_emulator::{ClusterSeed, Emulator};
use aks_acr_tests::folder::Folder;
use libtest_mimic::Trial;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

pub fn trials() -> Vec<Trial> {
    trials_of(
        "client",
        named![
            without_a_file_the_home_folder_is_taken,
            of_several_files_the_one_with_the_entries_is_changed_and_the_one_with_the_current_context,
            of_two_files_none_is_changed_where_one_cannot_be,
            of_several_files_the_first_that_exists_gets_what_is_new,
            without_a_home_folder_nothing_is_asked,
            a_context_of_another_name_shares_nothing_with_the_first,
            what_azure_refuses_makes_no_file,
            a_plugin_is_kept_as_azure_sent_it,
            a_lock_is_not_waited_for_beyond_the_deadline,
        ],
    )
}

struct Scene {
    azure: Emulator,
    folder: Folder,
}

impl Scene {
    fn new() -> Self {
        let locked = ClusterSeed::new("group", "locked").entra().local_accounts_disabled();
        Self { azure: Emulator::new().with_cluster("group", "dev").with_cluster_of(locked), folder: Folder::new() }
    }

    /// Merges as a process with these variables.
    fn merge(
        &self,
        cluster: &str,
        variables: &[(&str, String)],
        options: MergeKubeconfigOptions,
    ) -> Result<MergedKubeconfig, Error> {
        run(async { self.client(variables).merge_kubeconfig(&ClusterRef::new("group", cluster)?, options).await })
    }

    fn client(&self, variables: &[(&str, String)]) -> Client {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let lookup =
            move |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let builder = Client::builder(self.azure.credential(), self.azure.subscription()).environment(lookup);
        builder.transport(self.azure.transport()).build().unwrap()
    }

    fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.folder.join(name), text).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn options() -> MergeKubeconfigOptions {
    MergeKubeconfigOptions::default()
}

fn list(files: &[String]) -> (&'static str, String) {
    ("KUBECONFIG", std::env::join_paths(files).unwrap().into_string().unwrap())
}

fn without_a_file_the_home_folder_is_taken() {
    let scene = Scene::new();
    let home = [("HOME", scene.path("home"))];
    let user = scene.merge("dev", &home, options()).unwrap();
    let admin = scene.merge("dev", &home, options().with_access(Access::Admin)).unwrap();
    assert_eq!((user.context.as_str(), admin.context.as_str()), ("dev", "dev-admin"));
    assert_eq!(admin.previous_context.as_deref(), Some("dev"));
    let text = scene.text("home/.kube/config");
    assert_eq!(names(&text, "contexts"), ["dev", "dev-admin"]);
    assert_eq!(names(&text, "users"), ["clusterUser_group_dev", "clusterAdmin_group_dev"]);
    assert_eq!(names(&text, "clusters"), ["dev"]);
}

fn of_several_files_the_one_with_the_entries_is_changed_and_the_one_with_the_current_context() {
    let scene = Scene::new();
    let files = [
        scene.path("absent"),
        scene.file("first", "current-context: mine # here\n"),
        scene.file("second", "clusters:\n- name: dev\n  cluster: {server: x}\ncurrent-context: hidden-by-the-first\n"),
    ];
    let err = scene.merge("dev", &[list(&files)], options()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(scene.text("first"), "current-context: mine # here\n");
    let merged = scene
        .merge("dev", &[list(&files)], options().with_on_existing_entry(aks_acr::OnExistingEntry::Replace))
        .unwrap();
    assert_eq!((merged.file.as_path(), merged.outcome), (Path::new(&files[2]), MergeOutcome::Replaced));
    assert!(merged.current_context_changed);
    assert_eq!(scene.text("first"), "current-context: dev # here\n");
    let second = scene.text("second");
    assert_eq!(names(&second, "contexts"), ["dev"]);
    assert_eq!(values(&second)["current-context"], "hidden-by-the-first");
    assert!(!scene.folder.join("absent").exists());
}

fn of_two_files_none_is_changed_where_one_cannot_be() {
    type Spoil = fn(&Folder);
    let held: Spoil = |folder| fs::write(folder.join("first.lock"), "").unwrap();
    let no_draft: Spoil = |folder| fs::create_dir(folder.join(".first.aks-acr")).unwrap();
    let unfit: Spoil = |folder| fs::write(folder.join("first"), "current-context: mine\nkind: Hidden\n").unwrap();
    for (spoil, kinds) in [
        (held, &[ErrorKind::Conflict][..]),
        (no_draft, &[ErrorKind::InvalidInput, ErrorKind::Forbidden, ErrorKind::Unavailable]),
        (unfit, &[ErrorKind::InvalidInput]),
    ] {
        let scene = Scene::new();
        let entries = "clusters:\n- name: dev\n  cluster: {server: x}\n";
        let files = [scene.file("first", "current-context: mine\n"), scene.file("second", entries)];
        spoil(&scene.folder);
        let first = scene.text("first");
        let options = options().with_on_existing_entry(OnExistingEntry::Replace).with_lock_wait(Duration::ZERO);
        let err = scene.merge("dev", &[list(&files)], options).unwrap_err();
        assert!(kinds.contains(&err.kind()), "{err:#}");
        assert_eq!((scene.text("first"), scene.text("second")), (first, entries.to_owned()), "{err:#}");
        assert!(!scene.folder.join("second.lock").exists() && !scene.folder.join(".second.aks-acr").exists());
    }
}

fn of_several_files_the_first_that_exists_gets_what_is_new() {
    let scene = Scene::new();
    let files = [scene.path("absent"), scene.file("first", ""), scene.file("second", "")];
    assert_eq!(scene.merge("dev", &[list(&files)], options()).unwrap().file, Path::new(&files[1]));
    let none = [scene.path("none"), scene.path("neither")];
    assert_eq!(scene.merge("dev", &[list(&none)], options()).unwrap().file, Path::new(&none[1]));
}

fn without_a_home_folder_nothing_is_asked() {
    let scene = Scene::new();
    let mark = scene.azure.mark();
    let err = scene.merge("dev", &[], options()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    let named = options().with_context(" a\n").with_file(scene.path("config"));
    assert!(scene.merge("dev", &[], named).unwrap_err().context().any(|(name, _)| name == "context"));
    assert!(scene.azure.requests_since(mark).is_empty());
}

fn a_context_of_another_name_shares_nothing_with_the_first() {
    let scene = Scene::new();
    let file = scene.path("config");
    scene.merge("dev", &[], options().with_file(&file)).unwrap();
    let merged =
        scene.merge("dev", &[], options().with_file(&file).with_context("yes").with_public_fqdn(true)).unwrap();
    assert_eq!((merged.context.as_str(), merged.outcome), ("yes", MergeOutcome::Added));
    let text = scene.text("config");
    assert_eq!(names(&text, "clusters"), ["dev", "yes"]);
    assert_eq!(names(&text, "users"), ["clusterUser_group_dev", "clusterUser_group_dev_yes"]);
    let context = &values(&text)["contexts"][1]["context"];
    assert_eq!((&context["cluster"], &context["user"]), (&"yes".into(), &"clusterUser_group_dev_yes".into()));
    let renamed = KubeconfigOptions::default().with_context("a b: c");
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let kubeconfig = run(async { scene.client(&[]).kubeconfig(&cluster, renamed).await }).unwrap();
    assert_eq!(kubeconfig.context(), "a b: c");
}

fn what_azure_refuses_makes_no_file() {
    let scene = Scene::new();
    let file = scene.folder.join("new/config");
    let err = scene.merge("locked", &[], options().with_access(Access::Admin).with_file(&file)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert!(!file.parent().unwrap().exists());
}

fn a_plugin_is_kept_as_azure_sent_it() {
    let scene = Scene::new();
    let cluster = ClusterRef::new("group", "locked").unwrap();
    scene.merge("locked", &[], options().with_file(scene.path("config"))).unwrap();
    let sent = run(async { scene.client(&[]).kubeconfig(&cluster, KubeconfigOptions::default()).await }).unwrap();
    let (sent, kept) = (values(sent.text()), values(&scene.text("config")));
    assert_eq!(sent["users"], kept["users"]);
    assert_eq!(kept["users"][0]["user"]["exec"]["command"], "kubelogin");
}

fn a_lock_is_not_waited_for_beyond_the_deadline() {
    let scene = Scene::new();
    scene.file("config.lock", "");
    let call = CallOptions::default().with_deadline(Duration::from_millis(300));
    let before = Instant::now();
    let err = scene.merge("dev", &[], options().with_file(scene.path("config")).with_call(call)).unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Conflict | ErrorKind::DeadlineExceeded), "{err}");
    assert!(before.elapsed() < Duration::from_secs(5));
    assert!(!scene.folder.join("config").exists());
}
