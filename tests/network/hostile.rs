//! Kubeconfigs of a hostile server: nothing that they name is run, read or contacted, and nothing of it comes into the user's file.

use aks_acr::{
    ApplyOptions, CallOptions, Client, Cloud, ClusterRef, Error, ErrorKind, Kubeconfig, KubeconfigOptions, Manifest,
    MergeKubeconfigOptions, PodSelection, Result, RolloutOptions, WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Emulator, Fault};
use aks_acr_tests::folder::Folder;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const FETCH: &str = "/listClusterUserCredential";

/// A program, a file and a server, each of which shows whether it was used.
struct Canary {
    folder: Folder,
    port: u16,
    came: Arc<AtomicUsize>,
}

impl Canary {
    async fn new() -> Self {
        let folder = Folder::new();
        let program = folder.join("kubelogin");
        fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", folder.join("ran").display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("token"), "token-in-a-file").unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = came.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { folder, port, came }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn check(&self, case: &str) {
        assert!(!self.folder.join("ran").exists(), "{case}: the program ran");
        assert_eq!(self.came.load(Ordering::SeqCst), 0, "{case}: somebody came to the server");
        assert!(!self.folder.join("config").exists(), "{case}: a file was written");
    }
}

fn kubeconfig(server: &str, cluster: &str, user: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts:\n- name: dev\n  context: {{cluster: dev, user: me}}\n\
         clusters:\n- name: dev\n  cluster: {{server: '{server}'{cluster}}}\nusers:\n- name: me\n  user: {{{user}}}\n{more}"
    )
}

/// Each hostile kubeconfig, with the field that is to be named.
fn hostile(canary: &Canary, own: &str) -> Vec<(&'static str, String)> {
    let (program, token) = (canary.path("kubelogin"), canary.path("token"));
    let elsewhere = format!("https://127.0.0.1:{}", canary.port);
    let user = |user: &str| kubeconfig(own, "", user, "");
    let cluster = |cluster: &str| kubeconfig(own, cluster, "token: abc", "");
    let login = |command: &str, arguments: &str| {
        user(&format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: {command}, args: [{arguments}], env: null}}"
        ))
    };
    let server = "get-token, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630";
    let mut all = vec![
        ("exec.command", login(&program, "")),
        ("exec.command", login("/bin/sh", &format!("-c, 'touch {}'", canary.path("ran")))),
        ("exec.command", login("./kubelogin", server)),
        ("exec.command", login("'..\\kubelogin'", server)),
        ("exec.command", login("kubelogin-of-mine", server)),
        ("exec.args", login("kubelogin", "remove-tokens")),
        (
            "exec.args",
            login("kubelogin", &format!("{server}, --federated-token-file, {token}, --authority-host, '{elsewhere}'")),
        ),
        ("exec.args", login("kubelogin", &format!("{server}, --client-certificate, {token}"))),
        ("exec.args", login("kubelogin", &format!("{server}, '--token-cache-dir={token}'"))),
        ("exec.args", login("kubelogin", "get-token, --server-id, 797f4846-ba00-4fd7-ba43-dac1f8f63013")),
        (
            "exec.env",
            user(
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: kubelogin, args: [get-token], env: [{name: LD_PRELOAD, value: x}]}",
            ),
        ),
        ("exec.apiVersion", user("exec: {apiVersion: evil.example/v1, command: kubelogin, args: [get-token]}")),
        ("exec.installHint", user("exec: {command: kubelogin, args: [get-token], installHint: \"\\x1b[2J\"}")),
        ("auth-provider", user(&format!("auth-provider: {{name: gcp, config: {{cmd-path: {program}}}}}"))),
        ("auth-provider", user(&format!("auth-provider: {{name: azure, config: {{cmd-path: {program}}}}}"))),
        (
            "auth-provider",
            user("auth-provider: {name: azure, config: {apiserver-id: 797f4846-ba00-4fd7-ba43-dac1f8f63013}}"),
        ),
        ("tokenFile", user(&format!("tokenFile: {token}"))),
        ("tokenFile", user(&format!("token: abc, tokenFile: {token}"))),
        ("client-certificate", user(&format!("client-certificate: {token}, client-key: {token}"))),
        ("client-key", user(&format!("client-key: {token}"))),
        ("user.as", user("token: abc, as: 'system:admin'")),
        ("as-groups", user("token: abc, as-groups: ['system:masters']")),
        ("user.password", user("username: a, password: b")),
        ("username", user("username: a")),
        ("user.exec", user("exec: text")),
        ("user.token", user("token: 123")),
        ("TOKENFILE", user(&format!("TOKENFILE: {token}"))),
        ("certificate-authority", cluster(&format!(", certificate-authority: {token}"))),
        ("insecure-skip-tls-verify", cluster(", insecure-skip-tls-verify: true")),
        // What kubectl reads as true.
        ("insecure-skip-tls-verify", cluster(", insecure-skip-tls-verify: yes")),
        ("proxy-url", cluster(&format!(", proxy-url: 'http://127.0.0.1:{}'", canary.port))),
        ("proxy-url", cluster(", proxy-url: 'socks5://evil.example:1'")),
        ("tls-server-name", cluster(", tls-server-name: evil.example")),
        ("cluster.other", cluster(", other: 1")),
        ("server", kubeconfig(&elsewhere, "", "token: abc", "")),
        ("server", kubeconfig("https://evil.example", "", "token: abc", "")),
        ("server", kubeconfig("https://azmk8s.io.evil.example", "", "token: abc", "")),
        ("server", kubeconfig("https://evilazmk8s.io", "", "token: abc", "")),
        ("server", kubeconfig("https://dev.azmk8s.io@evil.example", "", "token: abc", "")),
        ("server", kubeconfig("https://dev.hcp.azmk8s.io/../x?y", "", "token: abc", "")),
        ("server", kubeconfig("https://evil.example\\\\.azmk8s.io", "", "token: abc", "")),
        ("others", kubeconfig(own, "", "token: abc", "others: {}\n")),
    ];
    // Entries that the current context does not lead to, and a context that leads elsewhere.
    let second_user = format!("- name: other\n  user: {{exec: {{command: {program}, args: []}}}}\n");
    all.push(("users[other].user.exec.command", kubeconfig(own, "", "token: abc", &second_user)));
    let second_cluster = format!("- name: other\n  cluster: {{server: '{elsewhere}'}}\n");
    let text = kubeconfig(own, "", "token: abc", "").replace("users:\n", &format!("{second_cluster}users:\n"));
    all.push(("server", text.clone()));
    all.push(("server", text.replace("cluster: dev, user", "cluster: other, user")));
    all
}

