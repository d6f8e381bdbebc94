//! Changes of resources, property by property, from Azure Resource Graph.
//!
//! Azure keeps them for 14 days, and shows a change within five minutes. See [Get resource
//! changes](https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes).

use super::{
    activity::Change,
    changed_property::{ChangedProperty, is_kept},
    resource_graph::{Rows, query, quoted},
};
use crate::{
    action::READ_CLUSTER,
    call::Call,
    error::{Error, ErrorKind, Result},
    http::Arm,
    id::ResourceId,
    stored_time,
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// As many as one response can have. See [large data
/// sets](https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data).
const MOST_ROWS: usize = 1000;
/// The correlation ID of a change that belongs to no request.
const NO_REQUEST: &str = "00000000-0000-0000-0000-000000000000";
/// The operation of a change that belongs to no request.
const NO_OPERATION: &str = "Unspecified";
/// The changes that Azure Resource Graph has recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedChanges {
    /// The changes, the newest first.
    pub changes: Vec<Change>,
    /// Whether there are older changes, which were not read.
    pub has_more: bool,
}

impl RecordedChanges {
    /// Changes, the newest first.
    #[must_use]
    pub fn new(changes: Vec<Change>, has_more: bool) -> Self {
        Self { changes, has_more }
    }
}

#[derive(Deserialize)]
struct WireRow {
    properties: WireChange,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireChange {
    target_resource_id: String,
    change_type: String,
    change_attributes: WireAttributes,
    /// Only an update has properties.
    changes: Option<BTreeMap<String, WireProperty>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAttributes {
    timestamp: String,
    correlation_id: Option<String>,
    changed_by: Option<String>,
    operation: Option<String>,
    is_truncated: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperty {
    previous_value: Option<Value>,
    new_value: Option<Value>,
}

/// The changes of resources since a time, in one request. The fields are those of
/// [Changes](https://learn.microsoft.com/rest/api/resources/changes).
pub(super) async fn read(
    arm: &Arm,
    resources: &[ResourceId],
    since: SystemTime,
    call: &Call,
) -> Result<RecordedChanges> {
    let Some(first) = resources.first() else { return Ok(RecordedChanges::new(Vec::new(), false)) };
    let request = query(&text(resources, since), MOST_ROWS)
        .step("reading the changes that Azure Resource Graph has recorded")
        .needs(READ_CLUSTER, first.to_string());
    let rows: Rows<WireRow> = arm.send(request, call).await?.read("a result of Resource Graph")?;
    let has_more = rows.is_part();
    let changes = rows.data.into_iter().map(|row| row.properties.into_change()).collect::<Result<_>>()?;
    Ok(RecordedChanges { changes, has_more })
}

fn text(resources: &[ResourceId], since: SystemTime) -> String {
    let ids: Vec<String> = resources.iter().map(|id| quoted(id.as_str())).collect();
    // Kusto's times have 7 digits after the second, and a text that is no time is null, which nothing is later than: see
    // https://learn.microsoft.com/kusto/query/scalar-data-types/datetime.
    let nanos = since.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let since = since - Duration::from_nanos(nanos.into());
    format!(
        "resourcechanges | extend changeTime = todatetime(properties.changeAttributes.timestamp) \
         | where tostring(properties.targetResourceId) in~ ({}) and changeTime >= todatetime({}) \
         | order by changeTime desc | project id, properties",
        ids.join(", "),
        quoted(&stored_time::text(since)),
    )
}

impl WireChange {
    fn into_change(self) -> Result<Change> {
        let attributes = self.change_attributes;
        let time = stored_time::parse(&attributes.timestamp).ok_or_else(|| {
            Error::new(ErrorKind::Unexpected, "Resource Graph returned a change at an invalid time")
                .with_context("timestamp", &attributes.timestamp)
        })?;
        let operation = attributes.operation.filter(|one| !one.is_empty() && !one.eq_ignore_ascii_case(NO_OPERATION));
        let properties = self.changes.into_iter().flatten().map(|(path, change)| {
            let property = path.strip_prefix("properties.").unwrap_or(&path).to_owned();
            let is_kept = is_kept(&property);
            let shown = |value: Option<Value>| value.filter(|_| is_kept).and_then(shown);
            ChangedProperty { before: shown(change.previous_value), after: shown(change.new_value), property }
        });
        Ok(Change {
            time,
            action: operation.unwrap_or(self.change_type),
            resource: self.target_resource_id,
            caller: attributes.changed_by.filter(|by| !by.is_empty()),
            correlation_id: attributes.correlation_id.filter(|id| !id.is_empty() && id != NO_REQUEST),
            properties: sorted(properties.collect()),
            is_truncated: attributes.is_truncated.is_some_and(|flag| flag == true || flag == "true"),
        })
    }
}

fn sorted(mut properties: Vec<ChangedProperty>) -> Vec<ChangedProperty> {
    properties.sort_by(|one, other| one.property.cmp(&other.property));
    properties
}

/// A value as a text. Azure shows that there is none as nothing, an empty text or the text `null`.
fn shown(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text).filter(|text| !text.is_empty() && text != "null"),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(attributes: &Value, changes: &Value) -> Result<Change> {
        let all = json!({"targetResourceId": "/r", "changeType": "Update", "changeAttributes": attributes, "changes": changes});
        serde_json::from_value::<WireChange>(all).unwrap().into_change()
    }

    #[test]
    fn values_are_kept_only_of_properties_that_pulls_depend_on() {
        let found = change(
            &json!({"timestamp": "2026-11-30T10:00:00.347+00:00", "isTruncated": "true"}),
            &json!({
                "properties.networkRuleSet.defaultAction": {"previousValue": "Allow", "newValue": "Deny"},
                "properties.networkRuleSet.ipRules[0].value": {"previousValue": null, "newValue": "203.0.113.7"},
                "properties.adminUserEnabled": {"previousValue": "null", "newValue": true},
                "properties.httpProxyConfig.httpProxy": {"newValue": "http://user:secret@proxy"},
                "tags.team": {"previousValue": "secret", "newValue": "secret"},
            }),
        )
        .unwrap();
        let shown: Vec<_> = found
            .properties
            .iter()
            .map(|one| (one.property.as_str(), one.before.as_deref(), one.after.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("adminUserEnabled", None, Some("true")),
                ("httpProxyConfig.httpProxy", None, None),
                ("networkRuleSet.defaultAction", Some("Allow"), Some("Deny")),
                ("networkRuleSet.ipRules[0].value", None, Some("203.0.113.7")),
                ("tags.team", None, None),
            ]
        );
        assert!(found.is_truncated && !format!("{found:?}").contains("secret"), "{found:?}");
    }

    #[test]
    fn a_change_without_a_request_has_its_type_as_action() {
        let system = json!({"timestamp": "2026-11-30T10:00:00Z", "correlationId": NO_REQUEST, "operation": NO_OPERATION, "changedBy": ""});
        let found = change(&system, &Value::Null).unwrap();
        assert_eq!((found.action.as_str(), found.caller, found.correlation_id), ("Update", None, None));
        assert!(change(&json!({"timestamp": "yesterday"}), &Value::Null).is_err());
    }

    #[test]
    fn one_query_is_about_all_resources() {
        let id = |name: &str| {
            let group = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/group";
            format!("{group}/providers/Microsoft.ContainerRegistry/registries/{name}").parse().unwrap()
        };
        let text = text(&[id("one"), id("two")], SystemTime::UNIX_EPOCH + Duration::from_millis(1500));
        assert!(text.contains("/registries/one', '") && text.contains("/registries/two')"));
        assert!(text.contains("changeTime >= todatetime('1970-01-01T00:00:01Z')"), "{text}");
    }
}
