//! Which writes a policy or a binding is about.

use serde_json::{Value, json};

use super::Attempt;
use super::flaws::unsupported;
use crate::kubernetes::object::{list, text};
use crate::kubernetes::refusal::Flaw;
use crate::kubernetes::selector::Labels;

/// What is wrong with rules: `validateMatchResources` in `pkg/apis/admissionregistration/validation/validation.go` of Kubernetes (v1.33.3).
pub(super) fn flaws(constraints: &Value, path: &str) -> Vec<Flaw> {
    let policy = &constraints["matchPolicy"];
    let mut flaws: Vec<_> =
        unsupported(&format!("{path}.matchPolicy"), policy, &["Equivalent", "Exact"]).into_iter().collect();
    for rules in ["resourceRules", "excludeResourceRules"] {
        for (index, rule) in list(constraints, &format!("/{rules}")).iter().enumerate() {
            let path = format!("{path}.{rules}[{index}]");
            for field in ["operations", "apiGroups", "apiVersions", "resources"] {
                if list(rule, &format!("/{field}")).is_empty() {
                    flaws.push(Flaw::required(format!("{path}.{field}"), ""));
                }
                let entries = list(rule, &format!("/{field}")).iter().enumerate();
                flaws.extend(
                    entries.filter_map(|(index, entry)| entry_flaw(field, entry, &format!("{path}.{field}[{index}]"))),
                );
            }
            if !rule["scope"].is_null() {
                flaws.extend(unsupported(&format!("{path}.scope"), &rule["scope"], &["*", "Cluster", "Namespaced"]));
            }
        }
    }
    flaws
}

fn entry_flaw(field: &str, entry: &Value, path: &str) -> Option<Flaw> {
    match field {
        "operations" => unsupported(path, entry, &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]),
        "apiVersions" | "resources" if entry == "" => Some(Flaw::required(path, "")),
        _ => None,
    }
}

/// Whether the rules and selectors fit.
pub(super) fn fits(constraints: &Value, attempt: &Attempt<'_>, namespace: Option<&Value>) -> bool {
    let any = |rules: &str| list(constraints, rules).iter().any(|rule| fits_rule(rule, attempt));
    // A binding may have selectors only.
    let is_included = list(constraints, "/resourceRules").is_empty() || any("/resourceRules");
    is_included
        && !any("/excludeResourceRules")
        && fits_namespace(&constraints["namespaceSelector"], attempt, namespace)
        && fits_object(&constraints["objectSelector"], attempt)
}

fn fits_rule(rule: &Value, attempt: &Attempt<'_>) -> bool {
    let has =
        |field: &str, wanted: &str| list(rule, &format!("/{field}")).iter().any(|one| one == "*" || one == wanted);
    let names = list(rule, "/resourceNames");
    let is_named = names.is_empty() || names.iter().any(|one| one == attempt.name);
    // A namespace has no namespace of its own.
    let is_placed = attempt.kind.namespaced;
    let is_in_scope = match text(rule, "/scope") {
        "Namespaced" => is_placed,
        "Cluster" => !is_placed,
        _ => true,
    };
    has("apiGroups", &attempt.kind.group)
        && has("apiVersions", &attempt.kind.version)
        && has("operations", attempt.operation)
        && list(rule, "/resources").iter().filter_map(Value::as_str).any(|one| fits_resource(one, attempt))
        && is_named
        && is_in_scope
}

fn fits_resource(pattern: &str, attempt: &Attempt<'_>) -> bool {
    let (plural, subresource) = pattern.split_once('/').unwrap_or((pattern, ""));
    (plural == "*" || plural == attempt.kind.plural) && (subresource == "*" || subresource == attempt.subresource)
}

fn fits_namespace(selector: &Value, attempt: &Attempt<'_>, namespace: Option<&Value>) -> bool {
    let namespace = if attempt.kind.kind == "Namespace" { Some(attempt.subject()) } else { namespace };
    let is_placed = attempt.kind.namespaced || attempt.kind.kind == "Namespace";
    selector.is_null() || *selector == json!({}) || !is_placed || fits_labels(selector, namespace)
}

fn fits_object(selector: &Value, attempt: &Attempt<'_>) -> bool {
    let either = || [attempt.object, attempt.old].into_iter().flatten().any(|one| fits_labels(selector, Some(one)));
    selector.is_null() || *selector == json!({}) || either()
}

fn fits_labels(selector: &Value, object: Option<&Value>) -> bool {
    Labels::of(selector).fit(object.and_then(|object| object.pointer("/metadata/labels")))
}
