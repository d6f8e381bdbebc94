//! The kubeconfig of a cluster, as Azure hands it out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cluster::Cluster;
use crate::entra::token::KUBERNETES;
use crate::world::World;

/// The application that people sign in with.
const CLIENT: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

/// Whose credential is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    User,
    Admin,
}

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "clusterUser",
            Self::Admin => "clusterAdmin",
        }
    }

    pub(super) fn action(self) -> &'static str {
        match self {
            Self::User => "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
            Self::Admin => "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
        }
    }
}

/// The file, in base64. `old` asks for the form that people signed in with before there were plugins.
pub(super) fn encoded(world: &World, cluster: &Cluster, who: Who, old: bool) -> String {
    STANDARD.encode(file(world, cluster, who, old))
}

fn file(world: &World, cluster: &Cluster, who: Who, old: bool) -> String {
    let name = &cluster.name;
    let user = format!("{}_{}_{name}", who.name(), cluster.group);
    let entry = match (who, cluster.seed.entra, old) {
        (Who::User, true, false) => exec(world),
        (Who::User, true, true) => provider(world),
        _ => local(world, cluster, who),
    };
    let authority = world.wire.as_ref().map(|wire| STANDARD.encode(&wire.authority));
    // Azure's files name no proxy: here it is the way to a name that no resolver knows.
    let proxy = world.wire.as_ref().and_then(|wire| wire.proxy.as_ref());
    let proxy = proxy.map(|proxy| format!("    proxy-url: {proxy}\n")).unwrap_or_default();
    format!(
        "apiVersion: v1\n\
         clusters:\n\
         - cluster:\n    certificate-authority-data: {authority}\n    server: https://{host}:443\n{proxy}  name: {name}\n\
         contexts:\n\
         - context:\n    cluster: {name}\n    user: {user}\n  name: {name}\n\
         current-context: {name}\n\
         kind: Config\n\
         preferences: {{}}\n\
         users:\n\
         - name: {user}\n  user:\n{entry}",
        authority = authority.unwrap_or_else(|| armoured("CERTIFICATE", "authority")),
        host = cluster.fqdn(),
    )
}

/// Certificate, key and token. The token is what counts; in process, the first two are of the right shape and belong to
/// no one.
fn local(world: &World, cluster: &Cluster, who: Who) -> String {
    let token = match who {
        Who::User => &cluster.user_token,
        Who::Admin => &cluster.admin_token,
    };
    let (certificate, key) = match &world.wire {
        Some(wire) => (STANDARD.encode(&wire.client.0), STANDARD.encode(&wire.client.1)),
        None => (armoured("CERTIFICATE", "client"), armoured("RSA PRIVATE KEY", "client")),
    };
    format!("    client-certificate-data: {certificate}\n    client-key-data: {key}\n    token: {token}\n")
}

fn armoured(kind: &str, what: &str) -> String {
    STANDARD.encode(format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(what)))
}

fn provider(world: &World) -> String {
    format!(
        "    auth-provider:\n      config:\n        apiserver-id: {KUBERNETES}\n        client-id: {CLIENT}\n        \
         config-mode: \"1\"\n        environment: AzurePublicCloud\n        tenant-id: {}\n      name: azure\n",
        world.tenant
    )
}

fn exec(world: &World) -> String {
    let arguments = [
        "get-token",
        "--environment",
        "AzurePublicCloud",
        "--server-id",
        KUBERNETES,
        "--client-id",
        CLIENT,
        "--tenant-id",
        &world.tenant,
        "--login",
        "devicecode",
    ];
    let arguments = arguments.map(|argument| format!("      - {argument}\n")).concat();
    format!(
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n{arguments}\
         \x20     command: kubelogin\n      env: null\n      installHint: |2\n\n        \
         kubelogin is not installed which is required to connect to AAD enabled cluster.\n\n        \
         To learn more, please go to https://aka.ms/aks/kubelogin\n      provideClusterInfo: false\n"
    )
}
