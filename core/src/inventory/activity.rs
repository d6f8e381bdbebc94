//! The activity log of a resource group: who has changed what. Azure keeps it for 90 days, and takes minutes to show an event.

use super::changed_property::ChangedProperty;
use crate::{
    action::READ_ACTIVITY,
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    id::SubscriptionId,
    stored_time,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, time::SystemTime};

const API: &str = "2015-04-01";
const SUCCEEDED: &str = "Succeeded";

/// A change of a resource that has succeeded, as Azure's activity log and Azure Resource Graph have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// When Azure recorded it.
    #[serde(with = "crate::stored_time")]
    pub time: SystemTime,
    /// The action, such as `Microsoft.Authorization/roleAssignments/delete`. For a change that Azure Resource Graph has without an action:
    /// `Create`, `Update` or `Delete`.
    pub action: String,
    /// Resource ID of what was changed.
    pub resource: String,
    /// Who has changed it: a user's sign-in name, or the object ID of another principal.
    pub caller: Option<String>,
    /// The correlation ID of the operation.
    pub correlation_id: Option<String>,
    /// The properties of the resource that were changed, in the order of their names. Empty if Azure Resource Graph has none for this change.
    #[serde(default)]
    pub properties: Vec<ChangedProperty>,
    /// Whether Azure has left out properties, because there are too many.
    #[serde(default)]
    pub is_truncated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent {
    event_timestamp: String,
    operation_name: WireName,
    resource_id: Option<String>,
    caller: Option<String>,
    correlation_id: Option<String>,
    status: Option<WireName>,
}

#[derive(Deserialize)]
struct WireName {
    value: String,
}

impl WireEvent {
    /// One operation has several events, from its start to its end: the last one says that it has succeeded.
    fn into_change(self) -> Option<Change> {
        let has_succeeded = self.status.is_some_and(|status| status.value.eq_ignore_ascii_case(SUCCEEDED));
        let change = Change {
            time: stored_time::parse(&self.event_timestamp)?,
            action: self.operation_name.value,
            resource: self.resource_id?,
            caller: self.caller,
            correlation_id: self.correlation_id,
            properties: Vec::new(),
            is_truncated: false,
        };
        has_succeeded.then_some(change)
    }
}

/// The changes in a resource group since a time, the newest first. See [Activity
/// logs](https://learn.microsoft.com/rest/api/monitor/activity-logs/list), whose filter takes these two parts.
pub(super) async fn changes(
    arm: &Arm,
    subscription: SubscriptionId,
    group: &str,
    since: SystemTime,
    call: &Call,
) -> Result<Vec<Change>> {
    let scope = subscription.path();
    let filter = format!(
        "eventTimestamp ge '{}' and resourceGroupName eq '{}'",
        stored_time::text(since),
        group.replace('\'', "''")
    );
    let request = ArmRequest::get(format!("{scope}/providers/Microsoft.Insights/eventtypes/management/values"), API)
        .filter(filter)
        .step("reading the activity log")
        .needs(READ_ACTIVITY, scope);
    let events = arm.list(request, "an activity log", call, |one: WireEvent| Ok(one.into_change())).await?;
    let mut seen = HashSet::new();
    let is_first = |one: &Change| {
        let key = (one.correlation_id.clone(), one.action.to_ascii_lowercase(), one.resource.to_ascii_lowercase());
        seen.insert(key)
    };
    let mut changes = events;
    changes.sort_by_key(|one| std::cmp::Reverse(one.time));
    Ok(changes.into_iter().filter(is_first).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_has_succeeded_is_a_change() {
        let event = |status: &str, time: &str| {
            let event = json!({"eventTimestamp": time, "operationName": {"value": "a/write"}, "resourceId": "/r", "status": {"value": status}});
            serde_json::from_value::<WireEvent>(event).unwrap().into_change()
        };
        assert!(event("Succeeded", "2026-11-30T10:00:00.1234567Z").is_some());
        assert!(event("Started", "2026-11-30T10:00:00Z").is_none());
        assert!(event("Succeeded", "yesterday").is_none());
    }
}
