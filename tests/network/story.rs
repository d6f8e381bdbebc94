//! The whole story, on each way out.

use crate::{builder, proxy::Proxy, server};
use aks_acr::{
    ApplyOptions, AttachOptions, AttachOutcome, CallOptions, Client, Cloud, ClusterRef, ImportOptions, ImportProof,
    KubeconfigOptions, Manifest, PodSelection,
};
use std::time::Duration;

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: web}, \
                   spec: {containers: [{name: web, image: <acr-name>.azurecr.io/nginx:v1}]}}";

/// Everything that asks Azure, a registry or a cluster.
async fn story(client: &Client) -> aks_acr::Result<()> {
    let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
    let attachment = client.attach(&cluster, &registry, AttachOptions::default()).await?;
    assert_eq!(attachment.outcome, AttachOutcome::Granted);
    let call = CallOptions::default().start(Duration::from_secs(60));
    for image in ["myregistry.azurecr.io/nginx:v1", "nginx"] {
        assert!(client.registry_importer().image(&image.parse()?, &call).await?.is_some(), "{image}");
    }
    let kubeconfig = client.kubeconfig(&cluster, KubeconfigOptions::default()).await?;
    assert!(!kubeconfig.text().contains("proxy-url"));
    let options = ApplyOptions::default().with_registry(registry);
    let applied = client.apply(&cluster, Manifest::parse_all(POD)?, options).await?;
    assert!(applied[0].is_new);
    let pods = client.pods(&cluster, &PodSelection::default(), CallOptions::default()).await?;
    assert_eq!(pods.pods.iter().filter(|pod| pod.name == "web").count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_cloud_of_ones_own_with_its_authority_and_a_proxy() {
    let server = server().await;
    let proxy = Proxy::open(server.proxy()).await;
    let builder = builder(&server).add_root_certificates(server.ca_pem()).proxy(format!("http://{}", proxy.address()));
    let cloud = Cloud::custom(server.origin(), ".azurecr.io").unwrap();
    story(&builder.cloud(cloud).build().unwrap()).await.unwrap();
    assert!(proxy.was_asked_for("myregistry.azurecr.io") && proxy.was_asked_for("azmk8s.io"), "{:?}", proxy.asked());
    assert!(!proxy.was_asked_for("localhost"), "this machine itself is reached directly");
}

#[tokio::test]
async fn the_public_cloud_through_a_proxy_that_looks_into_tls() {
    let server = server().await;
    let proxy = Proxy::open(server.proxy()).await;
    let builder = builder(&server).add_root_certificates(server.ca_pem()).proxy(format!("http://{}", proxy.address()));
    let client = builder.build().unwrap();
    story(&client).await.unwrap();
    let options = ImportOptions::default().with_target("nginx:v2");
    let import = client.import_image(&"myregistry".parse().unwrap(), &"nginx".parse().unwrap(), options).await.unwrap();
    assert!(matches!(import.proof, ImportProof::SourceMatched { .. }), "{:?}", import.proof);
    for host in ["management.azure.com", "myregistry.azurecr.io", "registry-1.docker.io", "azmk8s.io"] {
        assert!(proxy.was_asked_for(host), "{host}: {:?}", proxy.asked());
    }
}

#[tokio::test]
async fn a_proxy_that_the_environment_names() {
    let server = server().await;
    let proxy = Proxy::open(server.proxy()).await;
    // kube's own reading would leave the proxy out, because NO_PROXY names the proxy's host.
    let value = proxy.address().to_owned();
    let builder = builder(&server).add_root_certificates(server.ca_pem()).environment(move |name| match name {
        "HTTPS_PROXY" => Some(value.clone()),
        "NO_PROXY" => Some("127.0.0.1,internal.example".to_owned()),
        _ => None,
    });
    story(&builder.build().unwrap()).await.unwrap();
    assert!(proxy.was_asked_for("management.azure.com") && proxy.was_asked_for("azmk8s.io"), "{:?}", proxy.asked());
}

#[tokio::test]
async fn a_proxy_that_wants_a_user_and_a_password() {
    let server = server().await;
    let proxy = Proxy::closed(server.proxy(), "us@er:pa:ss%word").await;
    let builder = builder(&server).add_root_certificates(server.ca_pem());
    let client = builder.proxy(format!("http://us%40er:pa%3Ass%25word@{}", proxy.address())).build().unwrap();
    story(&client).await.unwrap();
    assert!(!format!("{client:?}").contains("ss%"), "{client:?}");
}

#[tokio::test]
async fn a_proxy_that_is_spoken_to_over_tls() {
    let server = server().await;
    let (proxy, authority) = Proxy::over_tls(server.proxy()).await;
    let builder = builder(&server).add_root_certificates(server.ca_pem()).add_root_certificates(authority);
    story(&builder.proxy(format!("https://{}", proxy.address())).build().unwrap()).await.unwrap();
    assert!(proxy.was_asked_for("azmk8s.io"), "{:?}", proxy.asked());
}

#[tokio::test]
async fn the_default_chain_takes_the_same_way() {
    let server = server().await;
    let azure = server.emulator();
    let (client, secret) = azure.client_secret_of("owner");
    for (origin, authority) in [(None, "login.microsoftonline.com"), (Some(server.origin()), "localhost")] {
        let proxy = Proxy::closed(server.proxy(), "user:password").await;
        let variables = [
            ("AZURE_TENANT_ID", azure.tenant().to_owned()),
            ("AZURE_CLIENT_ID", client.clone()),
            ("AZURE_CLIENT_SECRET", secret.clone()),
        ];
        let builder = Client::builder_with_default_credential(azure.subscription())
            .environment(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
            .add_root_certificates(server.ca_pem())
            .proxy(format!("http://user:password@{}", proxy.address()));
        let builder = match origin {
            Some(origin) => builder.cloud(Cloud::custom(origin, ".azurecr.io").unwrap()),
            None => builder,
        };
        let mark = azure.mark();
        let found = builder.build().unwrap().registry(&"myregistry".parse().unwrap(), CallOptions::default()).await;
        assert!(found.unwrap().is_some());
        assert!(azure.requests_since(mark).iter().any(|one| one.path.ends_with("/oauth2/v2.0/token")));
        assert_eq!(proxy.was_asked_for(authority), origin.is_none(), "{:?}", proxy.asked());
    }
}
