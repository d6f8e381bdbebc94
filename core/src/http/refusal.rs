//! The kind of a refusal, from its code, except for one pair with the same code.

use super::{Answer, ArmRequest};
use crate::{
    challenge,
    error::ServiceError,
    refusal::{DenyingPolicy, Refusal, RefusalKind},
};
use serde_json::Value;

/// Azure has one code for "no role contains the action" and for "a role contains it, under a condition that is not met"; only the
/// messages differ. They are known from public threads: any other message counts as a missing permission.
const UNMET_CONDITION: &str = "ABAC condition that is not fulfilled";

/// Entra ID's codes for what conditional access refuses, or requires of a person: a device, an app, a location, a second factor. See
/// [error codes](https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
const CONDITIONAL_ACCESS: [&str; 12] =
    ["50005", "50076", "50079", "50158", "53000", "53001", "53002", "53003", "53004", "530031", "530032", "530033"];

/// `None`: not a refusal, or an unknown one.
pub(super) fn refusal(request: &ArmRequest, answer: &Answer, service: &ServiceError) -> Option<Refusal> {
    let kind = kind_of(answer, service)?;
    let (action, scope) = (request.action, request.scope.clone());
    Some(match kind {
        RefusalKind::MissingRight if action.is_empty() => return None,
        RefusalKind::MissingRight => match linked(service) {
            Some((action, scope)) => Refusal::missing_right(action, scope),
            None => Refusal::missing_right(action, scope),
        },
        RefusalKind::Policy => Refusal { policies: policies(&answer.body), ..Refusal::of(kind, action, scope) },
        _ => Refusal::of(kind, action, scope),
    })
}

/// What is missing at a resource that the request's body refers to, such as a subnet or an identity: the caller may send the request, and
/// may not use what it names. Only the message says which: see
/// [azure-cli#27201](https://github.com/Azure/azure-cli/issues/27201) and
/// [aad-pod-identity#511](https://github.com/Azure/aad-pod-identity/issues/511).
fn linked(service: &ServiceError) -> Option<(String, String)> {
    let message =
        service.message.as_deref().filter(|_| service.code.as_deref() == Some("LinkedAuthorizationFailed"))?;
    let (_, rest) = message.split_once("not have permission to perform action")?;
    let (_, scopes) = rest.split_once("linked scope(s)")?;
    let quoted = |text: &str| text.split('\'').nth(1).map(str::to_owned).filter(|one| !one.is_empty());
    Some((quoted(rest)?, quoted(scopes)?))
}

/// Azure Monitor has a code of its own for a query of logs: see
/// [errors](https://learn.microsoft.com/azure/azure-monitor/logs/api/errors#insufficient-permissions).
fn kind_of(answer: &Answer, service: &ServiceError) -> Option<RefusalKind> {
    let unmet = || service.message.as_deref().is_some_and(|text| text.contains(UNMET_CONDITION));
    match service.code.as_deref().unwrap_or_default() {
        "AuthorizationFailed" | "LinkedAuthorizationFailed" if answer.status == 403 => {
            Some(if unmet() { RefusalKind::ConstrainedDelegation } else { RefusalKind::MissingRight })
        }
        "InsufficientAccessError" if answer.status == 403 => Some(RefusalKind::MissingRight),
        "RequestDisallowedByPolicy" => Some(RefusalKind::Policy),
        "ScopeLocked" => Some(RefusalKind::Lock),
        "DenyAssignmentAuthorizationFailed" => Some(RefusalKind::DenyAssignment),
        _ if answer.status == 401 && wants_claims(answer) => Some(RefusalKind::ConditionalAccess),
        _ => None,
    }
}

/// A challenge for more claims than the token has: its OAuth error code decides, not its description.
fn wants_claims(answer: &Answer) -> bool {
    answer
        .header("www-authenticate")
        .is_some_and(|header| challenge::with_error(header, "insufficient_claims").is_some())
}

/// Whether Entra ID's codes in a credential's error, joined by commas, include one of conditional access.
pub(super) fn is_conditional_access(codes: &str) -> bool {
    codes.split(',').any(|code| CONDITIONAL_ACCESS.contains(&code.trim()))
}

