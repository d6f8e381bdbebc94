//! Pull secrets that service accounts got after their pods had been created.
//!
//! The API server copies the secrets of its service account into a pod that names none, once: when the pod is created. See
//! [`admission.go`](https://github.com/kubernetes/kubernetes/blob/v1.33.3/plugin/pkg/admission/serviceaccount/admission.go).

use super::{
    pulls::names_of_secrets,
    watch::{checked_name, list},
};
use crate::{call::Call, cluster::ObservedPod, diagnosis::catalogue::FindingId, error::Result};
use kube::{Client, api::ListParams};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A namespace and the name of a service account in it.
type Account = (String, String);
/// The pull secrets of service accounts.
pub(super) type Secrets = BTreeMap<Account, Vec<String>>;

/// Whether a registry outside Azure refused a pull without credentials. In Azure, nodes pull with their identity.
fn is_refused(pod: &ObservedPod) -> bool {
    pod.pull_secrets.is_empty()
        && pod.failures.iter().any(|failure| failure.finding.id == FindingId::IMAGE_PRIVATE_OR_MISSING)
}

fn account(pod: &ObservedPod) -> Account {
    (pod.pod.namespace.clone(), pod.service_account.clone())
}

/// The secrets that the service accounts of refused pods have by now: one list, if there is such a pod.
pub(super) async fn of_accounts(
    client: &Client,
    pods: impl Iterator<Item = &ObservedPod>,
    call: &Call,
) -> Result<Secrets> {
    let wanted: BTreeSet<Account> = pods.filter(|pod| is_refused(pod)).map(account).collect();
    let namespaces: BTreeSet<&str> = wanted.iter().map(|(namespace, _)| namespace.as_str()).collect();
    let path = match namespaces.into_iter().collect::<Vec<_>>()[..] {
        [] => return Ok(Secrets::new()),
        [only] => format!("/api/v1/namespaces/{}/serviceaccounts", checked_name(only)?),
        _ => "/api/v1/serviceaccounts".to_owned(),
    };
    let mut secrets = Secrets::new();
    let take = |object: &Value| {
        let part = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
        let account = part("namespace").zip(part("name")).filter(|account| wanted.contains(account));
        let Some(account) = account else { return 0 };
        let mut names = names_of_secrets(&object["imagePullSecrets"]);
        // Kubernetes does not check these names.
        names.retain(|name| checked_name(name).is_ok());
        let weight = account.0.len() + account.1.len() + names.iter().map(String::len).sum::<usize>();
        secrets.insert(account, names);
        weight
    };
    list(client, &path, ListParams::default(), "listing the service accounts", call, take).await?;
    Ok(secrets)
}

/// Gives a refused pod the secrets that it does not have.
pub(super) fn add(pod: &mut ObservedPod, accounts: &Secrets) {
    if let Some(secrets) = accounts.get(&account(pod)).filter(|_| is_refused(pod)) {
        pod.later_secrets.clone_from(secrets);
    }
}
