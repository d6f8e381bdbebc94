//! The default transport, over real connections: proxies, certificates, clouds of one's own.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends a test")]

mod changed;
mod endless;
#[cfg(unix)]
mod hostile;
#[cfg(target_os = "linux")]
mod memory;
mod obstacle;
mod proxy;
mod script;
mod silence;
mod story;

use aks_acr::{AttachOptions, Attachment, Client, ClientBuilder, ClusterRef};
use aks_acr_emulator::{
    Emulator,
    serve::{Server, ServerOptions},
};

/// An emulator behind a TLS server, whose kubeconfigs name no proxy, as Azure's do.
async fn server() -> Server {
    let azure = Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("myregistry.azurecr.io/nginx:v1", &["linux/amd64"])
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    Server::start(azure, ServerOptions::default().with_proxy_in_kubeconfig(false)).await.unwrap()
}

/// The builder of a client without network settings, whose environment is empty.
fn builder(server: &Server) -> ClientBuilder {
    let azure = server.emulator();
    Client::builder(azure.credential(), azure.subscription()).environment(|_| None)
}

async fn attach(client: &Client) -> aks_acr::Result<Attachment> {
    let cluster = ClusterRef::new("group", "dev")?;
    client.attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await
}
