//! Scope maps, tokens, credential sets and cache rules: what they are, and what a token may do.

use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::Registry;
use super::gate::Right;
use crate::clock::Clock;
use crate::principal::Principal;

/// A kind of resource below a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ScopeMap,
    Token,
    CredentialSet,
    CacheRule,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::ScopeMap, Self::Token, Self::CredentialSet, Self::CacheRule];

    /// Its segment in a path.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::ScopeMap => "scopeMaps",
            Self::Token => "tokens",
            Self::CredentialSet => "credentialSets",
            Self::CacheRule => "cacheRules",
        }
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// In ARM's words, without passwords.
    pub(crate) properties: Value,
    /// The passwords of a token, with their values.
    pub(crate) passwords: Vec<Value>,
    /// The identity of a credential set.
    pub(crate) principal: Option<String>,
    /// Why Azure could not sign in with a credential set, as code and message.
    pub(crate) fault: Option<(String, String)>,
    pub(crate) created: Instant,
}

/// The scope maps that every registry has, as az lists them.
const OF_SYSTEM: [(&str, &[&str]); 3] = [
    ("_repositories_pull", &["repositories/*/content/read"]),
    ("_repositories_push", &["repositories/*/content/read", "repositories/*/content/write"]),
    (
        "_repositories_admin",
        &[
            "repositories/*/metadata/read",
            "repositories/*/metadata/write",
            "repositories/*/content/read",
            "repositories/*/content/write",
            "repositories/*/content/delete",
        ],
    ),
];

impl Child {
    pub(crate) fn new(kind: Kind, name: &str, created: Instant) -> Self {
        let properties = json!({});
        Self { kind, name: name.to_owned(), properties, passwords: Vec::new(), principal: None, fault: None, created }
    }

    pub(crate) fn is(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && self.name.eq_ignore_ascii_case(name)
    }

    /// Those of a kind that are there without having been made.
    pub(crate) fn of_system(kind: Kind, created: Instant) -> Vec<Self> {
        if kind != Kind::ScopeMap {
            return Vec::new();
        }
        let made = |(name, actions): &(&str, &[&str])| Self {
            properties: json!({"type": "SystemDefined", "actions": actions}),
            ..Self::new(kind, name, created)
        };
        OF_SYSTEM.iter().map(made).collect()
    }

    /// What a read shows: no password.
    pub(crate) fn shown(&self, clock: &Clock) -> Value {
        let mut shown = self.properties.clone();
        shown["provisioningState"] = "Succeeded".into();
        shown["creationDate"] = clock.rfc3339(self.created).into();
        match self.kind {
            Kind::ScopeMap if shown["type"].is_null() => shown["type"] = "UserDefined".into(),
            Kind::Token => {
                if shown["status"].is_null() {
                    shown["status"] = "enabled".into();
                }
                let without_value = |one: &Value| {
                    let mut one = one.clone();
                    one.as_object_mut().map(|one| one.remove("value"));
                    one
                };
                shown["credentials"] =
                    json!({"passwords": self.passwords.iter().map(without_value).collect::<Vec<_>>()});
            }
            Kind::CredentialSet => {
                for one in shown["authCredentials"].as_array_mut().into_iter().flatten() {
                    one["credentialHealth"] = match &self.fault {
                        None => json!({"status": "Healthy"}),
                        Some((code, message)) => {
                            json!({"status": "Unhealthy", "errorCode": code, "errorMessage": message})
                        }
                    };
                }
            }
            _ => {}
        }
        shown
    }
}

impl Registry {
    /// Makes one as a scene has it. A rule names its credential set.
    pub(crate) fn make_child(&mut self, kind: Kind, name: &str, mut properties: Value, now: Instant) {
        if let Some(set) = properties["credentialSet"].as_str().map(str::to_owned) {
            properties.as_object_mut().map(|properties| properties.remove("credentialSet"));
            properties["credentialSetResourceId"] = format!("{}/credentialSets/{set}", self.id()).into();
        }
        let fault = properties.as_object_mut().and_then(|properties| properties.remove("fault"));
        let fault = fault.and_then(|fault| Some((String::from("CredentialInvalid"), fault.as_str()?.to_owned())));
        self.children.push(Child { properties, fault, ..Child::new(kind, name, now) });
    }

    pub(crate) fn child(&self, kind: Kind, name: &str) -> Option<&Child> {
        self.children.iter().find(|child| child.is(kind, name))
    }

    fn token_id(&self, name: &str) -> String {
        format!("token {} of {}", name.to_ascii_lowercase(), self.id())
    }

