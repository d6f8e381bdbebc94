//! Managed identities that are resources of their own: made by a user, or by the service for a cluster's nodes.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::principal::{Principal, stable_id};
use crate::world::World;

/// A user-assigned identity. Its principal is in the directory, as every principal is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: Value,
    /// The object id of its principal.
    pub(crate) principal: String,
}

impl Identity {
    /// The id, with the lower-case `resourcegroups` that this provider writes.
    pub(crate) fn id(&self) -> String {
        format!(
            "/subscriptions/{}/resourcegroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}",
            self.subscription, self.group, self.name
        )
    }

    pub(crate) fn body(&self, world: &World) -> Value {
        let client = world.principal(&self.principal).map(|one| one.client_id.as_str());
        let mut body = self.item();
        body["properties"] = json!({"tenantId": world.tenant, "principalId": self.principal, "clientId": client});
        body
    }

    /// What a list of resources shows of it.
    pub(crate) fn item(&self) -> Value {
        json!({
            "location": self.location,
            "tags": self.tags,
            "id": self.id(),
            "name": self.name,
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        })
    }
}

impl World {
    /// The identity with this resource id, however its letters are written.
    pub(crate) fn identity(&self, id: &str) -> Option<&Identity> {
        self.identities.iter().find(|one| one.id().eq_ignore_ascii_case(id.trim_end_matches('/')))
    }

    /// Makes an identity with its own principal, young from `now` on.
    pub(crate) fn make_identity(&mut self, place: [&str; 3], location: &str, now: Instant) -> Identity {
        let [subscription, group, name] = place;
        let key = self.unused(&format!("{subscription}/{group}/identity/{name}"));
        let principal = Principal { name: name.to_owned(), ..Principal::managed(&key, now) };
        let identity = Identity {
            subscription: subscription.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            location: location.to_owned(),
            tags: json!({}),
            principal: principal.object_id.clone(),
        };
        self.principals.push(principal);
        self.identities.push(identity.clone());
        identity
    }

    /// Removes an identity and its principal. Its role assignments stay.
    pub(crate) fn remove_identity(&mut self, id: &str) {
        let Some(at) = self.identities.iter().position(|one| one.id().eq_ignore_ascii_case(id)) else {
            return;
        };
        let principal = self.identities.remove(at).principal;
        self.remove_principal(&principal);
    }

    /// Removes a principal from the directory.
    pub(crate) fn remove_principal(&mut self, object_id: &str) {
        self.principals.retain(|one| !one.object_id.eq_ignore_ascii_case(object_id));
        self.gone.push(object_id.to_owned());
    }

    /// A name from which no principal's ids were made yet: a principal that is created again with an old name is another principal.
    pub(crate) fn unused(&self, key: &str) -> String {
        let taken = |key: &str| {
            let id = stable_id(&format!("{key}/object"));
            self.principal(&id).is_some() || self.gone.contains(&id)
        };
        let again = (2..).map(|number: u32| format!("{key}~{number}"));
        let mut names = std::iter::once(key.to_owned()).chain(again);
        names.find(|name| !taken(name)).unwrap_or_else(|| key.to_owned())
    }
}
