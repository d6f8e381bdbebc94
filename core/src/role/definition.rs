//! Roles: those that give pull, what a role allows, and the smallest that has an action.

use crate::words::words;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The role that gives pull. Which one depends on the registry's mode: each is without effect in the other mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PullRole {
    /// `AcrPull`, for registries with permissions on the whole registry.
    AcrPull,
    /// `Container Registry Repository Reader`, for registries with permissions on repositories.
    #[serde(rename = "Container Registry Repository Reader")]
    RepositoryReader,
}

words!(PullRole, "role": AcrPull => "AcrPull", RepositoryReader => "Container Registry Repository Reader");

impl PullRole {
    /// The role definition's id, the same in every subscription and cloud.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::AcrPull => Uuid::from_u128(0x7f95_1dda_4ed3_4680_a7ca_43fe_172d_538d),
            Self::RepositoryReader => Uuid::from_u128(0xb93a_a761_3e63_49ed_ac28_beff_a264_f7ac),
        }
    }
}

/// What a role allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoleDefinition {
    /// The role's name in Azure.
    pub name: String,
    /// Allowed actions, with `*` for anything.
    pub actions: Vec<String>,
    /// What is taken away from `actions`.
    pub not_actions: Vec<String>,
    /// Allowed actions on data.
    pub data_actions: Vec<String>,
    /// What is taken away from `data_actions`.
    pub not_data_actions: Vec<String>,
}

/// The smallest built-in role that has an action, for those that this library asks for.
/// See [built-in roles](https://learn.microsoft.com/azure/role-based-access-control/built-in-roles).
pub(crate) fn smallest_role(action: &str) -> Option<&'static str> {
    let role = match action {
        "Microsoft.Authorization/roleAssignments/write" | "Microsoft.Authorization/roleAssignments/delete" => {
            "Role Based Access Control Administrator"
        }
        "Microsoft.ContainerRegistry/registries/importImage/action" => {
            "Container Registry Data Importer and Data Reader"
        }
        "Microsoft.ContainerService/managedClusters/write" => "Azure Kubernetes Service Contributor Role",
        "Microsoft.ContainerRegistry/registries/write"
        | "Microsoft.ContainerRegistry/register/action"
        | "Microsoft.ContainerService/register/action" => "Contributor",
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action" => {
            "Azure Kubernetes Service Cluster User Role"
        }
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action" => {
            "Azure Kubernetes Service Cluster Admin Role"
        }
        read if read.ends_with("/read") => "Reader",
        _ => return None,
    };
    Some(role)
}