    /// The token that signs in with this name and password, if it is enabled and the password has not expired.
    pub(crate) fn token(&self, name: &str, password: &str, (clock, now): (&Clock, Instant)) -> Option<Principal> {
        let token = self.child(Kind::Token, name)?;
        let is_enabled = token.properties["status"].as_str().is_none_or(|status| status == "enabled");
        let is_current = |expiry: &str| {
            OffsetDateTime::parse(expiry, &Rfc3339).is_ok_and(|expiry| clock.wall(now) < SystemTime::from(expiry))
        };
        let is_valid = |one: &Value| one["value"] == password && one["expiry"].as_str().is_none_or(is_current);
        (is_enabled && token.passwords.iter().any(is_valid)).then(|| Principal {
            object_id: self.token_id(name),
            name: token.name.clone(),
            ..Principal::managed(&token.name, clock.start())
        })
    }

    /// Whether a token is allowed to do this. `None` if the principal is not a token.
    pub(crate) fn token_may(&self, principal: &Principal, right: Right, repository: &str) -> Option<bool> {
        let token = self
            .children
            .iter()
            .find(|one| one.kind == Kind::Token && self.token_id(&one.name) == principal.object_id)?;
        let map = token.properties["scopeMapId"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default();
        let of_system = Child::of_system(Kind::ScopeMap, self.created);
        let map = self.child(Kind::ScopeMap, map).or_else(|| of_system.iter().find(|one| one.is(Kind::ScopeMap, map)));
        let verb = match right {
            Right::Pull => "content/read",
            Right::Push => "content/write",
            Right::Delete => "content/delete",
            Right::MetadataRead => "metadata/read",
            Right::MetadataWrite => "metadata/write",
            // A token is for repositories.
            Right::Catalog | Right::DeletedRead | Right::DeletedRestore => return Some(false),
        };
        let actions = map.and_then(|map| map.properties["actions"].as_array()).into_iter().flatten();
        let allows = |action: &Value| {
            let named = action.as_str().and_then(|action| action.strip_prefix("repositories/")?.strip_suffix(verb));
            named.and_then(|named| named.strip_suffix('/')).is_some_and(|named| match named.strip_suffix('*') {
                Some(prefix) => repository.starts_with(prefix),
                None => named == repository,
            })
        };
        Some(actions.into_iter().any(allows))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Emulator, RegistrySeed};

    use super::*;

    #[test]
    fn a_token_may_what_its_scope_map_names() {
        let azure = Emulator::new().with_registry_of(RegistrySeed::new("group", "myregistry"));
        azure.act(|world| {
            let registry = &mut world.registries[0];
            let mut map = Child::new(Kind::ScopeMap, "team", registry.created);
            map.properties = json!({"actions": ["repositories/team/*/content/read", "repositories/app/content/write"]});
            let mut token = Child::new(Kind::Token, "ci", registry.created);
            token.properties = json!({"scopeMapId": format!("{}/scopeMaps/team", registry.id())});
            token.passwords = vec![json!({"name": "password1", "value": "secret", "expiry": "2999-01-01T00:00:00Z"})];
            registry.children.extend([map, token]);
            let registry = &world.registries[0];
            let now = (&world.clock, Instant::now());
            let who = registry.token("CI", "secret", now).expect("the token signs in");
            let may = |right, repository| registry.token_may(&who, right, repository);
            assert_eq!((may(Right::Pull, "team/app"), may(Right::Pull, "app")), (Some(true), Some(false)));
            assert_eq!((may(Right::Push, "app"), may(Right::Push, "team/app")), (Some(true), Some(false)));
            assert_eq!(may(Right::Catalog, ""), Some(false));
            assert!(registry.token("ci", "other", now).is_none());
            assert_eq!(registry.token_may(&world.principals[0], Right::Pull, "app"), None);
            let hour = |hours: u64| world.clock.rfc3339(Instant::now() + Duration::from_secs(hours * 3600));
            // The same two times of the day, as a clock far in the west or in the east shows them.
            let cases =
                [(hour(1), true), (hour(1).replace('Z', "+02:00"), false), (hour(0).replace('Z', "-01:00"), true)];
            for (expiry, signs_in) in cases {
                let registry = &mut world.registries[0];
                let token = registry.children.iter_mut().find(|one| one.kind == Kind::Token).expect("the token");
                token.passwords = vec![json!({"name": "password1", "value": "secret", "expiry": expiry})];
                let is_known = world.registries[0].token("ci", "secret", (&world.clock, Instant::now())).is_some();
                assert_eq!(is_known, signs_in, "{expiry}");
            }
        });
    }
}
