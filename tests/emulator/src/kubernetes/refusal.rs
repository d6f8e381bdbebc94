//! Refusals, in the shape that Kubernetes gives them: a `Status` object.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::kinds::Kind;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: u16,
    /// Empty where Kubernetes gives none.
    reason: &'static str,
    message: String,
    details: Value,
    warnings: Vec<String>,
}

/// One thing that is wrong with an object.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) reason: &'static str,
    pub(super) field: String,
    /// The text without the field's name.
    pub(super) message: String,
}

impl Flaw {
    pub(super) fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired", field: field.into(), message }
    }

    pub(super) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self { reason: "FieldValueInvalid", field: field.into(), message: format!("Invalid value: {value}: {detail}") }
    }

    /// With a value as Go prints it.
    pub(super) fn invalid_go(field: impl Into<String>, value: &str, detail: &str) -> Self {
        Self { reason: "FieldValueInvalid", field: field.into(), message: format!("Invalid value: {value}: {detail}") }
    }

    pub(super) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { reason: "FieldValueForbidden", field: field.into(), message: format!("Forbidden: {detail}") }
    }

    pub(super) fn unsupported(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let message = format!("Unsupported value: {value}: {detail}");
        Self { reason: "FieldValueNotSupported", field: field.into(), message }
    }
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>, details: Value) -> Self {
        Self { code, reason, message: message.into(), details, warnings: Vec::new() }
    }

    /// No such path, and no such group of kinds.
    pub(super) fn no_path() -> Self {
        Self::new(404, NO_PATH, "404 page not found", Value::Null)
    }

    /// No such kind.
    pub(super) fn no_route() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource", json!({}))
    }

    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.resource());
        Self::new(404, "NotFound", message, kind.details(name))
    }

    pub(super) fn already_exists(kind: &Kind, name: &str, is_ending: bool) -> Self {
        let prefix = if is_ending { "object is being deleted: " } else { "" };
        let message = format!("{prefix}{} \"{name}\" already exists", kind.resource());
        Self::new(409, "AlreadyExists", message, kind.details(name))
    }

    /// The object has changed since it was read.
    pub(super) fn changed(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub(super) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.resource());
        Self::new(409, "Conflict", message, kind.details(name))
    }

    /// Another manager owns fields that this one applies with other values.
    pub(super) fn ownership(causes: &[(String, String)]) -> Self {
        let message = match causes {
            [(manager, field)] => {
                format!("Apply failed with 1 conflict: conflict with {manager}: {field}")
            }
            causes => format!("Apply failed with {} conflicts: {}", causes.len(), by_manager(causes)),
        };
        let causes: Vec<_> = causes
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
            })
            .collect();
        Self::new(409, "Conflict", message, json!({"causes": causes}))
    }

    pub(super) fn invalid(kind: &Kind, name: &str, flaws: &[Flaw]) -> Self {
        let mut lines: Vec<_> = flaws.iter().map(|flaw| format!("{}: {}", flaw.field, flaw.message)).collect();
        lines.dedup();
        let all = match &lines[..] {
            [line] => line.clone(),
            lines => format!("[{}]", lines.join(", ")),
        };
        let causes: Vec<_> = flaws
            .iter()
            .map(|flaw| json!({"reason": flaw.reason, "message": flaw.message, "field": flaw.field}))
            .collect();
        let mut details = kind.details(name);
        details["kind"] = json!(kind.kind);
        details["causes"] = json!(causes);
        let full = if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) };
        Self::new(422, "Invalid", format!("{full} \"{name}\" is invalid: {all}"), details)
    }

    /// It names the resource where others name the kind.
    pub(super) fn without_revision(kind: &Kind, name: &str) -> Self {
        let flaw = Flaw::invalid_go("metadata.resourceVersion", "0x0", "must be specified for an update");
        let resource = Kind { kind: kind.plural.clone(), ..kind.clone() };
        Self::invalid(&resource, name, &[flaw])
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message, Value::Null)
    }

    pub(super) fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.kind);
        let mut details = kind.details(name);
        details["kind"] = json!(kind.kind);
        Self::new(409, "Conflict", message, details)
    }

    pub(super) fn unsupported_patch() -> Self {
        Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type", json!({}))
    }

    /// Options that are invalid.
    pub(super) fn options(message: &str, details: Value) -> Self {
        Self::new(422, "Invalid", message, details)
    }

    /// A policy denies it, with the reason that the policy names.
    pub(super) fn by_policy(kind: &Kind, name: &str, reason: &str, message: &str) -> Self {
        let (code, reason) = match reason {
            "Forbidden" => (403, "Forbidden"),
            "Unauthorized" => (401, "Unauthorized"),
            "RequestEntityTooLarge" => (413, "RequestEntityTooLarge"),
            _ => (422, "Invalid"),
        };
        let mut refusal = Self::forbidden(kind, name, message);
        (refusal.code, refusal.reason) = (code, reason);
        refusal.details["causes"] = json!([{"message": message}]);
        refusal
    }

    pub(super) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.resource());
        Self::new(403, "Forbidden", message, kind.details(name))
    }

    /// The namespace goes: its cause is the one mark of a refusal besides the text.
    pub(super) fn terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut refusal = Self::forbidden(kind, name, &why);
        refusal.details["causes"] = json!([{"reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"), "field": "metadata.namespace"}]);
        refusal
    }

    /// An error that the API server has no status for, such as that of an object that does not fit its schema.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message, Value::Null)
    }

    pub(super) fn too_large(limit: &str) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: {limit}"), Value::Null)
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message, json!({}))
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message, json!({}))
    }

    pub(super) fn media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message, Value::Null)
    }

    /// The `Status` object.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code});
        if !self.reason.is_empty() {
            body["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        body
    }

    /// The same with warnings that the request earned before it was refused.
    pub(super) fn with_warnings(mut self, warnings: &[String]) -> Self {
        self.warnings.extend_from_slice(warnings);
        self
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        // Paths that lead nowhere are answered before anything knows of objects.
        if self.reason == NO_PATH {
            return text_response(self.code, "404 page not found\n");
        }
        let mut response = json_response(self.code, &self.body());
        warn(&mut response, &self.warnings);
        response
    }
}