/// A client over TLS, of an Azure that answers with this kubeconfig.
fn client(azure: &Emulator, read_only: bool) -> Client {
    let builder = Client::builder(azure.credential(), azure.subscription()).environment(|_| None);
    let builder = builder.transport(azure.transport());
    if read_only { builder.read_only().build().unwrap() } else { builder.build().unwrap() }
}

async fn uses(client: &Client, canary: &Canary) -> Vec<(&'static str, Error)> {
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let object = || Manifest::parse_all("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}").unwrap();
    let merge = MergeKubeconfigOptions::default().with_file(canary.folder.join("config"));
    let call = CallOptions::default;
    let failed = |name, ended: Result<()>| (name, ended.err().unwrap_or_else(|| panic!("{name} succeeded")));
    vec![
        failed("kubeconfig", client.kubeconfig(&cluster, KubeconfigOptions::default()).await.map(drop)),
        failed("renamed", client.kubeconfig(&cluster, KubeconfigOptions::default().with_context("x")).await.map(drop)),
        failed("merge", client.merge_kubeconfig(&cluster, merge).await.map(drop)),
        failed("apply", client.apply(&cluster, object(), ApplyOptions::default()).await.map(drop)),
        failed("pods", client.pods(&cluster, &PodSelection::default(), call()).await.map(drop)),
        failed(
            "wait_for_rollout",
            client.wait_for_rollout(&cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await.map(drop),
        ),
    ]
}

#[tokio::test]
async fn nothing_that_a_hostile_kubeconfig_names_is_run_read_or_contacted() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let genuine = client(&azure, false).kubeconfig(&cluster, KubeconfigOptions::default()).await.unwrap();
    let canary = Canary::new().await;
    for (field, text) in hostile(&canary, genuine.server()) {
        for read_only in [false, true] {
            azure.fault(Fault::on("POST", FETCH).kubeconfig(&text).times(6));
            for (operation, err) in uses(&client(&azure, read_only), &canary).await {
                let case = format!("{operation} of {text}: {err:#}");
                assert_eq!(err.kind(), ErrorKind::Unexpected, "{case}");
                assert!(err.context().any(|(_, value)| value.contains(field)), "{field}: {case}");
                assert!(!err.is_transient() && !format!("{err:#} {err:?}").contains("abc"), "{case}");
                canary.check(&case);
            }
        }
    }
    assert!(azure.requests().iter().all(|one| !one.host.ends_with("azmk8s.io")), "no cluster was asked");
}

