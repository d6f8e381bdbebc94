//! Who may do what in a registry, by its mode.

use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::Registry;
use crate::entra::token::Claims;
use crate::network::Way;
use crate::password::Fits;
use crate::principal::Principal;
use crate::rbac::Wanted;
use crate::reply::{self, Reply};
use crate::world::World;

/// The user name that goes with a refresh token.
pub(crate) const TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

/// What can be done to a repository, or with the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Pull,
    Push,
    Delete,
    MetadataRead,
    MetadataWrite,
    Catalog,
    DeletedRead,
    DeletedRestore,
}

const RIGHTS: [(Right, &str); 8] = [
    (Right::Pull, "pull"),
    (Right::Push, "push"),
    (Right::Delete, "delete"),
    (Right::MetadataRead, "metadata_read"),
    (Right::MetadataWrite, "metadata_write"),
    (Right::Catalog, "*"),
    (Right::DeletedRead, "deleted_read"),
    (Right::DeletedRestore, "deleted_restore"),
];

impl Right {
    /// The right that a token's scope calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        RIGHTS.iter().find(|(_, known)| *known == name).map(|(right, _)| *right)
    }

    pub(crate) fn name(self) -> &'static str {
        RIGHTS.iter().find(|(right, _)| *right == self).map_or("", |(_, name)| name)
    }

    /// The word for it in the permissions of a legacy refresh token.
    pub(crate) fn legacy(self) -> &'static str {
        match self {
            Self::Pull | Self::MetadataRead | Self::Catalog => "read",
            Self::Push | Self::MetadataWrite => "write",
            Self::Delete => "delete",
            Self::DeletedRead => "deleted/read",
            Self::DeletedRestore => "deleted/restore/action",
        }
    }

    /// Whether it is an action of Resource Manager in every mode: no data action for it is documented.
    fn is_action(self) -> bool {
        matches!(self, Self::DeletedRead | Self::DeletedRestore)
    }

    fn data_action(self) -> &'static str {
        match self {
            Self::Pull => "Microsoft.ContainerRegistry/registries/repositories/content/read",
            Self::Push => "Microsoft.ContainerRegistry/registries/repositories/content/write",
            Self::Delete => "Microsoft.ContainerRegistry/registries/repositories/content/delete",
            Self::MetadataRead => "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
            Self::MetadataWrite => "Microsoft.ContainerRegistry/registries/repositories/metadata/write",
            Self::Catalog => "Microsoft.ContainerRegistry/registries/catalog/read",
            // Actions: see `is_action`.
            Self::DeletedRead => "Microsoft.ContainerRegistry/registries/deleted/read",
            Self::DeletedRestore => "Microsoft.ContainerRegistry/registries/deleted/restore/action",
        }
    }
}

/// The words that a legacy registry's refresh token gets, and the action behind each.
pub(crate) const LEGACY: [(&str, &str); 5] = [
    ("read", "Microsoft.ContainerRegistry/registries/pull/read"),
    ("write", "Microsoft.ContainerRegistry/registries/push/write"),
    ("delete", "Microsoft.ContainerRegistry/registries/artifacts/delete"),
    ("deleted/read", "Microsoft.ContainerRegistry/registries/deleted/read"),
    ("deleted/restore/action", "Microsoft.ContainerRegistry/registries/deleted/restore/action"),
];

/// What a principal may do in a legacy registry, in the words of its tokens.
pub(crate) fn legacy_actions(
    world: &World,
    registry: &Registry,
    principal: &Principal,
    now: Instant,
) -> Vec<&'static str> {
    let id = registry.id();
    let may =
        |action: &str| is_admin(registry, principal) || world.permits(principal, &Wanted::action(action, &id), now);
    LEGACY.iter().filter(|(_, action)| may(action)).map(|(word, _)| *word).collect()
}

/// Whether a principal may, as of now.
pub(crate) fn permits(
    world: &World,
    registry: &Registry,
    principal: &Principal,
    right: Right,
    repository: &str,
    now: Instant,
) -> bool {
    if registry.is_abac() {
        return permits_abac(world, registry, principal, right, repository, now);
    }
    legacy_actions(world, registry, principal, now).contains(&right.legacy())
}

/// The same in a registry where repositories are looked at: data actions alone count, with their conditions.
pub(crate) fn permits_abac(
    world: &World,
    registry: &Registry,
    principal: &Principal,
    right: Right,
    repository: &str,
    now: Instant,
) -> bool {
    if is_admin(registry, principal) {
        return true;
    }
    if right.is_action() {
        return world.permits(principal, &Wanted::action(right.data_action(), &registry.id()), now);
    }
    let facts = [("Microsoft.ContainerRegistry/registries/repositories:name", repository)];
    let facts = if right == Right::Catalog { &[][..] } else { &facts[..] };
    world.permits(principal, &Wanted::data(right.data_action(), &registry.id(), facts), now)
}

