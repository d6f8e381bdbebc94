//! The activity log of a subscription: an event for each write that Resource Manager has answered.
//!
//! See [Activity logs, list](https://learn.microsoft.com/rest/api/monitor/activity-logs/list) and
//! [the events' fields](https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema). Azure writes several events about
//! one operation, from its start to its end, and takes minutes to show them; here each write has one, at once.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Call, page};
use crate::log::only_asks;
use crate::reply::{Reply, gateway_error};
use crate::world::World;

/// The oldest are forgotten beyond this number.
const MOST_EVENTS: usize = 10_000;

/// A write and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    at: Instant,
    resource: String,
    operation: String,
    caller: String,
    client: String,
    correlation: String,
    status: StatusCode,
}

/// Notes a write that has been answered. Returns its correlation ID and its operation.
pub(super) fn note(world: &mut World, call: &Call<'_>, answer: &Reply) -> Option<(String, String)> {
    let is_write = match *call.method() {
        Method::PUT | Method::PATCH | Method::DELETE => true,
        Method::POST => !only_asks(&call.path),
        _ => false,
    };
    let (resource, operation) = subject(call.method(), &call.path).filter(|_| is_write)?;
    let sent = call.request.headers().get("x-ms-correlation-request-id").and_then(|value| value.to_str().ok());
    let event = Event {
        at: call.now,
        resource,
        operation,
        caller: call.caller.object_id.clone(),
        client: call.caller.client_id.clone(),
        correlation: sent.map_or_else(|| world.ids.id().to_string(), str::to_owned),
        status: answer.status(),
    };
    if world.activity.len() >= MOST_EVENTS {
        world.activity.remove(0);
    }
    let noted = (event.correlation.clone(), event.operation.clone());
    world.activity.push(event);
    Some(noted)
}

/// The resource that a path writes, and the name of the operation.
fn subject(method: &Method, path: &str) -> Option<(String, String)> {
    let (path, verb) = match *method {
        Method::DELETE => (path, "delete"),
        Method::POST => path.rsplit_once('/')?,
        _ => (path, "write"),
    };
    let at = path.to_ascii_lowercase().rfind("/providers/");
    let kind = match at {
        None => String::from("Microsoft.Resources/subscriptions/resourcegroups"),
        Some(at) => {
            let mut segments = path[at + "/providers/".len()..].split('/');
            let provider = segments.next()?.to_owned();
            // Types and names take turns.
            std::iter::once(provider.as_str()).chain(segments.step_by(2)).collect::<Vec<_>>().join("/")
        }
    };
    let suffix = if *method == Method::POST { format!("{verb}/action") } else { verb.to_owned() };
    Some((path.to_owned(), format!("{kind}/{suffix}")))
}

pub(super) fn route(world: &World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let ["subscriptions", _, "providers", "microsoft.insights", "eventtypes", "management", "values"] = lower else {
        return None;
    };
    (call.method() == Method::GET).then(|| list(world, call, segments[1]).unwrap_or_else(|refusal| refusal))
}

fn list(world: &World, call: &Call<'_>, subscription: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Insights/eventtypes/values/Read", &format!("/subscriptions/{subscription}"))?;
    let filter = Filter::parse(call.parameter("$filter").unwrap_or_default())?;
    let bodies = world.activity.iter().rev().map(|event| body(world, event));
    let prefix = format!("/subscriptions/{subscription}/").to_ascii_lowercase();
    let is_here = |body: &Value| {
        body["resourceId"].as_str().is_some_and(|id| id.to_ascii_lowercase().starts_with(&prefix)) && filter.takes(body)
    };
    Ok(page(world, call, &bodies.filter(is_here).collect::<Vec<_>>()))
}

