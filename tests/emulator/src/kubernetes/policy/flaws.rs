//! What is wrong with policies and bindings, in the order and the words of `pkg/apis/admissionregistration/validation/validation.go` of
//! Kubernetes (v1.33.3). What only the emulator refuses comes first.

use serde_json::{Value, json};

use super::expression::obstacle;
use super::{BINDING, POLICY, matching};
use crate::kubernetes::kinds::Kind;
use crate::kubernetes::object::{list, text};
use crate::kubernetes::refusal::Flaw;

/// What keeps the emulator from enforcing a policy, and what Kubernetes itself refuses.
pub(in crate::kubernetes) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    match kind.kind.as_str() {
        POLICY => policy_flaws(object),
        BINDING => binding_flaws(object),
        _ => Vec::new(),
    }
}

fn policy_flaws(policy: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for field in ["paramKind", "variables", "auditAnnotations"] {
        if policy["spec"].get(field).is_some_and(|value| !value.is_null() && *value != json!([])) {
            let detail = "the emulator cannot enforce a policy with it";
            flaws.push(Flaw::invalid(format!("spec.{field}"), &policy["spec"][field], detail));
        }
    }
    flaws.extend(unsupported("spec.failurePolicy", &policy["spec"]["failurePolicy"], &["Fail", "Ignore"]));
    match policy["spec"].get("matchConstraints").filter(|constraints| !constraints.is_null()) {
        None => flaws.push(Flaw::required("spec.matchConstraints", "")),
        Some(constraints) => {
            flaws.extend(matching::flaws(constraints, "spec.matchConstraints"));
            if list(constraints, "/resourceRules").is_empty() {
                flaws.push(Flaw::required("spec.matchConstraints.resourceRules", ""));
            }
        }
    }
    flaws.extend(condition_flaws(list(policy, "/spec/matchConditions")));
    let validations = list(policy, "/spec/validations");
    if validations.is_empty() {
        let detail = "validations or auditAnnotations must contain at least one item";
        flaws.extend(["spec.validations", "spec.auditAnnotations"].map(|field| Flaw::required(field, detail)));
    }
    for (index, validation) in validations.iter().enumerate() {
        flaws.extend(validation_flaws(validation, &format!("spec.validations[{index}]")));
    }
    flaws
}

fn condition_flaws(conditions: &[Value]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if conditions.len() > MOST_CONDITIONS {
        let message = format!("Too many: {}: must have at most {MOST_CONDITIONS} items", conditions.len());
        flaws.push(Flaw { reason: "FieldValueTooMany", field: "spec.matchConditions".to_owned(), message });
    }
    for (index, condition) in conditions.iter().enumerate() {
        let path = format!("spec.matchConditions[{index}]");
        let name = text(condition, "/name");
        flaws.extend(match text(condition, "/expression").trim() {
            "" => Some(Flaw::required(format!("{path}.expression"), "")),
            written => expression_flaw(&format!("{path}.expression"), written),
        });
        if name.is_empty() {
            flaws.push(Flaw::required(format!("{path}.name"), ""));
        } else if conditions[..index].iter().any(|before| text(before, "/name") == name) {
            flaws.push(duplicate(&format!("{path}.name"), &json!(name)));
        }
    }
    flaws
}

const MOST_CONDITIONS: usize = 64;

fn validation_flaws(validation: &Value, path: &str) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let of = |field: &str| (format!("{path}.{field}"), text(validation, &format!("/{field}")));
    let (field, written) = of("expression");
    flaws.extend(match written.trim() {
        "" => Some(Flaw::required(field, "expression is not specified")),
        _ => expression_flaw(&field, written),
    });
    let (field, written) = of("messageExpression");
    flaws.extend(match (written, written.trim()) {
        ("", _) => None,
        (_, "") => Some(Flaw::invalid(field, &json!(written), "must be non-empty if specified")),
        _ => expression_flaw(&field, written),
    });
    let (field, written) = of("message");
    if !written.is_empty() && written.trim().is_empty() {
        flaws.push(Flaw::invalid(field, &json!(written), "message must be non-empty if specified"));
    } else if written.trim().contains(['\n', '\r']) {
        flaws.push(Flaw::invalid(field, &json!(written), "message must not contain line breaks"));
    }
    if !validation["reason"].is_null() {
        let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
        flaws.extend(unsupported(&format!("{path}.reason"), &validation["reason"], &reasons));
    }
    flaws
}

fn expression_flaw(field: &str, written: &str) -> Option<Flaw> {
    obstacle(written).map(|why| Flaw::invalid(field, &json!(written), &why))
}

/// A value that is none of those there are, which have to be in order.
pub(super) fn unsupported(field: &str, value: &Value, supported: &[&str]) -> Option<Flaw> {
    let shown: Vec<_> = supported.iter().map(|one| json!(one).to_string()).collect();
    let is_supported = value.as_str().is_some_and(|value| supported.contains(&value));
    (!is_supported).then(|| Flaw::unsupported(field, value, &format!("supported values: {}", shown.join(", "))))
}

fn duplicate(field: &str, value: &Value) -> Flaw {
    Flaw { reason: "FieldValueDuplicate", field: field.to_owned(), message: format!("Duplicate value: {value}") }
}

const NOT_BOTH: &str = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers \
    serves no purpose)";

fn binding_flaws(binding: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if binding["spec"].get("paramRef").is_some_and(|value| !value.is_null()) {
        let detail = "the emulator cannot enforce a binding with it";
        flaws.push(Flaw::invalid("spec.paramRef", &binding["spec"]["paramRef"], detail));
    }
    if text(binding, "/spec/policyName").is_empty() {
        flaws.push(Flaw::required("spec.policyName", ""));
    }
    if let Some(resources) = binding["spec"].get("matchResources").filter(|resources| !resources.is_null()) {
        flaws.extend(matching::flaws(resources, "spec.matchResources"));
    }
    flaws.extend(action_flaws(list(binding, "/spec/validationActions")));
    flaws
}

fn action_flaws(actions: &[Value]) -> Vec<Flaw> {
    let field = "spec.validationActions";
    let has = |action: &str| actions.iter().any(|one| one == action);
    let mut flaws = Vec::new();
    for (index, action) in actions.iter().enumerate() {
        let path = format!("{field}[{index}]");
        flaws.extend(unsupported(&path, action, &["Audit", "Deny", "Warn"]));
        if actions[..index].contains(action) {
            flaws.push(duplicate(&path, action));
        }
    }
    if has("Deny") && has("Warn") {
        let shown: Vec<_> = actions.iter().map(Value::to_string).collect();
        let shown = format!("[]admissionregistration.ValidationAction{{{}}}", shown.join(", "));
        flaws.push(Flaw::invalid_go(field, &shown, NOT_BOTH));
    }
    if actions.is_empty() {
        flaws.push(Flaw::required(field, "at least one validation action is required"));
    }
    flaws
}
