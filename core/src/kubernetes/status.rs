//! A refusal of Kubernetes: its `Status` object, or its substitute, becomes an error of ours that says what refused and why.

use super::{
    meaning::Meaning,
    missing,
    refuser::{self, Refuser},
    schema,
};
use crate::error::{Error, ErrorKind, ServiceError};
use kube::core::{Status, response::StatusDetails};
use serde_json::Value;

/// A reason that `kube` sets if a response is not a `Status` object.
const REASON_OF_KUBE: &str = "Failed to parse error data";

/// The maximum length of a quoted refusal.
const LONGEST_QUOTE: usize = 2000;

pub(crate) fn from_status(status: Status, step: &str) -> Error {
    from_status_at(status, step, "")
}

/// The error for a request to this path, from which the namespace is read.
pub(crate) fn from_status_at(status: Status, step: &str, path: &str) -> Error {
    let refuser = refuser::find(&status);
    let Meaning { kind, sentence, is_transient } = match (&refuser, status.code) {
        (Some(refuser), _) => refuser.meaning(&status),
        (None, _) if schema::is_too_large(&status) => {
            Meaning::new(ErrorKind::InvalidInput, "the object is larger than Kubernetes accepts")
        }
        (None, 500) if status.reason.is_empty() => schema::meaning(&status.message).unwrap_or_else(unavailable),
        // Not transient: repeating the same request does not help. The list has to be read from its beginning.
        (None, 410) => Meaning {
            is_transient: Some(false),
            ..Meaning::new(ErrorKind::Unavailable, "the cluster no longer has this version of the list")
        },
        (None, 404) => Meaning::new(ErrorKind::NotFound, missing::sentence(&status, path)),
        (None, code) => of_code(code),
    };
    let is_of_client_side_apply = is_of_client_side_apply(status.details.as_ref());
    let service = ServiceError {
        status: status.code,
        code: Some(status.reason).filter(|reason| !reason.is_empty() && reason != REASON_OF_KUBE),
        message: Some(status.message).filter(|message| !message.is_empty()),
        ..ServiceError::default()
    };
    let mut err = Error::new(kind, sentence).with_context("while", step);
    // The invalid field, its manager, the missing object or the refuser are only in Kubernetes' message.
    if let Some(text) = &service.message {
        err = err.with_context("Kubernetes says", shortened(text));
    }
    if is_of_client_side_apply {
        err = err.with_context("hint", CLIENT_SIDE_APPLY);
    }
    if let Some(by) = refuser.and_then(Refuser::refusal) {
        err = err.with_refusal(by);
    }
    if let Some(is_transient) = is_transient {
        err = err.with_transient(is_transient);
    }
    err.with_service(service)
}

const CLIENT_SIDE_APPLY: &str = "`kubectl apply` without --server-side set these fields; with `force`, this call takes them over from client-side apply";

/// Whether a field belongs to client-side apply, as after following a tutorial.
fn is_of_client_side_apply(details: Option<&StatusDetails>) -> bool {
    details
        .iter()
        .flat_map(|details| &details.causes)
        .any(|cause| cause.reason == "FieldManagerConflict" && cause.message.contains("\"kubectl-client-side-apply\""))
}

/// A refusal may quote a value as long as the object; the whole text is in the service error.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn unavailable() -> Meaning {
    Meaning::new(ErrorKind::Unavailable, "the cluster's API server reports an internal error")
}

fn of_code(code: u16) -> Meaning {
    let kind = ErrorKind::of_status(code);
    let sentence = match (code, kind) {
        (500, _) => return unavailable(),
        (_, ErrorKind::InvalidInput) => "Kubernetes rejected the object as invalid",
        (_, ErrorKind::Unauthenticated) => "Kubernetes rejected the credentials",
        (_, ErrorKind::Forbidden) => "Kubernetes denied the request",
        (_, ErrorKind::Conflict) => "Kubernetes rejected the change because of a conflict with what exists",
        (_, ErrorKind::RateLimited) => "Kubernetes throttles this caller",
        (_, ErrorKind::Unavailable) => "the cluster's API server is unavailable",
        _ => "Kubernetes responded with an error",
    };
    Meaning::new(kind, sentence)
}

