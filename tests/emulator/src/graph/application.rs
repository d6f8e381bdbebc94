//! Applications: made, given passwords, and turned into service principals, as `az ad sp create-for-rbac` does.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{body, missing};
use crate::principal::{Principal, stable_id};
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

/// An application of the directory. What may sign in and be granted roles is its service principal.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    id: String,
    app_id: String,
    name: String,
    /// Those that were added, without their texts.
    passwords: Vec<Value>,
    /// The newest password, which its service principal signs in with.
    secret: Option<String>,
}

impl Application {
    pub(super) fn shown(&self) -> Value {
        json!({"@odata.type": "#microsoft.graph.application", "id": self.id, "appId": self.app_id,
               "displayName": self.name, "passwordCredentials": self.passwords, "keyCredentials": [],
               "identifierUris": [], "signInAudience": "AzureADMyOrg"})
    }

    fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    /// Whether a filter on the name or the application's ID means it. `None`: another filter.
    pub(super) fn meets(&self, filter: &str) -> Option<bool> {
        if filter.is_empty() {
            return Some(true);
        }
        if let Some(prefix) = filter.strip_prefix("startswith(displayName,'").and_then(|rest| rest.strip_suffix("')")) {
            return Some(self.name.starts_with(prefix));
        }
        let equals = |field| crate::arm::equals(filter, field);
        let by_id = equals("appId").map(|id| self.app_id.eq_ignore_ascii_case(&id));
        by_id.or_else(|| equals("displayName").map(|name| self.name == name))
    }
}

fn text(sent: &Value, field: &str) -> Option<String> {
    sent[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn required(field: &str) -> Reply {
    let message = format!("A value is required for property '{field}' of resource 'Application'.");
    arm_error(StatusCode::BAD_REQUEST, "Request_BadRequest", &message)
}

pub(super) fn make(world: &mut World, sent: &[u8]) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let Some(name) = text(&sent, "displayName") else { return required("displayName") };
    let key = format!("application/{name}/{}", world.applications.len());
    let made = Application {
        id: stable_id(&key),
        app_id: stable_id(&format!("{key}/client")),
        name,
        passwords: Vec::new(),
        secret: None,
    };
    let shown = made.shown();
    world.applications.push(made);
    reply::json(StatusCode::CREATED, &shown)
}

pub(super) fn one(world: &World, id: &str) -> Reply {
    match world.applications.iter().find(|one| one.is(id)) {
        Some(found) => reply::json(StatusCode::OK, &found.shown()),
        None => missing(id),
    }
}

pub(super) fn delete(world: &mut World, id: &str) -> Reply {
    let Some(at) = world.applications.iter().position(|one| one.is(id)) else {
        return missing(id);
    };
    let gone = world.applications.remove(at);
    let principal = world.principals.iter().find(|one| one.client_id == gone.app_id).map(|one| one.object_id.clone());
    if let Some(principal) = principal {
        world.remove_principal(&principal);
    }
    reply::empty(StatusCode::NO_CONTENT)
}

/// The text of a password is shown in this answer only.
pub(super) fn add_password(world: &mut World, id: &str, sent: &[u8], now: Instant) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let secret = crate::registry::new_password(&world.ids);
    let key = world.ids.id().to_string();
    let start = world.clock.rfc3339(now);
    let Some(found) = world.applications.iter_mut().find(|one| one.is(id)) else {
        return missing(id);
    };
    let asked = &sent["passwordCredential"];
    let mut shown = json!({"keyId": key, "displayName": asked["displayName"], "startDateTime": start,
                           "endDateTime": asked["endDateTime"], "hint": &secret[..3]});
    found.passwords.push(shown.clone());
    found.secret = Some(secret.clone());
    let app_id = found.app_id.clone();
    if let Some(principal) = world.principals.iter_mut().find(|one| one.client_id == app_id) {
        principal.secret = Some(secret.clone());
    }
    shown["secretText"] = secret.into();
    reply::json(StatusCode::OK, &shown)
}

pub(super) fn make_principal(world: &mut World, sent: &[u8], now: Instant) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let Some(app_id) = text(&sent, "appId") else { return required("appId") };
    let Some(application) = world.applications.iter().find(|one| one.app_id.eq_ignore_ascii_case(&app_id)).cloned()
    else {
        return missing(&app_id);
    };
    if world.principals.iter().any(|one| one.client_id == application.app_id) {
        let message = format!("The service principal cannot be created because the appId {app_id} is already in use.");
        return arm_error(StatusCode::CONFLICT, "Request_MultipleObjectsWithSameKeyValue", &message);
    }
    let principal = Principal {
        object_id: stable_id(&format!("{}/principal", application.id)),
        client_id: application.app_id,
        secret: Some(application.secret.unwrap_or_else(|| crate::registry::new_password(&world.ids))),
        ..Principal::managed(&application.name, now)
    };
    let shown = body(&principal);
    world.principals.push(principal);
    reply::json(StatusCode::CREATED, &shown)
}
