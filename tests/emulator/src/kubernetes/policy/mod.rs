//! Validating admission policies and their bindings, as `k8s.io/apiserver/pkg/admission/plugin/policy/validating` (v0.33.3) applies them.
//! A policy that needs what the emulator does not have is refused when it is written.

mod expression;
mod matching;

use serde_json::{Value, json};

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{list, map, name, text};
use super::refusal::{Flaw, Refusal};
use super::store::Key;
use expression::{Failure, Outcome, Variables, evaluate, holds, obstacle};

pub(super) const GROUP: &str = "admissionregistration.k8s.io";
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// A write that policies judge.
pub(super) struct Attempt<'a> {
    pub(super) kind: &'a Kind,
    pub(super) subresource: &'a str,
    pub(super) operation: &'static str,
    pub(super) place: &'a str,
    pub(super) object: Option<&'a Value>,
    pub(super) old: Option<&'a Value>,
    pub(super) is_dry_run: bool,
}

impl Attempt<'_> {
    /// The object, or the one that is deleted.
    fn subject(&self) -> &Value {
        self.object.or(self.old).unwrap_or(&Value::Null)
    }

    fn variables(&self, namespace: Option<&Value>) -> Variables {
        let (kind, subject) = (self.kind, self.subject());
        let of = |name: &str, value: &str| json!({"group": kind.group, "version": kind.version, name: value});
        let request = json!({"kind": of("kind", &kind.kind), "resource": of("resource", &kind.plural),
            "subResource": self.subresource, "name": name(subject), "namespace": self.place,
            "operation": self.operation, "dryRun": self.is_dry_run});
        let or_null = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
        Variables(vec![
            ("object", or_null(self.object)),
            ("oldObject", or_null(self.old)),
            ("request", request),
            ("namespaceObject", or_null(namespace)),
        ])
    }
}

/// What keeps the emulator from enforcing a policy, and what Kubernetes itself refuses.
pub(super) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
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
    for (place, fields) in
        [("validations", &["expression", "messageExpression"][..]), ("matchConditions", &["expression"])]
    {
        for (index, one) in list(policy, &format!("/spec/{place}")).iter().enumerate() {
            for field in fields.iter().filter(|field| one.get(**field).is_some_and(|text| text != "")) {
                let written = text(one, &format!("/{field}"));
                if let Some(why) = obstacle(written) {
                    flaws.push(Flaw::invalid(format!("spec.{place}[{index}].{field}"), &json!(written), &why));
                }
            }
        }
    }
    if list(policy, "/spec/validations").is_empty() {
        let detail = "validations or auditAnnotations must contain at least one item";
        flaws.extend(["spec.validations", "spec.auditAnnotations"].map(|field| Flaw::required(field, detail)));
    }
    let failure = &policy["spec"]["failurePolicy"];
    if !matches!(failure.as_str(), Some("Fail" | "Ignore")) {
        let detail = "supported values: \"Fail\", \"Ignore\"";
        flaws.push(Flaw::unsupported("spec.failurePolicy", failure, detail));
    }
    flaws.extend(matching::flaws(&policy["spec"]["matchConstraints"], "spec.matchConstraints"));
    flaws
}

const NOT_BOTH: &str = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers \
    serves no purpose)";

fn binding_flaws(binding: &Value) -> Vec<Flaw> {
    let mut flaws = matching::flaws(&binding["spec"]["matchResources"], "spec.matchResources");
    if binding["spec"].get("paramRef").is_some_and(|value| !value.is_null()) {
        let detail = "the emulator cannot enforce a binding with it";
        flaws.push(Flaw::invalid("spec.paramRef", &binding["spec"]["paramRef"], detail));
    }
    if text(binding, "/spec/policyName").is_empty() {
        flaws.push(Flaw::required("spec.policyName", ""));
    }
    flaws.extend(action_flaws(list(binding, "/spec/validationActions")));
    flaws
}

fn action_flaws(actions: &[Value]) -> Option<Flaw> {
    let field = "spec.validationActions";
    let has = |action: &str| actions.iter().any(|one| one == action);
    if actions.is_empty() {
        return Some(Flaw::required(field, "at least one validation action is required"));
    }
    if let Some(odd) = actions.iter().find(|one| !["Audit", "Deny", "Warn"].contains(&one.as_str().unwrap_or_default()))
    {
        return Some(Flaw::unsupported(field, odd, "supported values: \"Audit\", \"Deny\", \"Warn\""));
    }
    if has("Deny") && has("Warn") {
        let shown: Vec<_> = actions.iter().map(Value::to_string).collect();
        let shown = format!("[]admissionregistration.ValidationAction{{{}}}", shown.join(", "));
        return Some(Flaw::invalid_go(field, &shown, NOT_BOTH));
    }
    None
}

