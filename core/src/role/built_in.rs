//! The built-in roles of which it is known without a request what they allow in a registry. Their IDs were checked against a real tenant;
//! a test compares this table with the definitions.

use super::{PullRole, RegistryAccess, RoleAssignmentMode};
use uuid::Uuid;

/// A built-in role.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    id: u128,
    pub name: &'static str,
    /// What it allows with registry-wide permissions.
    on_registries: &'static [RegistryAccess],
    /// What it allows with repository permissions.
    on_repositories: &'static [RegistryAccess],
}

const fn role(
    id: u128,
    name: &'static str,
    on_registries: &'static [RegistryAccess],
    on_repositories: &'static [RegistryAccess],
) -> BuiltIn {
    BuiltIn { id, name, on_registries, on_repositories }
}

use RegistryAccess::{Delete, ListRepositories as List, Pull, Push};

pub(crate) const ACR_PUSH: Uuid = Uuid::from_u128(0x8311_e382_0749_4cb8_b61a_304f_252e_45ec);
pub(crate) const ACR_DELETE: Uuid = Uuid::from_u128(0xc2f4_ef07_c644_48eb_af81_4b1b_4947_fb11);
pub(crate) const REPOSITORY_WRITER: Uuid = Uuid::from_u128(0x2a1e_307c_b015_4ebd_883e_5b76_98a0_7328);
pub(crate) const REPOSITORY_CONTRIBUTOR: Uuid = Uuid::from_u128(0x2efd_daa5_3f1f_4df3_97df_af3f_1381_8f4c);
pub(crate) const CATALOG_LISTER: Uuid = Uuid::from_u128(0xbfdb_9389_c9a5_478a_bb2f_ba9c_a092_c3c7);

const KNOWN: [BuiltIn; 13] = [
    role(PullRole::AcrPull.id().as_u128(), "AcrPull", &[Pull, List], &[]),
    role(ACR_PUSH.as_u128(), "AcrPush", &[Pull, Push, List], &[]),
    role(PullRole::RepositoryReader.id().as_u128(), "Container Registry Repository Reader", &[], &[Pull]),
    role(REPOSITORY_WRITER.as_u128(), "Container Registry Repository Writer", &[], &[Pull, Push]),
    role(REPOSITORY_CONTRIBUTOR.as_u128(), "Container Registry Repository Contributor", &[], &[Pull, Push, Delete]),
    role(CATALOG_LISTER.as_u128(), "Container Registry Repository Catalog Lister", &[], &[List]),
    role(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635, "Owner", RegistryAccess::ALL, &[]),
    role(0xb249_88ac_6180_42a0_ab88_20f7_382d_d24c, "Contributor", RegistryAccess::ALL, &[]),
    role(0xacdd_72a7_3385_48ef_bd42_f606_fba8_1ae7, "Reader", &[Pull, List], &[]),
    role(0x18d7_d88d_d35e_4fb5_a5c3_7773_c20a_72d9, "User Access Administrator", &[Pull, List], &[]),
    role(0xf583_10d9_a9f6_439a_9e8d_f62e_7b41_a168, "Role Based Access Control Administrator", &[Pull, List], &[]),
    role(ACR_DELETE.as_u128(), "AcrDelete", &[Delete], &[]),
    role(0xf1a0_7417_d97a_45cb_824c_7a74_6778_3830, "Managed Identity Operator", &[], &[]),
];

impl BuiltIn {
    /// The role with this ID, if it is one of them.
    pub fn of(role: Uuid) -> Option<&'static Self> {
        const { &KNOWN }.iter().find(|known| known.id == role.as_u128())
    }

    /// Whether it allows this in a registry of this mode.
    pub fn allows(&self, access: RegistryAccess, mode: RoleAssignmentMode) -> bool {
        match mode {
            RoleAssignmentMode::LegacyRegistryPermissions => self.on_registries,
            RoleAssignmentMode::AbacRepositoryPermissions => self.on_repositories,
        }
        .contains(&access)
    }

    /// Their ids.
    #[cfg(test)]
    fn all() -> impl Iterator<Item = Uuid> {
        const { &KNOWN }.iter().map(|known| Uuid::from_u128(known.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallOptions, Client};
    use std::time::Duration;

    #[tokio::test]
    async fn what_is_said_of_a_built_in_role_is_what_its_definition_says() {
        let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry");
        let builder = Client::builder(azure.credential(), azure.subscription());
        let client = builder.transport(azure.transport()).build().unwrap();
        let scope = azure.registry_id("group", "myregistry");
        let call = CallOptions::default().start(Duration::from_secs(60));
        for id in BuiltIn::all() {
            let known = BuiltIn::of(id).unwrap();
            let definition = client.role_assigner().definition(&scope, id, &call).await.unwrap();
            assert_eq!(known.name, definition.name);
            for mode in RoleAssignmentMode::ALL {
                for access in RegistryAccess::ALL {
                    let (known_to, defined_to) = (known.allows(*access, *mode), definition.allows(*access, *mode));
                    assert_eq!(known_to, defined_to, "{} {access} {mode}", known.name);
                }
            }
        }
    }
}
