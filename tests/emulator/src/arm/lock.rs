//! Locks: what keeps a resource from being deleted or changed, regardless of who asks.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Call, page};
use crate::rbac::{same_scope, within};
use crate::reply::{self, Reply, arm_error, gateway_error};
use crate::world::World;

/// A lock on a scope and all that is below it.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    scope: String,
    name: String,
    level: Level,
    notes: Value,
}

impl Lock {
    /// `None` if there is no such level.
    pub(crate) fn new(name: &str, scope: &str, level: &str) -> Option<Self> {
        let level = Level::named(level)?;
        Some(Self { scope: scope.to_owned(), name: name.to_owned(), level, notes: Value::Null })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    CanNotDelete,
    ReadOnly,
}

impl Level {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "cannotdelete" => Some(Self::CanNotDelete),
            "readonly" => Some(Self::ReadOnly),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CanNotDelete => "CanNotDelete",
            Self::ReadOnly => "ReadOnly",
        }
    }
}

pub(super) fn serve(world: &mut World, call: &Call<'_>, scope: &str, name: Option<&str>) -> Option<Reply> {
    let answer = match (call.method(), name) {
        (&Method::GET, None) => list(world, call, scope),
        (&Method::GET, Some(name)) => get(world, call, scope, name),
        (&Method::PUT, Some(name)) => put(world, call, scope, name),
        (&Method::DELETE, Some(name)) => delete(world, call, scope, name),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

pub(crate) fn body(lock: &Lock) -> Value {
    let mut properties = json!({"level": lock.level.name()});
    if !lock.notes.is_null() {
        properties["notes"] = lock.notes.clone();
    }
    json!({
        "properties": properties,
        "id": format!("{}/providers/Microsoft.Authorization/locks/{}", lock.scope, lock.name),
        "type": "Microsoft.Authorization/locks",
        "name": lock.name,
    })
}

fn position(world: &World, scope: &str, name: &str) -> Option<usize> {
    world.locks.iter().position(|lock| same_scope(&lock.scope, scope) && lock.name.eq_ignore_ascii_case(name))
}

fn missing(name: &str) -> Reply {
    arm_error(StatusCode::NOT_FOUND, "LockNotFound", &format!("The lock '{name}' could not be found."))
}

fn list(world: &World, call: &Call<'_>, scope: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Authorization/locks/read", scope)?;
    let at_scope = call.parameter("$filter").is_some_and(|filter| filter.trim().eq_ignore_ascii_case("atScope()"));
    let here = |lock: &&Lock| within(scope, &lock.scope) || (!at_scope && within(&lock.scope, scope));
    Ok(page(world, call, &world.locks.iter().filter(here).map(body).collect::<Vec<_>>()))
}

fn get(world: &World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Authorization/locks/read", scope)?;
    let at = position(world, scope, name).ok_or_else(|| missing(name))?;
    Ok(reply::json(StatusCode::OK, &body(&world.locks[at])))
}

fn put(world: &mut World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Authorization/locks/write", scope)?;
    let sent = call.json()?;
    let Some(level) = sent["properties"]["level"].as_str().and_then(Level::named) else {
        let message = "The level of a lock must be 'CanNotDelete' or 'ReadOnly'.";
        return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidLockLevel", message));
    };
    let notes = sent["properties"]["notes"].clone();
    let lock = Lock { scope: scope.to_owned(), name: name.to_owned(), level, notes };
    let shown = body(&lock);
    Ok(if let Some(at) = position(world, scope, name) {
        world.locks[at] = lock;
        reply::json(StatusCode::OK, &shown)
    } else {
        world.locks.push(lock);
        reply::json(StatusCode::CREATED, &shown)
    })
}

fn delete(world: &mut World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Authorization/locks/delete", scope)?;
    let Some(at) = position(world, scope, name) else {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    world.locks.remove(at);
    Ok(reply::empty(StatusCode::OK))
}

/// What a lock has against an action that the caller may do. A deletion is stopped by a lock on anything that would go
/// with it; to a lock that makes read-only, every POST counts as a change.
pub(super) fn refusal(world: &World, action: &str, scope: &str) -> Option<Reply> {
    let action = action.to_ascii_lowercase();
    if action.starts_with("microsoft.authorization/locks/") {
        return None;
    }
    let deletes = action.ends_with("/delete");
    if !deletes && !action.ends_with("/write") && !action.ends_with("/action") {
        return None;
    }
    let stops = |lock: &&Lock| {
        let concerns = within(scope, &lock.scope) || (deletes && within(&lock.scope, scope));
        concerns && (deletes || lock.level == Level::ReadOnly)
    };
    let locked: Vec<String> = world.locks.iter().filter(stops).map(|lock| format!("'{}'", lock.scope)).collect();
    if locked.is_empty() {
        return None;
    }
    let what = if deletes { "delete" } else { "write" };
    let message = format!(
        "The scope '{scope}' cannot perform {what} operation because following scope(s) are locked: {}. Please remove \
         the lock and try again.",
        locked.join(",")
    );
    Some(gateway_error(StatusCode::CONFLICT, "ScopeLocked", &message))
}
