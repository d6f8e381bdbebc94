//! A registry as Azure Resource Manager writes it.

use super::{Registry, RoleAssignmentMode};
use crate::{
    error::{Error, ErrorKind, Result},
    image::ImageReference,
};
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
        // Tokens are shown there, and images are named after it.
        if !ImageReference::is_registry(&login_server) {
            return Err(Error::new(ErrorKind::Unexpected, "the registry's login server is not the name of a host")
                .with_context("registry", &self.name)
                .with_context("loginServer", login_server));
        }
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
    let found = RoleAssignmentMode::ALL.iter().copied().find(|mode| mode.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the registry has a role assignment mode that this version does not know")
            .with_context("roleAssignmentMode", word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn registry(login_server: &str) -> Result<Registry> {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/\
                  Microsoft.ContainerRegistry/registries/myreg";
        let body = json!({"id": id, "name": "myreg", "location": "westeurope", "sku": {"name": "Basic"},
                          "properties": {"loginServer": login_server}});
        serde_json::from_value::<WireRegistry>(body).unwrap().into_registry()
    }

    #[test]
    fn a_login_server_that_is_no_host_is_refused_and_told() {
        assert_eq!(registry("MyReg-h4sh.azurecr.io").unwrap().login_server, "myreg-h4sh.azurecr.io");
        for wrong in ["", "myreg", "my~reg.azurecr.io", "a@b.azurecr.io", "myreg.azurecr.io/x", "myreg.azurecr.io:"] {
            let err = registry(wrong).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Unexpected, "{wrong}");
            assert!(err.to_string().contains("login server"), "{err}");
        }
    }
}
