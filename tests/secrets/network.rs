//! The same over real connections, with the transport that the library brings: what the crates say that speak HTTP and TLS is heard,
//! too.

#[path = "../network/proxy.rs"]
#[expect(dead_code, reason = "another test program uses the rest")]
mod proxy;

use crate::{detector::Secrets, heard, kinds::Careless, story};
use aks_acr::{AttachOptions, Client, ClusterRef};
use aks_acr_emulator::{
    Emulator,
    serve::{Server, ServerOptions},
};
use libtest_mimic::Failed;
use proxy::Proxy;
use std::sync::Arc;

/// As it is, and as it stands in an address.
const PASSWORD: (&str, &str) = ("pa:ss%word-of-a-proxy", "pa%3Ass%25word-of-a-proxy");

pub fn run() -> Result<(), Failed> {
    heard::take();
    let secrets = Arc::new(Secrets::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ends = runtime.block_on(through_a_proxy(&secrets));
    drop(runtime);
    let text = heard::take();
    println!(
        "{} done {} failed; {} forms of secrets looked for in {} kB",
        ends.done,
        ends.failed,
        secrets.count(),
        text.len() / 1024
    );
    for crate_ in ["hyper_util", "rustls", "kube_client", "aks_acr", "azure_core"] {
        let is_heard = text.lines().any(|line| line.split(' ').nth(2).is_some_and(|target| target.starts_with(crate_)));
        println!("{crate_}: {}", if is_heard { "heard" } else { "silent" });
    }
    assert!(text.contains("rustls"), "what TLS says is heard");
    let wrong = secrets.found_in(&text);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

async fn through_a_proxy(secrets: &Arc<Secrets>) -> story::Ends {
    let azure = Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    let server = Server::start(azure, ServerOptions::default().with_proxy_in_kubeconfig(false)).await.unwrap();
    let azure = server.emulator();
    // Every token of the emulator begins with the same part: that of one stands for those that are not seen here.
    let token = azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    secrets.add("the head of a token", token.token.secret().split('.').next().unwrap());
    secrets.add("the password of a proxy", PASSWORD.0);
    let (id, secret) = azure.client_secret_of("owner");
    secrets.add("AZURE_CLIENT_SECRET", &secret);
    let variables =
        [("AZURE_TENANT_ID", azure.tenant().to_owned()), ("AZURE_CLIENT_ID", id), ("AZURE_CLIENT_SECRET", secret)];
    let proxy = Proxy::closed(server.proxy(), &format!("user:{}", PASSWORD.0)).await;
    let address = |password: &str| format!("http://user:{password}@{}", proxy.address());
    let chain = Client::builder_with_default_credential(azure.subscription())
        .environment(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
        .add_root_certificates(server.ca_pem())
        .proxy(address(PASSWORD.1));
    heard::add(&format!("BUILDER {chain:?}"));
    let mut ends = story::everything(&chain.build().unwrap(), secrets).await;
    assert!(ends.done > 10, "{} done", ends.done);

    let own = || {
        Client::builder(Careless::new(azure.credential(), secrets.clone()), azure.subscription()).environment(|_| None)
    };
    secrets.add("the wrong password of a proxy", "wrong-password-of-a-proxy");
    for builder in [
        own().add_root_certificates(server.ca_pem()).proxy(address("wrong-password-of-a-proxy")),
        // No server is trusted, and none is there.
        own().proxy(address(PASSWORD.1)),
        own().proxy(format!("http://user:{}@127.0.0.1:1", PASSWORD.1)),
    ] {
        let client = builder.build().unwrap();
        let (cluster, registry) = (ClusterRef::new("group", "dev").unwrap(), "myregistry".parse().unwrap());
        let call = aks_acr::CallOptions::default().with_deadline(std::time::Duration::from_secs(3));
        let err = client.attach(&cluster, &registry, AttachOptions::default().with_call(call)).await.unwrap_err();
        story::show("attach", &err);
        ends.failed += 1;
    }
    ends
}
