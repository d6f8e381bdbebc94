//! The table: each kind of credential, through each way to end.

use crate::{
    detector::Secrets,
    heard,
    kinds::{Kind, Scene, scene},
    story,
};
use aks_acr::{CallOptions, Write};
use aks_acr_emulator::Fault;
use libtest_mimic::Failed;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// What happens to a run, and what has to come of it.
struct Way {
    name: &'static str,
    faults: fn() -> Vec<Fault>,
    kubeconfig: Option<fn(&Scene) -> String>,
    transport_panics: bool,
    /// Whether some operations have to succeed; and whether some have to fail.
    succeeds: bool,
    fails: bool,
}

const NONE: Way =
    Way { name: "", faults: Vec::new, kubeconfig: None, transport_panics: false, succeeds: true, fails: false };

const WAYS: &[Way] = &[
    // Sources that want credentials refuse these, hence the failures.
    Way { name: "all goes well", fails: true, ..NONE },
    Way { name: "the sign-in is refused", faults: sign_in_refused, succeeds: false, fails: true, ..NONE },
    Way { name: "Azure knows no caller", faults: unauthenticated, succeeds: false, fails: true, ..NONE },
    Way { name: "Azure refuses", faults: forbidden, fails: true, ..NONE },
    Way { name: "Azure is broken", faults: broken, succeeds: false, fails: true, ..NONE },
    Way { name: "connections break", faults: lost, fails: true, ..NONE },
    Way { name: "the cluster refuses", faults: cluster_refuses, fails: true, ..NONE },
    Way { name: "the kubeconfig names a program", kubeconfig: Some(exec), fails: true, ..NONE },
    Way { name: "the kubeconfig is broken", kubeconfig: Some(broken_kubeconfig), fails: true, ..NONE },
    Way { name: "the transport panics", transport_panics: true, succeeds: false, ..NONE },
];

const MANY: usize = 100_000;

/// Entra's refusal and the machine's, regardless of who asks.
fn sign_in_refused() -> Vec<Fault> {
    let body =
        json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided." });
    let refused = |method, part| Fault::on(method, part).status(401).body(body.clone()).times(MANY);
    vec![refused("POST", "/oauth2/v2.0/token"), refused("GET", "/metadata/identity/oauth2/token")]
}

fn unauthenticated() -> Vec<Fault> {
    let body = json!({ "error": { "code": "InvalidAuthenticationToken", "message": "The access token is invalid." } });
    vec![Fault::on("*", "/subscriptions/").status(401).body(body).times(MANY)]
}

fn forbidden() -> Vec<Fault> {
    let body =
        json!({ "error": { "code": "AuthorizationFailed", "message": "The client does not have authorization." } });
    ["PUT", "POST", "DELETE"]
        .map(|method| Fault::on(method, "/subscriptions/").status(403).body(body.clone()).times(MANY))
        .into()
}

fn broken() -> Vec<Fault> {
    vec![Fault::on("*", "/subscriptions/").status(503).header("retry-after", "7").times(MANY)]
}

fn lost() -> Vec<Fault> {
    vec![
        Fault::on("PUT", "/roleAssignments/").reset().times(MANY),
        Fault::on("*", "/operationStatuses").reset().times(MANY),
        Fault::on("*", "/operationResults").reset().times(MANY),
        Fault::on("*", "/oauth2/exchange").reset().times(MANY),
        Fault::on("*", "/listCluster").reset().times(MANY),
    ]
}

fn cluster_refuses() -> Vec<Fault> {
    let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Unauthorized", "code": 401, "message": "Unauthorized" });
    vec![Fault::on("*", "azmk8s.io").status(401).body(body).times(MANY)]
}

/// A kubeconfig whose user is a program, called with secrets. It is refused, and its words are shown nowhere.
fn exec(scene: &Scene) -> String {
    scene.secrets.add("a variable of a program", "hidden-value-for-a-program");
    scene.secrets.add("an argument of a program", "hidden-argument-for-a-program");
    "apiVersion: v1\nkind: Config\ncurrent-context: dev\n\
     contexts: [{name: dev, context: {cluster: dev, user: dev}}]\n\
     clusters: [{name: dev, cluster: {server: 'https://dev.hcp.westeurope.azmk8s.io:443'}}]\n\
     users: [{name: dev, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, \
     args: [hidden-argument-for-a-program], env: [{name: SOMETHING, value: hidden-value-for-a-program}]}}}]\n"
        .to_owned()
}

/// Broken off within a user's entry.
fn broken_kubeconfig(scene: &Scene) -> String {
    scene.secrets.add("a key in a broken kubeconfig", "key-in-a-broken-kubeconfig");
    "apiVersion: v1\nusers:\n- name: dev\n  user:\n    token: key-in-a-broken-kubeconfig\n   bad: [\n".to_owned()
}

/// Runs the table for these kinds, prints it, and looks for leaks.
pub fn run(kinds: &[Kind]) -> Result<(), Failed> {
    let (mut wrong, mut length, mut forms) = (Vec::new(), 0, 0);
    for kind in kinds {
        for way in WAYS {
            let secrets = Arc::new(Secrets::default());
            let ends = end(kind, way, &secrets);
            let text = heard::take();
            (length, forms) = (length + text.len(), forms + secrets.count());
            println!(
                "{:<32} {:<38} {:>3} done {:>3} failed {:>3} panicked",
                kind.name, way.name, ends.done, ends.failed, ends.panicked
            );
            wrong.extend(
                secrets.found_in(&text).into_iter().map(|found| format!("{}, {}: {found}", kind.name, way.name)),
            );
            let is_as_meant = (ends.done > 0) == way.succeeds
                && (ends.failed > 0 || !way.fails)
                && (ends.panicked > 0) == way.transport_panics;
            if !is_as_meant {
                wrong.push(format!("{}: {}: ended otherwise than meant", kind.name, way.name));
            }
        }
    }
    println!("{} ways, {} forms of secrets looked for in {} kB", kinds.len() * WAYS.len(), forms, length / 1024);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn end(kind: &Kind, way: &Way, secrets: &Arc<Secrets>) -> story::Ends {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let scene = scene(secrets);
        for fault in (way.faults)() {
            scene.azure.fault(fault);
        }
        let (builder, mut transport) = kind.begin(&scene);
        transport.panics = way.transport_panics;
        *transport.kubeconfig.lock().unwrap() = way.kubeconfig.map(|make| make(&scene));
        let on_write = |write: &Write| {
            heard::add(&format!("WRITE {write} {write:?}"));
            Ok(())
        };
        let builder = builder.transport(Arc::new(transport)).on_write(on_write);
        heard::add(&format!("BUILDER {builder:?} {builder:#?}"));
        let client = builder.build().unwrap();
        let mut ends = story::everything(&client, secrets).await;
        // Asked once more by a call with nothing left to wait for.
        let call = CallOptions::default().with_deadline(Duration::ZERO);
        let cluster = "group/dev".parse().unwrap();
        ends.of("out of time", client.identities(&cluster, call)).await;
        ends
    })
}
