//! The built-in roles of which it is known without a request whether they allow pulling. Their IDs were checked against a real tenant;
//! a test compares this table with the definitions.

use super::{PullRole, RoleAssignmentMode};
use uuid::Uuid;

/// A built-in role.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    id: u128,
    pub name: &'static str,
    /// Whether it allows pulling with registry-wide permissions.
    on_registries: bool,
    /// Whether it allows pulling with repository permissions.
    on_repositories: bool,
}

const fn role(id: u128, name: &'static str, on_registries: bool, on_repositories: bool) -> BuiltIn {
    BuiltIn { id, name, on_registries, on_repositories }
}

const KNOWN: [BuiltIn; 12] = [
    role(PullRole::AcrPull.id().as_u128(), "AcrPull", true, false),
    role(0x8311_e382_0749_4cb8_b61a_304f_252e_45ec, "AcrPush", true, false),
    role(PullRole::RepositoryReader.id().as_u128(), "Container Registry Repository Reader", false, true),
    role(0x2a1e_307c_b015_4ebd_883e_5b76_98a0_7328, "Container Registry Repository Writer", false, true),
    role(0x2efd_daa5_3f1f_4df3_97df_af3f_1381_8f4c, "Container Registry Repository Contributor", false, true),
    role(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635, "Owner", true, false),
    role(0xb249_88ac_6180_42a0_ab88_20f7_382d_d24c, "Contributor", true, false),
    role(0xacdd_72a7_3385_48ef_bd42_f606_fba8_1ae7, "Reader", true, false),
    role(0x18d7_d88d_d35e_4fb5_a5c3_7773_c20a_72d9, "User Access Administrator", true, false),
    role(0xf583_10d9_a9f6_439a_9e8d_f62e_7b41_a168, "Role Based Access Control Administrator", true, false),
    role(0xc2f4_ef07_c644_48eb_af81_4b1b_4947_fb11, "AcrDelete", false, false),
    role(0xf1a0_7417_d97a_45cb_824c_7a74_6778_3830, "Managed Identity Operator", false, false),
];

impl BuiltIn {
    /// The role with this ID, if it is one of them.
    pub fn of(role: Uuid) -> Option<&'static Self> {
        const { &KNOWN }.iter().find(|known| known.id == role.as_u128())
    }

    /// Whether it allows pulling from a registry of this mode.
    pub fn gives_pull(&self, mode: RoleAssignmentMode) -> bool {
        match mode {
            RoleAssignmentMode::LegacyRegistryPermissions => self.on_registries,
            RoleAssignmentMode::AbacRepositoryPermissions => self.on_repositories,
        }
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
                assert_eq!(known.gives_pull(*mode), definition.gives_pull(*mode), "{} {mode}", known.name);
            }
        }
    }
}
