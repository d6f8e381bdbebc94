//! The only parser of a managed cluster as described by Azure Resource Manager.

use super::TYPE;
use crate::{
    action::READ_CLUSTER,
    error::{Error, ErrorKind, Result},
    http::ArmRequest,
    id::{ResourceId, SubscriptionId},
    lenient::as_word,
    missing,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// The API version for reading and writing clusters.
pub(crate) const API: &str = "2026-05-01";

/// See [Get](https://learn.microsoft.com/rest/api/aks/managed-clusters/get).
pub(crate) fn get_cluster(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the cluster").needs(READ_CLUSTER, id.as_str())
}

/// See [List](https://learn.microsoft.com/rest/api/aks/managed-clusters/list).
pub(crate) fn list_clusters(subscription: SubscriptionId) -> ArmRequest {
    let scope = subscription.path();
    ArmRequest::get(format!("{scope}/providers/{TYPE}"), API).step("listing the clusters").needs(READ_CLUSTER, scope)
}

/// A managed cluster. Each part is parsed when it is needed, so that an unexpected part breaks only what depends on it.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct ClusterBody(Value);

impl ClusterBody {
    /// The value at a path such as `properties/fqdn`.
    /// `None` if it is absent or null, an error if it has another type.
    pub fn part<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let mut at = &self.0;
        for name in path.split('/') {
            match at {
                Value::Object(fields) => match fields.get(name) {
                    None | Some(Value::Null) => return Ok(None),
                    Some(value) => at = value,
                },
                _ => return Err(unreadable(path)),
            }
        }
        // The reader's own words may quote the answer.
        T::deserialize(at).map(Some).map_err(|_| unreadable(path))
    }

    /// The ID in the response, or else the ID in the request.
    pub fn id(&self, asked: &ResourceId) -> Result<ResourceId> {
        self.listed_id().map(|id| id.unwrap_or_else(|| asked.clone()))
    }

    /// The ID in the response.
    pub fn listed_id(&self) -> Result<Option<ResourceId>> {
        let id: Option<String> = self.part("id")?;
        id.map(|id| id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))).transpose()
    }

    /// The service's state, empty if it reports none. An invalid state equals no known state.
    pub fn state(&self) -> String {
        let state = self.part::<Value>("properties/provisioningState").ok().flatten();
        state.as_ref().and_then(as_word).unwrap_or_default()
    }
}

fn unreadable(path: &str) -> Error {
    Error::new(ErrorKind::Unexpected, "Azure's response about the cluster has a field of an unexpected type")
        .with_context("field", path.replace('/', "."))
}

/// Adds the cluster to an error, and its whole resource ID if the ID itself may be wrong.
pub(crate) fn about(err: Error, id: &ResourceId) -> Error {
    if err.kind() != ErrorKind::NotFound {
        return err.with_context("cluster", id.name());
    }
    missing::explain(err, "cluster", id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_and_null_are_none_and_another_type_is_an_error() {
        let body =
            ClusterBody(json!({ "id": null, "sku": "Free", "properties": { "fqdn": 5, "agentPoolProfiles": null } }));
        assert_eq!(body.part::<String>("id").unwrap(), None);
        assert_eq!(body.part::<String>("location").unwrap(), None);
        assert_eq!(body.part::<Vec<String>>("properties/agentPoolProfiles").unwrap(), None);
        for path in ["properties/fqdn", "sku/tier"] {
            let err = body.part::<String>(path).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Unexpected);
            assert!(err.to_string().contains(&path.replace('/', ".")), "{err}");
        }
        for odd in [json!([]), json!("text"), json!(null)] {
            assert!(ClusterBody(odd).part::<String>("properties/fqdn").is_err());
        }
    }
}
