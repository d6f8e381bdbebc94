//! Reads a pull secret and its service accounts, and links the two.

use super::{apply::FIELD_MANAGER, client::Kubernetes};
use crate::{
    call::{Call, Poll, Polling},
    cluster::{ExistingSecret, PullSecretState, ServiceAccountState, pull_secret::DOCKER_CONFIG_KEY},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    kubernetes::{send, send_write},
    write::{Write, WriteService},
};
use azure_core::credentials::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::try_join_all;
use kube::{
    Client,
    api::{Patch, PatchParams},
    core::Request,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Steps, as errors name them.
pub(super) const READING: &str = "reading the pull secret";
const READING_ACCOUNT: &str = "reading the service account";
/// Kubernetes creates it in each namespace, soon after the namespace.
const DEFAULT_ACCOUNT: &str = "default";
const DEFAULT_APPEARS_WITHIN: Duration = Duration::from_secs(30);
/// Each try that fails is one that another client won.
const MOST_TRIES: usize = 20;

impl Kubernetes {
    pub async fn pull_secret(
        &self,
        cluster: &ResourceId,
        (namespace, name): (&str, &str),
        service_accounts: &[String],
        call: &Call,
    ) -> Result<PullSecretState> {
        let client = self.client(cluster, call).await?;
        let secrets = path(namespace, "secrets");
        let secret = read(&client, &secrets, name, READING, call);
        let accounts = service_accounts.iter().map(|account| service_account(&client, namespace, account, name, call));
        let (secret, service_accounts) = futures::try_join!(secret, try_join_all(accounts))?;
        if secret.is_none() && service_accounts.iter().all(|account| !account.exists) {
            check_namespace(&client, namespace, call).await?;
        }
        Ok(PullSecretState { secret: secret.as_ref().map(existing), service_accounts })
    }

    /// Adds the secret to a service account. The list is replaced as a whole, because Kubernetes merges no part of it; so the write names
    /// the revision that was read, and is rejected if another client has changed the service account since.
    pub async fn link_pull_secret(
        &self,
        cluster: &ResourceId,
        (namespace, name): (&str, &str),
        service_account: &str,
        call: &Call,
    ) -> Result<bool> {
        let client = self.client(cluster, call).await?;
        let path = path(namespace, "serviceaccounts");
        for _ in 0..MOST_TRIES {
            let Some(account) = existing_account(&client, &path, service_account, call).await? else {
                return Err(missing(service_account, namespace));
            };
            if is_linked(&account, name) {
                return Ok(false);
            }
            match self.link(&client, cluster, (&path, &account), name, call).await {
                Err(err) if err.status() == Some(409) => {}
                done => return done.map(|()| true),
            }
        }
        let text = "the service account changed with every try";
        Err(Error::new(ErrorKind::Conflict, text).with_context("service account", service_account).with_transient(true))
    }

    async fn link(
        &self,
        client: &Client,
        cluster: &ResourceId,
        (path, account): (&str, &Value),
        name: &str,
        call: &Call,
    ) -> Result<()> {
        let metadata = &account["metadata"];
        let mut secrets = account["imagePullSecrets"].as_array().cloned().unwrap_or_default();
        secrets.push(json!({ "name": name }));
        let body = json!({
            "metadata": { "resourceVersion": metadata["resourceVersion"] },
            "imagePullSecrets": secrets,
        });
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let account = metadata["name"].as_str().unwrap_or_default();
        let request = Request::new(path).patch(account, &parameters, &Patch::Merge(&body));
        let step = "adding the secret to a service account";
        let shown = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": account, "namespace": metadata["namespace"] },
        });
        let write = |request: &http::Request<Vec<u8>>| Write {
            service: WriteService::Kubernetes,
            method: request.method().to_string(),
            target: format!("{cluster}{}", request.uri().path()),
            action: None,
            step: step.to_owned(),
            body: Some(shown),
        };
        send_write(client, &self.guard, write, request, step, call).await.map(drop)
    }
}

fn path(namespace: &str, resource: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{resource}")
}

fn missing(service_account: &str, namespace: &str) -> Error {
    let text = format!("no service account '{service_account}' in namespace '{namespace}'; create it first");
    Error::new(ErrorKind::NotFound, text)
}

/// An object; `None` if it, or its namespace, does not exist.
pub(super) async fn read(client: &Client, path: &str, name: &str, step: &str, call: &Call) -> Result<Option<Value>> {
    match send::<Value>(client, Request::new(path).get(name, &kube::api::GetParams::default()), step, call).await {
        Err(err) if err.status() == Some(404) => Ok(None),
        read => read.map(|answer| Some(answer.value)),
    }
}

async fn service_account(
    client: &Client,
    namespace: &str,
    account: &str,
    secret: &str,
    call: &Call,
) -> Result<ServiceAccountState> {
    let found = read(client, &path(namespace, "serviceaccounts"), account, READING_ACCOUNT, call).await?;
    let is_linked = found.as_ref().is_some_and(|found| is_linked(found, secret));
    Ok(ServiceAccountState { name: account.to_owned(), exists: found.is_some(), is_linked })
}

/// The service account; the one that Kubernetes creates itself is waited for.
async fn existing_account(client: &Client, path: &str, account: &str, call: &Call) -> Result<Option<Value>> {
    if account != DEFAULT_ACCOUNT {
        return read(client, path, account, READING_ACCOUNT, call).await;
    }
    let poll = || async {
        match read(client, path, account, READING_ACCOUNT, call).await? {
            Some(found) => Ok(Poll::Ready(found)),
            None => {
                Ok(Poll::Failed(Error::new(ErrorKind::NotFound, "the namespace has no service account 'default' yet")))
            }
        }
    };
    let polling = Polling::new("waiting for a service account").at_most(DEFAULT_APPEARS_WITHIN).quick();
    call.poll_until(polling, poll).await.map(Some)
}

fn is_linked(account: &Value, secret: &str) -> bool {
    account["imagePullSecrets"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == secret))
}

/// A caller that may not read namespaces learns of a missing one from the first write.
pub(super) async fn check_namespace(client: &Client, namespace: &str, call: &Call) -> Result<()> {
    let request = Request::new("/api/v1/namespaces").get(namespace, &kube::api::GetParams::default());
    match send::<Value>(client, request, "reading the namespace", call).await {
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(()),
        read => read.map(drop),
    }
}

fn existing(secret: &Value) -> ExistingSecret {
    let encoded = secret["data"][DOCKER_CONFIG_KEY].as_str();
    let decoded = encoded.and_then(|text| STANDARD.decode(text).ok());
    let managed = secret["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let owns = |entry: &&Value| {
        let fields = &entry["fieldsV1"]["f:data"];
        entry["manager"] != FIELD_MANAGER && !fields[&format!("f:{DOCKER_CONFIG_KEY}")].is_null()
    };
    let mut others: Vec<String> =
        managed.iter().filter(owns).filter_map(|entry| entry["manager"].as_str().map(str::to_owned)).collect();
    others.sort();
    others.dedup();
    ExistingSecret {
        secret_type: secret["type"].as_str().unwrap_or_default().to_owned(),
        is_immutable: secret["immutable"] == true,
        docker_config: decoded.and_then(|bytes| String::from_utf8(bytes).ok()).map(Secret::from),
        other_managers: others,
    }
}