/// Parses what it can of a refusal: a field of another type does not affect the others.
pub(crate) fn read(code: u16, body: &[u8]) -> Status {
    let whole = || Status::failure(&String::from_utf8_lossy(body), "").with_code(code);
    if let Some(status) = serde_json::from_slice(body).ok().filter(|status: &Status| status.code != 0) {
        return status;
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else { return whole() };
    let text = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text("message").is_empty() {
        return whole();
    }
    let mut status = Status::failure(&text("message"), &text("reason")).with_code(code);
    status.details = fields.get("details").and_then(|details| serde_json::from_value(details.clone()).ok());
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_error(body: &Value) -> Error {
        let code = u16::try_from(body["code"].as_u64().unwrap()).unwrap();
        from_status(read(code, body.to_string().as_bytes()), "applying an object")
    }

    fn status(code: u16, reason: &str, message: &str) -> Value {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
    }

    /// The texts are those of Kubernetes 1.33; "kind, sentence, transient" is what a caller acts on.
    #[test]
    fn a_refusal_says_who_refused_and_why() {
        let of_pod = |why: &str| format!("pods \"x\" is forbidden: {why}");
        let cases = [
            (403, "configmaps \"q3\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=3, limited: configmaps=3".to_owned(), ErrorKind::Forbidden, "ResourceQuota", false),
            (403, of_pod("failed quota: compute: must specify limits.cpu for: c"), ErrorKind::Forbidden, "ResourceQuota", false),
            (403, of_pod("status unknown for quota: compute, resources: pods"), ErrorKind::Unavailable, "ResourceQuota", true),
            (403, of_pod("maximum cpu usage per Container is 100m, but limit is 1"), ErrorKind::Forbidden, "LimitRange", false),
            (403, of_pod("[minimum memory usage per Container is 1Gi.  No request is specified, maximum cpu usage per Pod is 2, but limit is 3]"), ErrorKind::Forbidden, "LimitRange", false),
            (403, of_pod("memory max limit to request ratio per Container is 2, but provided ratio is 4.000000"), ErrorKind::Forbidden, "LimitRange", false),
            (403, "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest' denied request: every image needs a tag".to_owned(), ErrorKind::Forbidden, "admission policy", false),
            (422, "Deployment.apps \"web\" is invalid: : ValidatingAdmissionPolicy 'no-latest' denied request: every image needs a tag".to_owned(), ErrorKind::InvalidInput, "admission policy", false),
            (403, "admission webhook \"validation.gatekeeper.sh\" denied the request: [azurepolicy-x] no".to_owned(), ErrorKind::Forbidden, "admission webhook", false),
            (400, "admission webhook \"check.example\" denied the request without explanation".to_owned(), ErrorKind::InvalidInput, "admission webhook", false),
            (403, of_pod("violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false"), ErrorKind::Forbidden, "Pod Security", false),
            (403, "deployments.apps \"web\" is forbidden: User \"reader\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"rb\"".to_owned(), ErrorKind::Forbidden, "RBAC", false),
            (403, "pods is forbidden: User \"reader\" cannot list resource \"pods\" in API group \"\" in the namespace \"rb\": User does not have access to the resource in Azure. Update role assignment to allow access.".to_owned(), ErrorKind::Forbidden, "RBAC", false),
            (403, "forbidden: User \"system:anonymous\" cannot get path \"/apis\"".to_owned(), ErrorKind::Forbidden, "RBAC", false),
            (403, "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"reader\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"]}".to_owned(), ErrorKind::Forbidden, "RBAC", false),
            (403, "configmaps \"c\" is forbidden: unable to create new content in namespace ending because it is being terminated".to_owned(), ErrorKind::Conflict, "namespace is being deleted", true),
            (409, "object is being deleted: namespaces \"ending\" already exists".to_owned(), ErrorKind::Conflict, "is being deleted", true),
            (403, of_pod("error looking up service account default/robot: serviceaccount \"robot\" not found"), ErrorKind::Forbidden, "refused", false),
            (500, "Internal error occurred: failed calling webhook \"check.example\": failed to call webhook: Post \"https://w.x.svc:443/\": dial tcp 10.0.0.9:443: connect: connection refused".to_owned(), ErrorKind::Unavailable, "webhook", true),
            (413, "Request entity too large: limit is 3145728".to_owned(), ErrorKind::InvalidInput, "larger", false),
            (503, "error trying to reach service: dial tcp 10.0.0.9:443: i/o timeout".to_owned(), ErrorKind::Unavailable, "unavailable", true),
        ];
        for (code, message, kind, who, is_transient) in cases {
            let err = read_error(&status(code, "Forbidden", &message));
            assert_eq!((err.kind(), err.is_transient()), (kind, is_transient), "{message}: {err}");
            let text = err.to_string();
            assert!(
                text.contains(who) && text.contains(&message.replace('\n', " ")) || text.contains(&message),
                "{message}: {text}"
            );
        }
    }

    /// A user's name, an object's name or a value may be any text: only Kubernetes' own words decide.
    #[test]
    fn user_supplied_text_does_not_decide_what_refused() {
        let label = "ConfigMap \"a\" is invalid: metadata.labels: Invalid value: \"exceeded quota: x violates PodSecurity\": no label";
        let err = read_error(&status(422, "Invalid", label));
        assert!(
            err.kind() == ErrorKind::InvalidInput && err.to_string().starts_with("Kubernetes rejected the object"),
            "{err}"
        );
        let user = "pods \"x\" is forbidden: User \"exceeded quota: \" cannot list resource \"pods\" in API group \"\" in the namespace \"a\"";
        assert!(read_error(&status(403, "Forbidden", user)).to_string().contains("RBAC"));
        let policy = "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: exceeded quota: User \"x\" cannot";
        assert!(read_error(&status(403, "Forbidden", policy)).to_string().contains("admission policy"));
    }

    #[test]
    fn a_conflict_with_client_side_apply_has_a_hint() {
        let conflict = |manager: &str| {
            let mut body = status(409, "Conflict", "Apply failed with 1 conflict");
            body["details"] = json!({"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas",
                "message": format!("conflict with \"{manager}\" using apps/v1")}]});
            read_error(&body)
        };
        assert!(conflict("kubectl-client-side-apply").to_string().contains("hint: `kubectl apply` without"));
        assert!(!conflict("kubectl").to_string().contains("hint"));
    }

    #[test]
    fn a_long_refusal_is_shortened_more_in_the_sentence_than_in_the_message() {
        let message = format!(
            "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .data: expected map, got &{{{}}}",
            "ä".repeat(50_000)
        );
        let err = read_error(&status(500, "", &message));
        assert!(err.to_string().chars().count() < 2_300 && err.to_string().contains(".data: expected map"), "{err}");
        let kept = err.service().and_then(|service| service.message.as_deref()).unwrap();
        let begun = kept.trim_end_matches('…');
        assert!(message.starts_with(begun) && begun.chars().count() > 3_000, "{kept}");
    }

    #[test]
    fn a_terminating_namespace_is_known_by_its_cause() {
        let mut body = status(403, "Forbidden", "anything that later versions may say");
        body["details"] = json!({"name": "web", "group": "apps", "kind": "deployments", "causes": [
            {"reason": "NamespaceTerminating", "message": "namespace default is being terminated", "field": "metadata.namespace"}]});
        let err = read_error(&body);
        assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Conflict, true));
        assert_eq!(err.code(), Some("Forbidden"));
    }

    #[test]
    fn a_status_has_the_same_meaning_as_elsewhere() {
        for (code, kind) in crate::error::STATUSES {
            // Of a list that has expired, not of an object that is gone.
            let kind = if code == 410 { ErrorKind::Unavailable } else { kind };
            let body = status(code, "Reason", "in Kubernetes' own words");
            let err = from_status(read(code, body.to_string().as_bytes()), "testing");
            assert_eq!(err.kind(), kind, "{code}: {err}");
        }
    }

    #[test]
    fn a_status_with_a_field_of_another_type_keeps_the_others() {
        let mut body = status(403, "Forbidden", "pods \"x\" is forbidden: exceeded quota: q, requested: pods=1");
        for (field, odd) in
            [("code", json!("403")), ("details", json!("none")), ("metadata", json!([])), ("reason", json!(403))]
        {
            let mut body = body.clone();
            body[field] = odd;
            let err = from_status(read(403, body.to_string().as_bytes()), "");
            assert!(err.kind() == ErrorKind::Forbidden && err.to_string().contains("ResourceQuota"), "{field}: {err}");
        }
        body["message"] = json!({"text": "exceeded"});
        assert!(from_status(read(403, body.to_string().as_bytes()), "").to_string().contains("exceeded"));
        let text = from_status(read(429, b"Too many requests, please try again later."), "").to_string();
        assert!(text.contains("Too many requests"), "{text}");
    }
}
