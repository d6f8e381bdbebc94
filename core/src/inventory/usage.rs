//! How many role assignments a subscription has.

use super::RoleAssignmentUsage;
use crate::{
    action::READ_GRANTS,
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    id::SubscriptionId,
};
use serde::Deserialize;

/// Microsoft documents no version of it; public programs use this one.
const API: &str = "2019-08-01-preview";

pub(super) async fn read(arm: &Arm, subscription: SubscriptionId, call: &Call) -> Result<RoleAssignmentUsage> {
    #[derive(Deserialize)]
    struct Usage {
        #[serde(rename = "roleAssignmentsLimit")]
        limit: u32,
        #[serde(rename = "roleAssignmentsCurrentCount")]
        current: u32,
        #[serde(rename = "roleAssignmentsRemainingCount")]
        remaining: u32,
    }
    let scope = subscription.path();
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics");
    let request = ArmRequest::get(path, API).step("reading the number of role assignments").needs(READ_GRANTS, scope);
    let usage: Usage = arm.send(request, call).await?.read("the usage of role assignments")?;
    Ok(RoleAssignmentUsage { limit: usage.limit, current: usage.current, remaining: usage.remaining })
}
