//! Service accounts: the identities that they name for pulls.

use super::{
    client::Kubernetes,
    watch::{checked_name, list},
};
use crate::{
    call::Call,
    cluster::{ObservedServiceAccount, PULL_IDENTITY},
    error::Result,
    id::ResourceId,
};
use kube::api::ListParams;
use serde_json::Value;

impl Kubernetes {
    /// The service accounts that name an identity, of a namespace or of all.
    pub async fn service_accounts(
        &self,
        cluster: &ResourceId,
        namespace: Option<&str>,
        call: &Call,
    ) -> Result<Vec<ObservedServiceAccount>> {
        let client = &self.client(cluster, call).await?;
        let path = match namespace {
            Some(namespace) => format!("/api/v1/namespaces/{}/serviceaccounts", checked_name(namespace)?),
            None => "/api/v1/serviceaccounts".to_owned(),
        };
        let mut accounts = Vec::new();
        let take = |account: &Value| {
            let read = read(account);
            let weight = read.as_ref().map_or(0, |one| one.namespace.len() + one.name.len() + one.client_id.len());
            accounts.extend(read);
            weight
        };
        list(client, &path, ListParams::default(), "listing the service accounts", call, take).await?;
        // A list that expires between two pages is read again.
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }
}

fn read(account: &Value) -> Option<ObservedServiceAccount> {
    let metadata = &account["metadata"];
    let client_id = metadata["annotations"][PULL_IDENTITY].as_str().filter(|id| !id.is_empty())?;
    Some(ObservedServiceAccount::new(metadata["namespace"].as_str()?, metadata["name"].as_str()?, client_id))
}
