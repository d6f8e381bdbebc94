//! Kubeconfigs: read as a value, and used: the cluster's request shows whether the sign-in went through Entra.

use super::{SUBSCRIPTION, client};
use crate::exchange::Case;
use aks_acr::{Access, CallOptions, Client, ClusterRef, KubeBody, KubeconfigOptions, PodSelection};
use aks_acr_tests::{
    data::paused,
    replay::{Named, Replay},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use libtest_mimic::Failed;
use std::{
    convert::Infallible,
    future,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) fn user(case: &Case) -> Result<(), Failed> {
    read(case, Access::User, "listClusterUserCredential")?;
    let token = line(&text(case)?, "token:")?;
    assert_eq!(shown_to_cluster(case)?, format!("Bearer {token}"), "the kubeconfig's own token");
    Ok(())
}

pub(super) fn admin(case: &Case) -> Result<(), Failed> {
    read(case, Access::Admin, "listClusterAdminCredential")
}

/// The kubeconfig of a namespace has the form of that of a cluster with Entra; it names a program, and none is started.
pub(super) fn entra(case: &Case) -> Result<(), Failed> {
    read(case, Access::User, "listClusterUserCredential")?;
    assert_eq!(line(&text(case)?, "command:")?, "kubelogin");
    assert_eq!(shown_to_cluster(case)?, "Bearer 6dae42f8-4368-4678-94ff-3960e28e3630/.default");
    Ok(())
}

fn read(case: &Case, access: Access, action: &str) -> Result<(), Failed> {
    let id = case.exchange.resource()?;
    let cluster: ClusterRef = id.parse()?;
    let replay = Replay::of([case.exchange.answer()]);
    let kubeconfig = paused(async {
        client(&replay)?.kubeconfig(&cluster, KubeconfigOptions::default().with_access(access)).await
    })?;
    assert_eq!(replay.lines(), [format!("POST {id}/{action}")]);
    let text = text(case)?;
    assert_eq!(kubeconfig.text(), text);
    assert_eq!(kubeconfig.server(), line(&text, "server:")?);
    assert_eq!(kubeconfig.context(), line(&text, "current-context:")?);
    assert!(!format!("{kubeconfig:?}").contains("key-data"), "its keys are not shown");
    Ok(())
}

/// The recorded file.
fn text(case: &Case) -> Result<String, Failed> {
    Ok(String::from_utf8(STANDARD.decode(case.exchange.text("/kubeconfigs/0/value")?)?)?)
}

/// What stands behind a word of the file, found without a reader of YAML.
fn line(text: &str, word: &str) -> Result<String, Failed> {
    let found = text.lines().find_map(|line| line.trim_start().strip_prefix(word));
    Ok(found.ok_or_else(|| format!("there is no {word} in it"))?.trim().to_owned())
}

/// The `authorization` of a request to the cluster, at the address that the kubeconfig names.
fn shown_to_cluster(case: &Case) -> Result<String, Failed> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keeps = seen.clone();
    let cluster = tower::service_fn(move |request: http::Request<KubeBody>| {
        let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let entry = (request.uri().host().map(str::to_owned), authorization.map(str::to_owned));
        keeps.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        let list = r#"{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[]}"#;
        future::ready(Ok::<_, Infallible>(http::Response::new(KubeBody::from(list.as_bytes().to_vec()))))
    });
    let replay = Replay::of([case.exchange.answer()]);
    let of: ClusterRef = case.exchange.resource()?.parse()?;
    let selection = PodSelection::default();
    let pods = paused(async {
        let builder = Client::builder(Arc::new(Named), SUBSCRIPTION).transport(Arc::new(replay.clone()));
        builder.kubernetes(cluster).build()?.pods(&of, &selection, CallOptions::default()).await
    })?;
    assert!(pods.pods.is_empty());
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let [(Some(host), Some(authorization))] = &seen[..] else { return Err(format!("the cluster saw {seen:?}").into()) };
    assert!(line(&text(case)?, "server:")?.contains(host.as_str()), "{host}");
    Ok(authorization.clone())
}
