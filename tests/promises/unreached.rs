//! In real time: what an import costs where registries are silent to the caller.

use crate::Scene;
use aks_acr::{Client, ImportOptions, StartedImport};
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

/// Leads to Azure, and all other hosts to a server that takes connections and says nothing.
#[derive(Debug)]
struct Silent {
    azure: Arc<dyn HttpClient>,
    silent: SocketAddr,
}

#[async_trait]
impl HttpClient for Silent {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let host = request.url().host_str().unwrap_or_default();
        if ["management.azure.com", "login.microsoftonline.com"].contains(&host) {
            return self.azure.execute_request(request).await;
        }
        let lost = |err| Error::new(ErrorKind::Io, err);
        let mut stream = TcpStream::connect(self.silent).await.map_err(lost)?;
        stream.write_all(format!("HEAD / HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).await.map_err(lost)?;
        let heard = stream.read(&mut [0; 1]).await.map_err(lost)?;
        Err(Error::with_message(ErrorKind::Io, format!("it said {heard} bytes")))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_begins_three_seconds_later_where_registries_are_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let scene = Scene::new();
    let _ = scene.azure.clone().with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    let transport = Arc::new(Silent { azure: scene.azure.transport(), silent });
    let client = Client::builder(scene.azure.credential(), scene.azure.subscription());
    let client = client.transport(transport).build().unwrap();
    let begun = Instant::now();
    let options = ImportOptions::default().with_target("nginx:v1");
    let started = client.start_import(&scene.registry, &"nginx".parse().unwrap(), options).await.unwrap();
    assert!(matches!(started, StartedImport::Started { .. }));
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2) && took <= Duration::from_secs(5), "{took:?}");
}
