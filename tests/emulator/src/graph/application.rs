//! Applications: made, given passwords, and turned into service principals, as `az ad sp create-for-rbac` does.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{body, missing};
use crate::clock::Clock;
use crate::password::{self, Password};
use crate::principal::{Principal, stable_id};
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

/// An application of the directory. What may sign in and be granted roles is its service principal.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    id: String,
    app_id: String,
    name: String,
    /// All that were added. Its service principal signs in with any of them that has not ended.
    passwords: Vec<Password>,
}

impl Application {
    pub(super) fn shown(&self, clock: &Clock) -> Value {
        let passwords: Vec<Value> = self.passwords.iter().map(|one| one.shown(clock)).collect();
        json!({"@odata.type": "#microsoft.graph.application", "id": self.id, "appId": self.app_id,
               "displayName": self.name, "passwordCredentials": passwords, "keyCredentials": [],
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
    let made =
        Application { id: stable_id(&key), app_id: stable_id(&format!("{key}/client")), name, passwords: Vec::new() };
    let shown = made.shown(&world.clock);
    world.applications.push(made);
    reply::json(StatusCode::CREATED, &shown)
}

pub(super) fn one(world: &World, id: &str) -> Reply {
    match world.applications.iter().find(|one| one.is(id)) {
        Some(found) => reply::json(StatusCode::OK, &found.shown(&world.clock)),
        None => missing(id),
    }
}

/// An application by its client id, as in `applications(appId='...')`. A service principal of a scene has one as well.
pub(super) fn of_app_id(world: &World, app_id: &str) -> Reply {
    if let Some(found) = world.applications.iter().find(|one| one.app_id.eq_ignore_ascii_case(app_id)) {
        return reply::json(StatusCode::OK, &found.shown(&world.clock));
    }
    let of_scene = |one: &&Principal| one.of_application && one.client_id.eq_ignore_ascii_case(app_id);
    let Some(principal) = world.principals.iter().find(of_scene) else { return missing(app_id) };
    let application = Application {
        id: stable_id(&format!("{}/application", principal.client_id)),
        app_id: principal.client_id.clone(),
        name: principal.name.clone(),
        passwords: principal.passwords.clone(),
    };
    reply::json(StatusCode::OK, &application.shown(&world.clock))
}

/// Switches a service principal off or on.
pub(super) fn change_principal(world: &mut World, id: &str, sent: &[u8]) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let found = world.principals.iter_mut().find(|one| one.object_id.eq_ignore_ascii_case(id) && one.of_application);
    let Some(found) = found else { return missing(id) };
    match sent["accountEnabled"].as_bool() {
        Some(enabled) => found.enabled = enabled,
        None => return required("accountEnabled"),
    }
    reply::empty(StatusCode::NO_CONTENT)
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
    let asked = &sent["passwordCredential"];
    let Some(end) = password::end_of_new(&asked["endDateTime"], world.clock.unix(now)) else {
        return required("endDateTime");
    };
    let text = crate::registry::new_password(&world.ids);
    let key = world.ids.id().to_string();
    let Some(found) = world.applications.iter_mut().find(|one| one.is(id)) else {
        return missing(id);
    };
    let made = Password { key, name: asked["displayName"].clone(), text, since: now, end: Some(end) };
    found.passwords.push(made.clone());
    let app_id = found.app_id.clone();
    if let Some(principal) = world.principals.iter_mut().find(|one| one.client_id == app_id) {
        principal.passwords.push(made.clone());
    }
    let mut shown = made.shown(&world.clock);
    shown["secretText"] = made.text.into();
    reply::json(StatusCode::OK, &shown)
}

/// A password that is removed counts no more.
pub(super) fn remove_password(world: &mut World, id: &str, sent: &[u8]) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let Some(key) = text(&sent, "keyId") else { return required("keyId") };
    let Some(found) = world.applications.iter_mut().find(|one| one.is(id)) else {
        return missing(id);
    };
    let before = found.passwords.len();
    found.passwords.retain(|one| one.key != key);
    if found.passwords.len() == before {
        let message = "No password credential found with keyId.";
        return arm_error(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
    }
    let app_id = found.app_id.clone();
    if let Some(principal) = world.principals.iter_mut().find(|one| one.client_id == app_id) {
        principal.passwords.retain(|one| one.key != key);
    }
    reply::empty(StatusCode::NO_CONTENT)
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
        passwords: application.passwords,
        of_application: true,
        ..Principal::managed(&application.name, now)
    };
    let shown = body(&principal);
    world.principals.push(principal);
    reply::json(StatusCode::CREATED, &shown)
}