const NO_PATH: &str = "NoPath";

fn text_response(code: u16, body: &'static str) -> Response<Bytes> {
    let mut response = json_response(code, &Value::Null);
    *response.body_mut() = Bytes::from_static(body.as_bytes());
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// How many letters the warnings of a response have, and each of them once there are more: `k8s.io/apiserver/pkg/endpoints/filters/warning.go`
/// (v0.33.3).
const MOST_WARNED: usize = 4 * 1024;
const MOST_OF_ONE: usize = 256;

/// Adds warnings as headers, each once.
pub(super) fn warn(response: &mut Response<Bytes>, warnings: &[String]) {
    let headers = response.headers_mut();
    let before: Vec<_> = headers.get_all(WARNING).iter().map(|value| shown_warning(value.as_bytes())).collect();
    let mut texts: Vec<String> = Vec::new();
    for warning in before.iter().chain(warnings) {
        // Those with control characters, such as line breaks, get lost there, too: `NewWarningHeader` of
        // `k8s.io/apimachinery/pkg/util/net/http.go`.
        if !warning.is_empty() && !warning.contains(char::is_control) && !texts.contains(warning) {
            texts.push(warning.clone());
        }
    }
    let total: usize = texts.iter().map(|text| text.chars().count()).sum();
    let most = if total > MOST_WARNED { MOST_OF_ONE } else { MOST_WARNED };
    headers.remove(WARNING);
    let mut written = 0;
    for text in texts {
        let text: String = text.chars().take(most).collect();
        if written >= MOST_WARNED {
            break;
        }
        written += text.chars().count();
        let header = format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        if let Ok(value) = http::HeaderValue::from_bytes(header.as_bytes()) {
            headers.append(WARNING, value);
        }
    }
}

const WARNING: &str = "warning";

/// The text of a header that `warn` wrote.
fn shown_warning(header: &[u8]) -> String {
    let header = String::from_utf8_lossy(header);
    let quoted = header.strip_prefix("299 - \"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(&header);
    let mut text = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text
}

/// Each manager once, with its fields below.
fn by_manager(causes: &[(String, String)]) -> String {
    let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (manager, field) in causes {
        fields.entry(manager).or_default().push(field);
    }
    let lines = fields.iter().map(|(manager, fields)| format!("conflicts with {manager}:\n- {}", fields.join("\n- ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// An answer with a JSON body.
pub(super) fn json_response(code: u16, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-cache, private"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(calls: &[&[&str]]) -> Vec<String> {
        let mut response = json_response(200, &Value::Null);
        for warnings in calls {
            warn(&mut response, &warnings.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        }
        let all = response.headers().get_all("warning");
        all.iter().map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap()).collect()
    }

    /// As `NewWarningHeader` and `WithWarningRecorder` of `k8s.io/apiserver` (v0.33.3) write them.
    #[test]
    fn warnings_are_quoted_each_is_given_once_and_those_with_control_characters_are_lost() {
        assert_eq!(headers(&[&[r#"matches('\d+') said "no""#]]), [r#"299 - "matches('\\d+') said \"no\"""#]);
        assert_eq!(headers(&[&["é"], &["é", "b"], &["b"]]), ["299 - \"é\"", "299 - \"b\""]);
        assert_eq!(headers(&[&[r"a\b"], &[r"a\b"]]).len(), 1);
        assert_eq!(headers(&[&["failed expression: a ||\nb", "a\tb", "a\u{85}b", "", "kept"]]), ["299 - \"kept\""]);
    }

    #[test]
    fn many_warnings_are_shortened() {
        let long = |start: &str| format!("{start}{}", "x".repeat(4000));
        assert_eq!(headers(&[&[&long("a")]])[0].len(), 4001 + 8);
        let many: Vec<_> = (0..20).map(|number| long(&format!("{number:02}"))).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let found = headers(&[&many]);
        assert_eq!((found.len(), found[15].len()), (16, 256 + 8));
        assert!(found[15].starts_with("299 - \"15x"));
    }
}
