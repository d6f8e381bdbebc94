//! A kubeconfig that the service answers with: what it names is not executed, not read, and not contacted; and no file of the user's gets it.

use super::{Outcome, show};
use aks_acr::{CallOptions, Client, ClusterRef, KubeconfigOptions, MergeKubeconfigOptions, PodSelection};
use aks_acr_emulator::{Emulator, Fault};
use aks_acr_tests::folder::Folder;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, time::Duration};

const OTHERS: &str = "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n";
const SECRET: &str = "a secret of this machine";

/// What an attacker would have the library do, and the traces that it would leave.
struct Trap {
    folder: Folder,
    listener: TcpListener,
}

impl Trap {
    fn new() -> Self {
        let (folder, listener) = (Folder::new(), TcpListener::bind("127.0.0.1:0").unwrap());
        listener.set_nonblocking(true).unwrap();
        let program = folder.join("kubelogin");
        fs::write(&program, format!("#!/bin/sh\ntouch {}\n", folder.join("ran").display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("secret"), SECRET).unwrap();
        fs::write(folder.join("config"), OTHERS).unwrap();
        Self { folder, listener }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// What sprang, if anything did.
    fn sprung(&self) -> Option<String> {
        if self.folder.join("ran").exists() {
            return Some("a program was executed".to_owned());
        }
        if self.listener.accept().is_ok() {
            return Some("a host was contacted that the answer named".to_owned());
        }
        let kept = fs::read_to_string(self.folder.join("config")).unwrap();
        (kept != OTHERS).then(|| format!("the file was changed: {kept}"))
    }
}

/// A kubeconfig with these lines for its cluster and its user.
fn text(server: &str, cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: dev\n  cluster: {{server: '{server}'{cluster}}}\ncontexts:\n- name: dev\n  \
         context: {{cluster: dev, user: dev}}\ncurrent-context: dev\nusers:\n- name: dev\n  user: {{{user}}}\n"
    )
}

fn rows(trap: &Trap, own: &str) -> Vec<(&'static str, String)> {
    let (ran, secret) = (trap.path("ran"), trap.path("secret"));
    let exec = |command: &str, more: &str| {
        format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{command}', interactiveMode: Never{more}}}"
        )
    };
    let there = format!("https://{}", trap.address());
    let token = "token: inline";
    vec![
        ("exec: a shell", text(own, "", &exec("/bin/sh", &format!(", args: [-c, 'touch {ran}']")))),
        ("exec: a shell by its name", text(own, "", &exec("sh", &format!(", args: [-c, 'touch {ran}']")))),
        ("exec: kubelogin by a path", text(own, "", &exec(&trap.path("kubelogin"), ""))),
        (
            "auth-provider with a command",
            text(
                own,
                "",
                &format!("auth-provider: {{name: gcp, config: {{cmd-path: /bin/sh, cmd-args: '-c touch\\ {ran}'}}}}"),
            ),
        ),
        ("tokenFile", text(own, "", &format!("tokenFile: '{secret}'"))),
        (
            "tokenFile, and a server elsewhere",
            text(&there, ", insecure-skip-tls-verify: true", &format!("tokenFile: '{secret}'")),
        ),
        (
            "client-certificate and -key by path",
            text(own, "", &format!("client-certificate: '{secret}', client-key: '{secret}'")),
        ),
        ("certificate-authority by path", text(own, &format!(", certificate-authority: '{secret}'"), token)),
        ("proxy-url", text(own, &format!(", proxy-url: 'http://{}'", trap.address()), token)),
        ("another server", text(&there, ", insecure-skip-tls-verify: true", token)),
        ("another server by name", text("https://evil.example:443", "", token)),
        ("the server without TLS", text(&own.replace("https://", "http://"), "", token)),
        ("certificates not verified", text(own, ", insecure-skip-tls-verify: true", token)),
    ]
}

#[tokio::test]
async fn a_kubeconfig_of_the_service_runs_reads_and_contacts_nothing() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let cluster = ClusterRef::new("group", "dev").unwrap();
    // Without its own connection to clusters it would do what kubeconfigs say.
    let builder =
        || Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).environment(|_| None);
    let good = builder().build().unwrap().kubeconfig(&cluster, KubeconfigOptions::default()).await.unwrap();
    let server =
        good.text().lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap().trim_matches('"').to_owned();
    let count = rows(&Trap::new(), &server).len();
    let mut table = Vec::new();
    for at in 0..count {
        let trap = Trap::new();
        let (name, text) = rows(&trap, &server).swap_remove(at);
        let body = json!({"kubeconfigs": [{"name": "clusterUser", "value": STANDARD.encode(&text)}]});
        azure.fault(Fault::on("POST", "listClusterUserCredential").status(200).body(body).times(2));
        let call = || CallOptions::default().with_deadline(Duration::from_secs(5));
        let client = builder().read_only().build().unwrap();
        let pods = client.pods(&cluster, &PodSelection::default(), call()).await.map(drop);
        let client = builder().build().unwrap();
        let options = MergeKubeconfigOptions::default().with_file(trap.folder.join("config")).with_call(call());
        let merged = client.merge_kubeconfig(&cluster, options).await.map(drop);
        // A caller that only connected late.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let outcome: Outcome = match (trap.sprung(), pods, merged) {
            (Some(trace), ..) => Err(trace),
            (None, Err(pods), Err(merged)) => {
                let shown = format!("{pods:#} {merged:#}");
                if shown.contains(SECRET) {
                    Err(format!("it shows what a file holds: {shown}"))
                } else {
                    Ok(merged.to_string())
                }
            }
            (None, pods, merged) => Err(format!("not refused: pods {pods:?}, merge {merged:?}")),
        };
        table.push((name.to_owned(), outcome));
    }
    show("kubeconfigs of the service", table);
}