/// Fills in what the API server fills in.
pub(super) fn defaults(kind: &Kind, object: &mut Value) {
    let constraints = match kind.kind.as_str() {
        POLICY => "matchConstraints",
        BINDING => "matchResources",
        _ => return,
    };
    let set = |fields: &mut serde_json::Map<String, Value>, name: &str, value: Value| {
        fields.entry(name.to_owned()).or_insert(value);
    };
    if kind.kind == POLICY {
        set(map(object, &["spec"]), "failurePolicy", json!("Fail"));
    }
    if let Some(Value::Object(constraints)) = object["spec"].get_mut(constraints) {
        set(constraints, "matchPolicy", json!("Equivalent"));
        set(constraints, "namespaceSelector", json!({}));
        set(constraints, "objectSelector", json!({}));
        for rules in ["resourceRules", "excludeResourceRules"] {
            let rules = constraints.get_mut(rules).and_then(Value::as_array_mut);
            rules
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
                .for_each(|rule| set(rule, "scope", json!("*")));
        }
    }
}

impl Kubernetes {
    /// Judges a write by all policies: the first that denies it refuses it. Warnings are kept for the response.
    pub(super) fn check_policies(&mut self, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        if attempt.kind.group == GROUP {
            return Ok(());
        }
        let policies = self.snapshot(&format!("validatingadmissionpolicies.{GROUP}"));
        let bindings = self.snapshot(&format!("validatingadmissionpolicybindings.{GROUP}"));
        let namespace = self.store.get(&Key::new("namespaces", "", attempt.place)).cloned();
        let namespace = namespace.filter(|_| attempt.kind.kind != "Namespace");
        let mut denied = None;
        for policy in &policies {
            if !matching::fits(&policy["spec"]["matchConstraints"], attempt, namespace.as_ref()) {
                continue;
            }
            let of_it = bindings.iter().filter(|binding| text(binding, "/spec/policyName") == name(policy));
            for binding in of_it {
                let resources = &binding["spec"]["matchResources"];
                if !resources.is_null() && !matching::fits(resources, attempt, namespace.as_ref()) {
                    continue;
                }
                for (reason, message) in decide(policy, &attempt.variables(namespace.as_ref()))? {
                    let by = format!("ValidatingAdmissionPolicy '{}' with binding '{}'", name(policy), name(binding));
                    let actions = list(binding, "/spec/validationActions");
                    if actions.iter().any(|action| action == "Warn") {
                        self.policy_warnings.push(format!("Validation failed for {by}: {message}"));
                    }
                    if actions.iter().any(|action| action == "Deny") && denied.is_none() {
                        denied = Some((reason, format!("{by} denied request: {message}")));
                    }
                }
            }
        }
        match denied {
            Some((reason, message)) => {
                Err(Refusal::by_policy(attempt.kind, name(attempt.subject()), &reason, &message))
            }
            None => Ok(()),
        }
    }
}

/// The validations that fail: the reason and the message of each.
fn decide(policy: &Value, variables: &Variables) -> Result<Vec<(String, String)>, Refusal> {
    let is_ignoring = text(policy, "/spec/failurePolicy") == "Ignore";
    let on_error = |message: String| if is_ignoring { Vec::new() } else { vec![(String::new(), message)] };
    let mut errors = Vec::new();
    for condition in list(policy, "/spec/matchConditions") {
        match settled(holds(text(condition, "/expression"), variables))? {
            Ok(true) => {}
            Ok(false) => return Ok(Vec::new()),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        let message = if errors.len() == 1 { errors.remove(0) } else { format!("[{}]", errors.join(", ")) };
        return Ok(on_error(message));
    }
    let mut failed = Vec::new();
    for validation in list(policy, "/spec/validations") {
        match settled(holds(text(validation, "/expression").trim(), variables))? {
            Ok(true) => {}
            Ok(false) => failed.push((text(validation, "/reason").to_owned(), message(validation, variables)?)),
            Err(error) => failed.extend(on_error(error)),
        }
    }
    Ok(failed)
}

fn message(validation: &Value, variables: &Variables) -> Result<String, Refusal> {
    let expression = text(validation, "/messageExpression");
    if !expression.is_empty()
        && let Ok(Outcome::Text(text)) = settled(evaluate(expression, variables))?
        && !text.trim().is_empty()
        && !text.contains('\n')
    {
        return Ok(text.trim().to_owned());
    }
    Ok(match text(validation, "/message").trim() {
        "" => format!("failed expression: {}", text(validation, "/expression").trim()),
        written => written.to_owned(),
    })
}

/// What the API server ends in, too; everything else is refused.
fn settled<T>(outcome: Result<T, Failure>) -> Result<Result<T, String>, Refusal> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Error(message)) => Ok(Err(message)),
        Err(Failure::Unsupported(why)) => Err(Refusal::internal(why)),
    }
}
