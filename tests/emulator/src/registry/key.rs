//! A registry whose content is encrypted with a key of the customer's, and which loses it.
//!
//! Without its key, the content of a registry is inaccessible, and pulls get status 403 with one of two texts: see [Troubleshoot a
//! customer-managed key](https://learn.microsoft.com/azure/container-registry/tutorial-troubleshoot-customer-managed-keys) and
//! `articles/container-registry` in MicrosoftDocs/azure-management-docs. The code beside the text is not documented, nor is whether attributes
//! of images are served: here they are.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Registry, distribution};
use crate::emulator::Emulator;
use crate::reply::Reply;
use crate::seed::RegistrySeed;

const LOST: &str = "The identity associated with the registry is inactive. This could be due to attempted removal of the identity. \
                    Reassign the identity manually.";

impl Registry {
    /// What everyone gets who pulls or pushes, if it lost its key.
    pub(super) fn locked(&self) -> Option<Reply> {
        self.is_locked.then(|| distribution::error(StatusCode::FORBIDDEN, "DENIED", LOST, &Value::Null))
    }
}

impl RegistrySeed {
    /// Encrypts its content with a key in Azure Key Vault.
    #[must_use]
    pub fn customer_managed_key(self) -> Self {
        let key = json!({
            "keyIdentifier": "https://vault.vault.azure.net/keys/key",
            "versionedKeyIdentifier": "https://vault.vault.azure.net/keys/key/0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "identity": "7d3a1f0e-5c2b-4f6a-9d8e-1b2c3d4e5f60",
            "keyRotationEnabled": true,
        });
        self.property("encryption", json!({"status": "enabled", "keyVaultProperties": key})).sku("Premium")
    }
}

impl Emulator {
    /// Takes the key away with which a registry's content is encrypted, or gives it back. Returns whether the registry exists.
    ///
    /// ```
    /// # use aks_acr_emulator::{Emulator, RegistrySeed};
    /// let seed = RegistrySeed::new("group", "myregistry").customer_managed_key();
    /// let azure = Emulator::new().with_registry_of(seed);
    /// assert!(azure.set_key_access("group", "myregistry", false));
    /// ```
    #[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
    pub fn set_key_access(&self, group: &str, registry: &str, accessible: bool) -> bool {
        self.act(|world| {
            let Some(at) = world.registry_named(group, registry) else { return false };
            world.registries[at].is_locked = !accessible;
            true
        })
    }
}
