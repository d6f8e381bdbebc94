//! What stands in the way, and what is said of it.

use crate::{attach, builder, proxy::Proxy, server};
use aks_acr::{AttachOptions, CallOptions, Client, Cloud, ClusterRef, ErrorKind, PodSelection};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_wrong_password_for_the_proxy_is_shown_once_and_said() {
    let server = server().await;
    let proxy = Proxy::closed(server.proxy(), "user:right").await;
    for user in ["user:wrong@", ""] {
        let before = proxy.asked().len();
        let address = format!("http://{user}{}", proxy.address());
        let begun = Instant::now();
        let err = attach(&builder(&server).add_root_certificates(server.ca_pem()).proxy(address).build().unwrap())
            .await
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
        assert!(err.to_string().contains("proxy") && !format!("{err:#} {err:?}").contains("wrong"), "{err:#}");
        // Attach asks for two things at once, so that the first refusal meets the second on its way.
        assert!(proxy.asked().len() - before <= 2 && begun.elapsed() < Duration::from_secs(5), "{:?}", proxy.asked());
    }
}

#[tokio::test]
async fn what_stands_before_a_sign_in_is_no_question_of_the_caller() {
    let server = server().await;
    let azure = server.emulator();
    let proxy = Proxy::closed(server.proxy(), "user:right").await;
    for (address, word) in
        [(format!("http://user:wrong@{}", proxy.address()), "proxy"), (server.proxy().to_owned(), "certificate")]
    {
        let (id, secret) = azure.client_secret_of("owner");
        let variables =
            [("AZURE_TENANT_ID", azure.tenant().to_owned()), ("AZURE_CLIENT_ID", id), ("AZURE_CLIENT_SECRET", secret)];
        let builder = Client::builder_with_default_credential(azure.subscription())
            .environment(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
            .proxy(address);
        let begun = Instant::now();
        let err = attach(&builder.build().unwrap()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
        assert!(err.to_string().contains(word) && begun.elapsed() < Duration::from_secs(5), "{err:#}");
    }
    // Attach asks for two things at once, and each for a token.
    assert!(proxy.asked().len() <= 2, "{:?}", proxy.asked());
}

#[tokio::test]
async fn a_wrong_password_is_said_for_a_cluster_too() {
    let server = server().await;
    let proxy = Proxy::closed(server.proxy(), "user:right").await;
    let cloud = Cloud::custom(server.origin(), ".azurecr.io").unwrap();
    let builder = builder(&server).add_root_certificates(server.ca_pem()).cloud(cloud);
    let client = builder.proxy(format!("http://user:wrong@{}", proxy.address())).build().unwrap();
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let err = client.pods(&cluster, &PodSelection::default(), CallOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
    assert!(err.to_string().contains("proxy") && !format!("{err:#} {err:?}").contains("wrong"), "{err:#}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_said_at_once() {
    let server = server().await;
    let begun = Instant::now();
    let err = attach(&builder(&server).proxy(server.proxy()).build().unwrap()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
    assert!(format!("{err:#}").contains("certificate") && format!("{err:#}").contains("UnknownIssuer"), "{err:#}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let seen = server.emulator().requests();
    assert!(seen.iter().all(|request| request.host == "login.microsoftonline.com"), "{seen:?}");
}

#[tokio::test]
async fn a_host_that_no_proxy_names_is_not_looked_for_through_the_proxy() {
    let server = server().await;
    for (given, variable) in [(true, false), (false, true)] {
        for (exceptions, expected) in [("", true), ("other.invalid", true), ("internal.invalid", false), ("*", false)] {
            let proxy = Proxy::open(server.proxy()).await;
            let address = format!("http://{}", proxy.address());
            let value = address.clone();
            let cloud = Cloud::custom(server.origin(), ".registry.internal.invalid").unwrap();
            let builder = builder(&server).cloud(cloud).environment(move |name| match name {
                "HTTPS_PROXY" => variable.then(|| value.clone()),
                "no_proxy" => Some(exceptions.to_owned()),
                _ => None,
            });
            let client = if given { builder.proxy(address) } else { builder }.build().unwrap();
            // Nothing answers to that name, on either way.
            let image = "one.registry.internal.invalid/nginx:v1".parse().unwrap();
            let call = CallOptions::default().start(Duration::from_millis(300));
            let err = client.registry_importer().image(&image, &call).await.unwrap_err();
            assert_eq!(proxy.was_asked_for(image.registry()), expected, "NO_PROXY={exceptions}: {err:#}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_before_a_request_and_names_the_part() {
    let server = server().await;
    let wrong = builder(&server).proxy("socks5://user:secret@proxy").build().unwrap_err();
    let no_certificate = builder(&server).add_root_certificates("secret").build().unwrap_err();
    for (err, part) in [(wrong, "proxy"), (no_certificate, "trust")] {
        assert_eq!(err.kind(), ErrorKind::InvalidInput);
        assert!(err.context().any(|(name, _)| name == part) && !format!("{err:#}").contains("secret"), "{err:#}");
    }
    let unreadable = builder(&server).environment(|name| (name == "ALL_PROXY").then(|| "socks5://proxy".to_owned()));
    let err = unreadable.build().unwrap_err();
    assert!(err.context().any(|(name, _)| name == "ALL_PROXY"), "{err:#}");
    // Who brings a transport has no use for the variable.
    let azure = server.emulator();
    let own = Client::builder(azure.credential(), azure.subscription())
        .environment(|name| (name == "ALL_PROXY").then(|| "socks5://proxy".to_owned()))
        .transport(azure.transport())
        .build()
        .unwrap();
    own.attach(&ClusterRef::new("group", "dev").unwrap(), &"myregistry".parse().unwrap(), AttachOptions::default())
        .await
        .unwrap();
}
