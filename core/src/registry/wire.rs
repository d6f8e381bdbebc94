//! A registry as Azure Resource Manager writes it.

use super::{Registry, RoleAssignmentMode};
use crate::error::{Error, ErrorKind, Result};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct WireRegistry {
    id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    sku: WireSku,
    #[serde(default)]
    properties: WireProperties,
}

#[derive(Default, Deserialize)]
struct WireSku {
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireProperties {
    login_server: Option<String>,
    role_assignment_mode: Option<String>,
    provisioning_state: Option<String>,
    admin_user_enabled: Option<bool>,
    anonymous_pull_enabled: Option<bool>,
}

impl WireRegistry {
    pub fn state(&self) -> &str {
        self.properties.provisioning_state.as_deref().unwrap_or_default()
    }

    /// Whether it is made, and has the host that it will have.
    pub fn is_complete(&self) -> bool {
        self.state().eq_ignore_ascii_case("succeeded") && self.has_host()
    }

    /// Whether it has a login server; while it is made, it may have none.
    pub fn has_host(&self) -> bool {
        self.properties.login_server.is_some()
    }

    pub fn location(&self) -> &str {
        &self.location
    }

    pub fn sku(&self) -> &str {
        &self.sku.name
    }

    /// The mode in the service's word; the one that holds where it names none.
    pub fn mode_word(&self) -> &str {
        self.properties.role_assignment_mode.as_deref().unwrap_or(RoleAssignmentMode::default().as_str())
    }

    /// Whether the login server has more than the registry's name before its ending.
    pub fn has_domain_label(&self) -> bool {
        let host = self.properties.login_server.as_deref().unwrap_or_default();
        let first = host.split('.').next().unwrap_or_default();
        !first.is_empty() && !first.eq_ignore_ascii_case(&self.name)
    }

    /// Whether a user with a password, who is nobody, may do everything in it.
    pub fn has_admin_user(&self) -> bool {
        self.properties.admin_user_enabled.unwrap_or_default()
    }

    /// Whether anybody may pull from it.
    pub fn has_anonymous_pull(&self) -> bool {
        self.properties.anonymous_pull_enabled.unwrap_or_default()
    }

    pub fn has_login_server(&self, host: &str) -> bool {
        self.properties.login_server.as_deref().is_some_and(|mine| mine.eq_ignore_ascii_case(host))
    }

    pub fn into_registry(self) -> Result<Registry> {
        let no_host = || {
            Error::new(ErrorKind::Unexpected, "the registry has no login server yet")
                .with_context("registry", &self.name)
        };
        let login_server = self.properties.login_server.as_deref().map(str::to_ascii_lowercase).ok_or_else(no_host)?;
        Ok(Registry {
            id: self.id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?,
            login_server,
            location: self.location,
            sku: self.sku.name,
            mode: mode(self.properties.role_assignment_mode.as_deref())?,
            state: self.properties.provisioning_state.unwrap_or_default(),
        })
    }
}

/// A mode that is not known here is an error: a role that has no effect must not be granted for want of a better guess.
fn mode(word: Option<&str>) -> Result<RoleAssignmentMode> {
    let Some(word) = word else { return Ok(RoleAssignmentMode::default()) };
    let known = [RoleAssignmentMode::LegacyRegistryPermissions, RoleAssignmentMode::AbacRepositoryPermissions];
    let found = known.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the registry has a role assignment mode that this version does not know")
            .with_context("roleAssignmentMode", word)
    })
}