/// The violated policies, if the body lists them separately from its message. An invalid entry does not affect the others.
fn policies(body: &[u8]) -> Vec<DenyingPolicy> {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let listed = body["error"]["additionalInfo"].as_array().map(Vec::as_slice).unwrap_or_default();
    let violations = listed.iter().filter(|one| one["type"] == "PolicyViolation").map(|one| &one["info"]);
    let text = |info: &Value, name: &str| info[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let named = violations.map(|info| DenyingPolicy {
        name: text(info, "policyAssignmentDisplayName")
            .or_else(|| text(info, "policyAssignmentName"))
            .unwrap_or_default(),
        assignment_id: text(info, "policyAssignmentId"),
        definition_id: text(info, "policyDefinitionId"),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;

    fn seen(status: u16, code: &str, message: &str) -> Option<RefusalKind> {
        let service = ServiceError {
            status,
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            ..ServiceError::default()
        };
        let answer = Answer { status, headers: Headers::new(), body: Vec::new().into(), is_repeated: false };
        kind_of(&answer, &service)
    }

    #[test]
    fn a_refusal_is_identified_by_its_code() {
        assert_eq!(seen(403, "AuthorizationFailed", "?"), Some(RefusalKind::MissingRight));
        assert_eq!(seen(409, "ScopeLocked", "policy"), Some(RefusalKind::Lock));
        assert_eq!(seen(403, "RequestDisallowedByPolicy", "locked"), Some(RefusalKind::Policy));
        assert_eq!(seen(403, "DenyAssignmentAuthorizationFailed", ""), Some(RefusalKind::DenyAssignment));
        assert_eq!(seen(409, "RoleAssignmentExists", "ScopeLocked"), None);
    }

    #[test]
    fn a_linked_resource_names_its_own_action_and_scope() {
        let of = |code: &str, message: &str| {
            linked(&ServiceError {
                code: Some(code.to_owned()),
                message: Some(message.to_owned()),
                ..ServiceError::default()
            })
        };
        for action in ["action", "action(s)"] {
            let message = format!(
                "The client 'c' with object id 'o' has permission to perform action 'a/write' on scope '/s'; however, it does not have \
                 permission to perform {action} 'b/join/action' on the linked scope(s) '/t' (respectively) or the linked scope(s) are invalid."
            );
            let expected = Some(("b/join/action".to_owned(), "/t".to_owned()));
            assert_eq!(of("LinkedAuthorizationFailed", &message), expected);
            assert_eq!(of("AuthorizationFailed", &message), None);
        }
        let tenants = "The client has permission to perform action 'a' on scope '/s', however the current tenant 't' is not authorized";
        assert_eq!(of("LinkedAuthorizationFailed", tenants), None);
    }

    #[test]
    fn an_unmet_condition_is_identified_by_its_text() {
        let text = "The client 'x' has an authorization with ABAC condition that is not fulfilled to perform action";
        assert_eq!(seen(403, "AuthorizationFailed", text), Some(RefusalKind::ConstrainedDelegation));
    }

    #[test]
    fn a_body_of_any_other_shape_names_no_policy() {
        for body in ["", "[]", r#"{"error":"x"}"#, r#"{"error":{"additionalInfo":[{"type":"Other","info":{}}]}}"#] {
            assert_eq!(policies(body.as_bytes()), []);
        }
    }

    #[test]
    fn an_invalid_policy_does_not_hide_the_others() {
        let body = r#"{"error":{"additionalInfo":[7,{"type":"PolicyViolation","info":{"policyAssignmentName":5}},
            {"type":"PolicyViolation","info":{"policyAssignmentDisplayName":"","policyAssignmentName":"deny","policyAssignmentId":[]}}]}}"#;
        let names: Vec<String> = policies(body.as_bytes()).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["", "deny"]);
    }

    #[test]
    fn entras_codes_are_compared_whole() {
        assert!(is_conditional_access("7000215,53003"));
        assert!(!is_conditional_access("7000215"));
        assert!(!is_conditional_access("5300"));
    }
}
