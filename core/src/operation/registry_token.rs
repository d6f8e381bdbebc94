//! A registry's token for other programs.

use super::{
    Parts,
    right::{RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{PULL, READ_CONTENT, READ_REGISTRY},
    call::Call,
    error::Result,
    registry::{RegistryRef, RegistryToken},
    role::RoleAssignmentMode,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    needed(
        READ_REGISTRY,
        RightScope::Registry,
        "to read its login server; not needed if the registry is given by its login server",
    ),
    RequiredRight {
        smallest_role: Some("AcrPull"),
        ..needed(
            PULL,
            RightScope::Registry,
            "to sign in to a registry with registry-wide permissions: any permission on its images will do",
        )
    },
    RequiredRight {
        is_data_action: true,
        smallest_role: Some("Container Registry Repository Reader"),
        ..useful(
            READ_CONTENT,
            RightScope::Registry,
            "to pull with the token from a registry with repository permissions, which issues one to every caller of its tenant",
        )
    },
];

pub(crate) async fn registry_token(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<RegistryToken> {
    registry.check_cloud(parts.cloud())?;
    if let Some(host) = registry.login_server() {
        return parts.registry_importer().token(host, call).await;
    }
    let found = parts.find_registry(registry, call).await?;
    let token = parts.registry_importer().token(&found.login_server, call).await;
    token.map_err(|err| {
        if err.status() == Some(401) && found.mode == RoleAssignmentMode::LegacyRegistryPermissions {
            return err.with_missing_action(PULL, found.id.as_str());
        }
        err
    })
}

impl Outcome for RegistryToken {}
