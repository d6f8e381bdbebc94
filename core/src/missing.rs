//! Errors about what does not exist in Azure: what is missing, where it was searched, and how to name another.

use crate::{error::Error, id::ResourceId};

/// The codes of Resource Manager for a missing resource group and a missing subscription.
const GROUP: &str = "ResourceGroupNotFound";
const SUBSCRIPTIONS: [&str; 2] = ["SubscriptionNotFound", "InvalidSubscriptionId"];

/// Says which part of an ID a 404 refers to: the resource, its resource group, or its subscription.
pub(crate) fn explain(err: Error, what: &'static str, id: &ResourceId) -> Error {
    let (group, subscription) = (id.group(), id.subscription().to_string());
    let code = err.code().unwrap_or_default().to_owned();
    let text = sentence_of_parent(&code, Some(group), Some(&subscription)).unwrap_or_else(|| format!("no such {what}"));
    let err = err.saying(text).with_context(what, id.name());
    // What the sentence names already is not said again.
    let err = if code == GROUP { err } else { err.with_context("resource group", group) };
    if SUBSCRIPTIONS.contains(&code.as_str()) { err } else { err.with_context("subscription", subscription) }
}

/// The message for a Resource Manager code that says that a group or a subscription is missing.
pub(crate) fn sentence_of_parent(code: &str, group: Option<&str>, subscription: Option<&str>) -> Option<String> {
    if code == GROUP {
        return group.map(|group| format!("resource group '{group}' does not exist"));
    }
    let subscription = subscription.filter(|_| SUBSCRIPTIONS.contains(&code))?;
    Some(format!("subscription {subscription} does not exist, or the caller cannot see it"))
}

/// The resource group and the subscription of a scope.
pub(crate) fn parents(scope: &str) -> (Option<&str>, Option<&str>) {
    let segments: Vec<&str> = scope.split('/').collect();
    let after = |word: &str| {
        let at = segments.iter().position(|segment| segment.eq_ignore_ascii_case(word))?;
        segments.get(at + 1).copied().filter(|segment| !segment.is_empty())
    };
    (after("resourceGroups"), after("subscriptions"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, ServiceError};

    fn explained(code: &str) -> String {
        let id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/team/providers/Microsoft.ContainerRegistry/\
                  registries/myreg";
        let service = ServiceError { status: 404, code: Some(code.to_owned()), ..ServiceError::default() };
        let err = Error::new(ErrorKind::NotFound, "resource not found").with_service(service);
        explain(err, "registry", &id.parse().unwrap()).to_string()
    }

    #[test]
    fn what_is_missing_is_named() {
        let subscription = "22222222-2222-2222-2222-222222222222";
        assert_eq!(
            explained("ResourceNotFound"),
            format!("no such registry (registry: myreg, resource group: team, subscription: {subscription})")
        );
        assert_eq!(
            explained("ResourceGroupNotFound"),
            format!("resource group 'team' does not exist (registry: myreg, subscription: {subscription})")
        );
        assert_eq!(
            explained("SubscriptionNotFound"),
            format!(
                "subscription {subscription} does not exist, or the caller cannot see it (registry: myreg, resource group: team)"
            )
        );
    }

    #[test]
    fn the_parents_of_a_scope_are_read() {
        assert_eq!(parents("/Subscriptions/s/resourcegroups/g/providers/x"), (Some("g"), Some("s")));
        assert_eq!(parents("/subscriptions/s"), (None, Some("s")));
        assert_eq!(parents("/"), (None, None));
    }
}