/// Who signs in with a user name and a password: the admin user if there is one, or a service principal with its
/// client id and secret.
pub(crate) fn password(
    world: &World,
    registry: &Registry,
    username: &str,
    password: &str,
    now: Instant,
) -> Option<Principal> {
    if username.eq_ignore_ascii_case(&registry.name) {
        let enabled = registry.properties["adminUserEnabled"] == true;
        let fits = registry.passwords.iter().any(|known| known == password);
        return (enabled && fits).then(|| admin(world, registry));
    }
    let known = world.principals.iter().find(|one| one.client_id.eq_ignore_ascii_case(username))?;
    (known.enabled && world.fits(username, password, now) == Fits::Yes)
        .then(|| Principal { groups: world.groups_of(known), ..known.clone() })
}

/// Whether a token was issued before the registry's mode was last switched: a switch invalidates all tokens.
pub(crate) fn is_outdated(world: &World, registry: &Registry, claims: &Claims) -> bool {
    let issued = claims.get("iat").and_then(serde_json::Value::as_u64);
    registry.switched.is_some_and(|switched| issued.is_none_or(|issued| issued < world.clock.unix(switched)))
}

/// The principal that a refresh token of this registry was issued to. In a legacy registry, the token also holds the permissions of that time.
pub(crate) fn refresh(
    world: &World,
    registry: &Registry,
    token: &str,
    now: Instant,
) -> Option<(Principal, Vec<String>)> {
    let claims = world.signer.check(token, world.clock.unix(now)).ok()?;
    if !claims.is_for(registry.login_server()) || claims.text("grant_type") != "refresh_token" {
        return None;
    }
    let permissions = claims.get("permissions");
    // A token of the other mode may have been given out within the second of the switch.
    if is_outdated(world, registry, &claims) || permissions.is_none() != registry.is_abac() {
        return None;
    }
    let mut principal = world.principal(claims.text("sub"))?.clone();
    let groups = claims.get("groups").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    principal.groups = groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect();
    let words = permissions.and_then(|one| one["actions"].as_array()).cloned().unwrap_or_default();
    Some((principal, words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()))
}

/// The admin user of a registry, who is not in the directory and may do everything in this registry, whatever its mode.
fn admin(world: &World, registry: &Registry) -> Principal {
    let id = admin_id(registry);
    Principal { object_id: id, name: registry.name.clone(), ..Principal::managed(&registry.name, world.clock.start()) }
}

fn admin_id(registry: &Registry) -> String {
    format!("admin of {}", registry.id())
}

fn is_admin(registry: &Registry, principal: &Principal) -> bool {
    principal.object_id == admin_id(registry)
}

/// The firewall: `None` lets the caller through. Rules for subnets are not shown by the stable API, and count all the same; a subnet with a
/// service endpoint comes with its private address, which no rule for addresses can mean:
/// [service endpoints](https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview).
pub(crate) fn firewall(registry: &Registry, way: &Way) -> Option<Reply> {
    let rules = &registry.properties["networkRuleSet"];
    let list = |field: &str| rules[field].as_array().cloned().unwrap_or_default();
    let (address, is_allowed) = match way {
        Way::Private => return None,
        Way::Public(address) => {
            let is_meant = |rule: &serde_json::Value| rule["value"].as_str().is_some_and(|one| covers(one, address));
            (address, list("ipRules").iter().any(is_meant))
        }
        Way::Subnet { id, address } => {
            let is_meant =
                |rule: &serde_json::Value| rule["id"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(id));
            (address, list("virtualNetworkRules").iter().any(is_meant))
        }
    };
    let is_denied = registry.sku == "Premium" && rules["defaultAction"] == "Deny" && !is_allowed;
    if registry.properties["publicNetworkAccess"] != "Disabled" && !is_denied {
        return None;
    }
    let message =
        format!("client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.");
    Some(reply::json(StatusCode::FORBIDDEN, &json!({"errors": [{"code": "DENIED", "message": message}]})))
}

/// Whether an address is the one of a rule or in its range.
fn covers(range: &str, address: &str) -> bool {
    let (net, bits) = range.split_once('/').unwrap_or((range, "32"));
    let number = |text: &str| text.parse::<std::net::Ipv4Addr>().map(u32::from);
    let (Ok(net), Ok(address), Ok(bits)) = (number(net), number(address), bits.parse::<u32>()) else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
    net & mask == address & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_covers_its_addresses_and_no_other() {
        assert!(covers("198.51.100.0/24", "198.51.100.20"));
        assert!(covers("198.51.100.20", "198.51.100.20"));
        assert!(!covers("198.51.100.0/24", "198.51.101.20"));
        assert!(covers("0.0.0.0/0", "198.51.100.20"));
    }
}
