//! Which role assignments allow pulling. Decided by the role's permissions, not by its name.

use super::{BuiltIn, RegistryAccess, RoleAssigner, RoleAssignment, RoleAssignmentMode, RoleDefinition};
use crate::{
    call::Call,
    error::{ErrorKind, Result},
    id::ResourceId,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many definitions are read at the same time.
const AT_A_TIME: usize = 8;
/// The maximum number of scopes at which a definition is read, if the caller lacks the permission at the first.
const MOST_SCOPES: usize = 3;

/// The permissions of the roles of some assignments that the caller can read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Roles(#[serde(with = "crate::stored_map")] BTreeMap<Uuid, RoleDefinition>);

/// Whether a role allows what is wanted: pulling, where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allows,
    /// The role's definition or the registry's mode is unknown.
    Perhaps,
    None,
}

/// What a role has to allow, to be of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of these.
    All(&'static [RegistryAccess]),
    /// At least one of these.
    Any(&'static [RegistryAccess]),
}

impl Wanted {
    pub const PULL: Self = Self::All(&[RegistryAccess::Pull]);
    /// To read or change what is in the registry.
    pub const CONTENT: Self = Self::Any(&[RegistryAccess::Pull, RegistryAccess::Push, RegistryAccess::Delete]);
}

impl Roles {
    /// Reads the definitions of the roles that are not built in.
    ///
    /// A custom role exists only at its assignable scopes, so each is read at the scope of an assignment of it, and at the registry in
    /// case the caller has no permissions above it. A role that cannot be read stays unknown: a 404 does not say that it allows
    /// nothing.
    pub async fn read(
        assigner: &dyn RoleAssigner,
        registry: Option<&ResourceId>,
        assignments: impl IntoIterator<Item = &RoleAssignment>,
        call: &Call,
    ) -> Result<Self> {
        let mut unknown: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
        for one in assignments.into_iter().filter(|one| BuiltIn::of(one.role_definition_id).is_none()) {
            let scopes = unknown.entry(one.role_definition_id).or_default();
            if scopes.len() < MOST_SCOPES && !scopes.iter().any(|scope| scope.eq_ignore_ascii_case(&one.scope)) {
                scopes.push(one.scope.clone());
            }
        }
        let read = stream::iter(unknown).map(|(role, mut scopes)| async move {
            if let Some(registry) = registry.filter(|id| !scopes.iter().any(|scope| id.is(scope))) {
                scopes.push(registry.to_string());
            }
            Ok::<_, crate::Error>((role, read_at_any(assigner, role, &scopes, call).await?))
        });
        let read: Vec<(Uuid, Option<RoleDefinition>)> = read.buffer_unordered(AT_A_TIME).try_collect().await?;
        Ok(Self(read.into_iter().filter_map(|(role, definition)| Some((role, definition?))).collect()))
    }

    /// The role's name, if known.
    pub fn name(&self, role: Uuid) -> Option<String> {
        let built_in = BuiltIn::of(role).map(|known| known.name.to_owned());
        built_in.or_else(|| Some(self.0.get(&role)?.name.clone()))
    }

    /// Whether it is a custom role. `false` if its definition could not be read.
    pub fn is_custom(&self, role: Uuid) -> bool {
        self.0.get(&role).is_some_and(|definition| definition.is_custom)
    }

    /// Whether the role allows this in a registry of this mode. `None`: its definition could not be read.
    pub fn allows(&self, role: Uuid, access: RegistryAccess, mode: RoleAssignmentMode) -> Option<bool> {
        match (BuiltIn::of(role), self.0.get(&role)) {
            (Some(known), _) => Some(known.allows(access, mode)),
            (None, Some(definition)) => Some(definition.allows(access, mode)),
            (None, None) => None,
        }
    }

    /// Whether the role allows pulling from a registry of this mode; `None` if the mode is unknown.
    pub fn effect(&self, role: Uuid, mode: Option<RoleAssignmentMode>) -> Effect {
        self.effect_of(role, mode, Wanted::PULL)
    }

    /// Whether the role allows what is wanted in a registry of this mode; `None` if the mode is unknown.
    pub fn effect_of(&self, role: Uuid, mode: Option<RoleAssignmentMode>, wanted: Wanted) -> Effect {
        let gives = |mode| self.gives(role, mode, wanted);
        let is = |gives: Option<bool>| match gives {
            Some(true) => Effect::Allows,
            Some(false) => Effect::None,
            None => Effect::Perhaps,
        };
        match mode {
            Some(mode) => is(gives(mode)),
            None if RoleAssignmentMode::ALL.iter().all(|mode| gives(*mode) == Some(false)) => Effect::None,
            None => Effect::Perhaps,
        }
    }

    /// `None`: its definition could not be read.
    fn gives(&self, role: Uuid, mode: RoleAssignmentMode, wanted: Wanted) -> Option<bool> {
        let allows = |access: &RegistryAccess| self.allows(role, *access, mode);
        match wanted {
            Wanted::All(all) => all.iter().map(allows).try_fold(true, |all, one| Some(all && one?)),
            Wanted::Any(any) => any.iter().map(allows).try_fold(false, |any, one| Some(any || one?)),
        }
    }
}

/// `None`: the caller cannot read it at any of these scopes.
async fn read_at_any(
    assigner: &dyn RoleAssigner,
    role: Uuid,
    scopes: &[String],
    call: &Call,
) -> Result<Option<RoleDefinition>> {
    for scope in scopes {
        match assigner.definition(scope, role, call).await {
            Ok(definition) => return Ok(Some(definition)),
            Err(err) if is_unreadable(err.kind()) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(None)
}

fn is_unreadable(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::InvalidInput | ErrorKind::Unexpected)
}

/// Whether the scope of an assignment that was listed for a resource is above it: a complete prefix of its path, or a scope outside of
/// any subscription, such as the root and management groups, of which only those above are listed.
pub(crate) fn is_above(scope: &str, below: &str) -> bool {
    let scope = scope.trim_end_matches('/').to_lowercase();
    let is_in_subscription = scope.starts_with("/subscriptions/");
    !is_in_subscription || below.to_lowercase().strip_prefix(&scope).is_some_and(|rest| rest.starts_with('/'))
}