/// The same entries do not come into a file by way of a text that the caller has.
#[tokio::test]
async fn a_merge_puts_no_such_entry_into_a_file() {
    let canary = Canary::new().await;
    let options = MergeKubeconfigOptions::default().with_file(canary.folder.join("config"));
    let mut refused = 0;
    for (field, text) in hostile(&canary, "https://dev.hcp.westeurope.azmk8s.io:443") {
        // Only what the context leads to is merged, and where a server is, only Azure says.
        if ["server", "others", "users[other].user.exec.command"].contains(&field) {
            continue;
        }
        let err = Kubeconfig::parse(text.clone()).unwrap().merge(&options).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidInput, "{text}: {err:#}");
        assert!(err.context().any(|(_, value)| value.contains(field)), "{field}: {err:#}");
        canary.check(&text);
        refused += 1;
    }
    assert!(refused > 25, "{refused}");
}

#[tokio::test]
async fn what_aks_sends_is_accepted_with_one_request() {
    for seed in [ClusterSeed::new("group", "dev"), ClusterSeed::new("group", "dev").entra()] {
        let azure = Emulator::new().with_cluster_of(seed);
        let cluster = ClusterRef::new("group", "dev").unwrap();
        let mark = azure.mark();
        client(&azure, false).kubeconfig(&cluster, KubeconfigOptions::default()).await.unwrap();
        let asked = azure.requests_since(mark);
        assert_eq!(asked.iter().filter(|one| one.host == "management.azure.com").count(), 1, "{asked:?}");
    }
    let old = kubeconfig(
        "https://dev.hcp.westeurope.azmk8s.io:443",
        ", certificate-authority-data: QUJD, insecure-skip-tls-verify: false, certificate-authority: '', extensions: [{name: a, extension: {b: c}}]",
        "auth-provider: {name: azure, config: {apiserver-id: 6dae42f8-4368-4678-94ff-3960e28e3630, client-id: 80faf920-1908-4b52-b5ef-a8e7bedfc67a, \
         config-mode: '1', environment: AzurePublicCloud, tenant-id: 11111111-1111-4111-8111-111111111111}}",
        "",
    );
    let azure = Emulator::new().with_cluster("group", "dev");
    azure.fault(Fault::on("POST", FETCH).kubeconfig(&old));
    let cluster = ClusterRef::new("group", "dev").unwrap();
    client(&azure, false).kubeconfig(&cluster, KubeconfigOptions::default()).await.unwrap();
}

/// A name that has no ending of AKS is the cluster's own only if Azure says so of the cluster.
#[tokio::test]
async fn a_server_of_an_unusual_name_is_looked_up_at_azure() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let text = kubeconfig("https://api.internal.example:6443", "", "token: abc", "");
    for (field, is_own) in [("fqdn", true), ("privateFQDN", true), ("description", false)] {
        azure.fault(Fault::on("POST", FETCH).kubeconfig(&text));
        let body = serde_json::json!({"properties": {field: "API.internal.example"}});
        azure.fault(Fault::on("GET", "/managedClusters/dev").status(200).body(body));
        let ended = client(&azure, false).kubeconfig(&cluster, KubeconfigOptions::default()).await;
        assert_eq!(ended.is_ok(), is_own, "{field}: {ended:?}");
    }
}

/// A cloud of one's own has clusters of other names; files and programs are as little welcome.
#[tokio::test]
async fn a_custom_cloud_may_have_servers_of_any_name_and_nothing_else() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let canary = Canary::new().await;
    let cloud = Cloud::custom("https://management.azure.com", ".azurecr.io").unwrap();
    let builder = Client::builder(azure.credential(), azure.subscription()).environment(|_| None);
    let client = builder.transport(azure.transport()).cloud(cloud).build().unwrap();
    let cluster = ClusterRef::new("group", "dev").unwrap();
    azure.fault(Fault::on("POST", FETCH).kubeconfig(&kubeconfig("https://api.internal.example", "", "token: abc", "")));
    client.kubeconfig(&cluster, KubeconfigOptions::default()).await.unwrap();
    for (field, text) in hostile(&canary, "https://dev.hcp.westeurope.azmk8s.io:443") {
        if field == "server" {
            continue;
        }
        azure.fault(Fault::on("POST", FETCH).kubeconfig(&text));
        client.kubeconfig(&cluster, KubeconfigOptions::default()).await.unwrap_err();
        canary.check(&text);
    }
}
