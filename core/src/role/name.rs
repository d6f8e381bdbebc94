//! The names of role assignments.

use crate::id::PrincipalId;
use uuid::Uuid;

/// The namespace of `guid()` in templates of Azure Resource Manager.
const NAMESPACE: Uuid = Uuid::from_u128(0x11fb_06fb_712d_4ddd_98c7_e71b_bd58_8830);

/// The name of the role assignment for a scope, a principal and a role.
///
/// Bicep's `getRoleAssignmentName()` returns the same name (Azure/bicep#20293), and so does a proposed change to Terraform's
/// azurerm provider (hashicorp/terraform-provider-azurerm#32446). So a template and this library create the same assignment.
///
/// A condition is not part of it: Azure has one assignment for a scope, a principal and a role.
///
/// ```
/// use aks_acr::assignment_name;
///
/// let scope = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1";
/// let principal = "aaaaaaaa-0000-0000-0000-000000000002".parse()?;
/// let acr_pull = aks_acr::PullRole::AcrPull.id();
/// assert_eq!(assignment_name(scope, principal, acr_pull).to_string(), "53a3136e-bad7-5728-8a61-b32e091a9978");
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[must_use]
pub fn assignment_name(scope: &str, principal_id: PrincipalId, role: Uuid) -> Uuid {
    let trimmed = scope.trim_end_matches('/');
    let scope = if trimmed.is_empty() { "/" } else { trimmed };
    let text = format!("{scope}-{principal_id}-{role}").to_lowercase();
    Uuid::new_v5(&NAMESPACE, text.as_bytes())
}