fn body(world: &World, event: &Event) -> Value {
    let time = world.clock.rfc3339(event.at);
    let named = |value: &str| json!({"value": value, "localizedValue": value});
    let parts: Vec<&str> = event.resource.split('/').collect();
    let succeeded = event.status.is_success();
    json!({
        "authorization": {"action": event.operation, "scope": event.resource},
        "caller": event.caller,
        "claims": {"appid": event.client},
        "channels": "Operation",
        "correlationId": event.correlation,
        "operationId": event.correlation,
        "eventTimestamp": time,
        "submissionTimestamp": time,
        "eventDataId": crate::principal::stable_id(&format!("{}{time}{}", event.resource, event.correlation)),
        "id": format!("{}/events/{}", event.resource, event.correlation),
        "category": named("Administrative"),
        "eventName": named("EndRequest"),
        "level": if succeeded { "Informational" } else { "Error" },
        "operationName": named(&event.operation),
        "resourceId": event.resource,
        "resourceGroupName": parts.get(4).copied().unwrap_or_default(),
        "resourceProviderName": named(event.operation.split('/').next().unwrap_or_default()),
        "subscriptionId": parts.get(2).copied().unwrap_or_default(),
        "status": named(if succeeded { "Succeeded" } else { "Failed" }),
        "subStatus": {"value": event.status.canonical_reason().unwrap_or_default().replace(' ', ""),
            "localizedValue": format!("{} (HTTP Status Code: {})", event.status.canonical_reason().unwrap_or_default(), event.status.as_u16())},
    })
}

/// What of the filter decides here: the time, the resource, its group or provider, the caller and the correlation.
#[derive(Debug, Default)]
struct Filter {
    parts: Vec<(String, String, String)>,
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Reply> {
        let mut parts = Vec::new();
        for part in text.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
            let mut words = part.splitn(3, ' ');
            let (Some(field), Some(verb), Some(value)) = (words.next(), words.next(), words.next()) else {
                return Err(bad(part));
            };
            let value = value.trim().trim_matches('\'').to_owned();
            parts.push((field.to_ascii_lowercase(), verb.to_ascii_lowercase(), value));
        }
        // Azure demands a start.
        if !parts.iter().any(|(field, verb, _)| field == "eventtimestamp" && verb == "ge") {
            return Err(bad(text));
        }
        Ok(Self { parts })
    }

    fn takes(&self, body: &Value) -> bool {
        self.parts.iter().all(|(field, verb, value)| {
            let shown = match field.as_str() {
                "eventtimestamp" => "eventTimestamp",
                "resourceuri" | "resourceid" => "resourceId",
                "resourcegroupname" => "resourceGroupName",
                "caller" => "caller",
                "correlationid" => "correlationId",
                "resourceprovider" => "resourceProviderName",
                "status" => "status",
                // Channels and levels are those of every event here.
                _ => return true,
            };
            let found = body[shown].as_str().or(body[shown]["value"].as_str()).unwrap_or_default();
            match verb.as_str() {
                // Times of one form are in the order of their texts, to the second.
                "ge" => found.get(..19) >= value.get(..19),
                "le" => found.get(..19) <= value.get(..19),
                _ => found.eq_ignore_ascii_case(value),
            }
        })
    }
}

fn bad(part: &str) -> Reply {
    let message = format!("The filter is invalid, or has no start time: '{part}'.");
    gateway_error(StatusCode::BAD_REQUEST, "BadRequest", &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_the_name_of_its_action() {
        let of = |method: Method, path: &str| subject(&method, path).unwrap().1;
        let registry = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r";
        assert_eq!(of(Method::PUT, registry), "Microsoft.ContainerRegistry/registries/write");
        let import = format!("{registry}/importImage");
        assert_eq!(of(Method::POST, &import), "Microsoft.ContainerRegistry/registries/importImage/action");
        let grant = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/n");
        assert_eq!(of(Method::DELETE, &grant), "Microsoft.Authorization/roleAssignments/delete");
        let group = "Microsoft.Resources/subscriptions/resourcegroups/write";
        assert_eq!(of(Method::PUT, "/subscriptions/s/resourcegroups/g"), group);
    }

    #[test]
    fn a_filter_needs_a_start() {
        assert!(Filter::parse("resourceUri eq '/subscriptions/s'").is_err());
        let filter = Filter::parse("eventTimestamp ge 2026-11-29T00:00:00Z and resourceUri eq '/A/b'").unwrap();
        let event = |time: &str| json!({"eventTimestamp": time, "resourceId": "/a/B"});
        assert!(filter.takes(&event("2026-11-29T00:00:00.5Z")) && !filter.takes(&event("2026-11-28T23:59:59Z")));
    }
}
