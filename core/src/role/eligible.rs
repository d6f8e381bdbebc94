//! Roles that the caller can activate.

use crate::{
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    refusal::EligibleRole,
    stored_time,
};
use serde::Deserialize;

const API: &str = "2020-10-01";

/// The roles at a scope, above it and below it that the caller can activate. It costs no permission: with this filter, Azure lists those of the
/// caller, also through groups. See [Role eligibility schedule
/// instances](https://learn.microsoft.com/rest/api/authorization/role-eligibility-schedule-instances/list-for-scope).
pub(crate) async fn list_eligible(arm: &Arm, scope: &str, call: &Call) -> Result<Vec<EligibleRole>> {
    let path = format!("{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances");
    let request =
        ArmRequest::get(path, API).filter("asTarget()".to_owned()).step("listing the roles that can be activated");
    arm.list(request, "a list of roles that can be activated", call, |one: WireInstance| Ok(one.into_role())).await
}

#[derive(Deserialize)]
struct WireInstance {
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    scope: Option<String>,
    end_date_time: Option<String>,
    expanded_properties: Option<WireExpanded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireExpanded {
    role_definition: Option<WireRole>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRole {
    display_name: Option<String>,
}

impl WireInstance {
    /// A role without a name helps nobody.
    fn into_role(self) -> Option<EligibleRole> {
        let WireProperties { scope, end_date_time, expanded_properties } = self.properties;
        let role = expanded_properties?.role_definition?.display_name?;
        let end = end_date_time.as_deref().and_then(stored_time::parse);
        Some(EligibleRole { end, ..EligibleRole::new(role, scope?) })
    }
}
