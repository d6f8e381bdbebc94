//! Validating admission policies and their bindings, as `k8s.io/apiserver/pkg/admission/plugin/policy/validating` (v0.33.3) applies them.
//! A policy that needs what the emulator does not have is refused when it is written.
//!
//! What controllers and kubelets create and change is judged; what they delete is not, other than in Kubernetes: garbage collection, a
//! smaller replica set and the end of a namespace go on whatever a policy about `DELETE` says.

mod budget;
mod expression;
mod flaws;
mod matching;
mod review;

use serde_json::{Map, Value, json};

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{list, map, name, namespace, text};
use super::refusal::Refusal;
use super::store::Key;
use expression::{Evaluator, Failure, Outcome, apart};
pub(super) use flaws::flaws;

pub(super) const GROUP: &str = "admissionregistration.k8s.io";
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// A write that policies judge.
pub(super) struct Attempt<'a> {
    pub(super) kind: &'a Kind,
    pub(super) subresource: &'a str,
    pub(super) operation: &'static str,
    pub(super) place: &'a str,
    /// Empty where a request deletes all objects of a kind.
    pub(super) name: &'a str,
    pub(super) object: Option<&'a Value>,
    pub(super) old: Option<&'a Value>,
    pub(super) is_dry_run: bool,
}

impl<'a> Attempt<'a> {
    /// The deletion of an object by a request that names it, or all.
    pub(super) fn of_deletion(kind: &'a Kind, name: &'a str, old: &'a Value, is_dry_run: bool) -> Self {
        let (object, old, place) = (None, Some(old), namespace(old));
        Self { kind, subresource: "", operation: "DELETE", place, name, object, old, is_dry_run }
    }

    /// The object, or the one that is deleted.
    fn subject(&self) -> &Value {
        self.object.or(self.old).unwrap_or(&Value::Null)
    }

    /// The values of an expression's variables: `CreateAdmissionRequest` in `k8s.io/apiserver/pkg/admission/plugin/cel/condition.go`.
    fn variables(&self, namespace: Option<&Value>) -> [(&'static str, Value); 4] {
        let kind = self.kind;
        let of = |name: &str, value: &str| json!({"group": kind.group, "version": kind.version, name: value});
        // A namespace is its own.
        let place = if kind.kind == "Namespace" { self.name } else { self.place };
        let mut request = Map::new();
        for (field, value) in [
            ("kind", of("kind", &kind.kind)),
            ("resource", of("resource", &kind.plural)),
            ("subResource", json!(self.subresource)),
            ("requestKind", of("kind", &kind.kind)),
            ("requestResource", of("resource", &kind.plural)),
            ("requestSubResource", json!(self.subresource)),
            ("name", json!(self.name)),
            ("namespace", json!(place)),
            ("operation", json!(self.operation)),
            ("dryRun", json!(self.is_dry_run)),
        ] {
            // Fields without a value are missing.
            if value != "" {
                request.insert(field.to_owned(), value);
            }
        }
        let or_null = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
        [
            ("object", or_null(self.object)),
            ("oldObject", or_null(self.old)),
            ("request", Value::Object(request)),
            ("namespaceObject", or_null(namespace)),
        ]
    }

    /// The name that a refusal gives: `extractResourceName` in `k8s.io/apiserver/pkg/admission/errors.go`.
    fn shown_name(&self) -> &str {
        if self.name.is_empty() { "Unknown" } else { self.name }
    }
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
        let resource = format!("validatingadmissionpolicies.{GROUP}");
        if attempt.kind.group == GROUP || self.store.list(&resource, "").next().is_none() {
            return Ok(());
        }
        let namespace = self.store.get(&Key::new("namespaces", "", attempt.place)).cloned();
        let namespace = namespace.filter(|_| attempt.kind.kind != "Namespace");
        let judges = self.judges(&resource, attempt, namespace.as_ref());
        if judges.is_empty() {
            return Ok(());
        }
        let variables = attempt.variables(namespace.as_ref());
        let decided = apart(|| {
            let evaluator = Evaluator::new(&variables);
            judges.iter().map(|judge| decide(&judge.policy, &evaluator)).collect::<Result<Vec<_>, Refusal>>()
        });
        let decided = decided.unwrap_or_else(|| Err(Refusal::internal("the emulator cannot evaluate the policies")))?;
        let mut denied = None;
        for (judge, failed) in judges.iter().zip(&decided) {
            for binding in &judge.bindings {
                let by =
                    format!("ValidatingAdmissionPolicy '{}' with binding '{}'", name(&judge.policy), name(binding));
                let has = |action: &str| list(binding, "/spec/validationActions").iter().any(|one| one == action);
                for (reason, message) in failed {
                    if has("Warn") {
                        self.policy_warnings.push(format!("Validation failed for {by}: {message}"));
                    }
                    if has("Deny") {
                        denied.get_or_insert_with(|| (reason, format!("{by} denied request: {message}")));
                    }
                }
            }
        }
        match denied {
            Some((reason, message)) => Err(Refusal::by_policy(attempt.kind, attempt.shown_name(), reason, &message)),
            None => Ok(()),
        }
    }

    /// The policies that are about a write.
    fn judges(&self, resource: &str, attempt: &Attempt<'_>, namespace: Option<&Value>) -> Vec<Judge> {
        let bindings = self.snapshot(&format!("validatingadmissionpolicybindings.{GROUP}"));
        let fits = |constraints: &Value| matching::fits(constraints, attempt, namespace);
        let policies = self.store.list(resource, "").filter(|policy| fits(&policy["spec"]["matchConstraints"]));
        let judges = policies.map(|policy| {
            let of_it = bindings.iter().filter(|binding| {
                let resources = &binding["spec"]["matchResources"];
                text(binding, "/spec/policyName") == name(policy) && (resources.is_null() || fits(resources))
            });
            Judge { policy: policy.clone(), bindings: of_it.cloned().collect() }
        });
        judges.filter(|judge| !judge.bindings.is_empty()).collect()
    }
}

/// A policy that is about a write, and its bindings that are.
struct Judge {
    policy: Value,
    bindings: Vec<Value>,
}

/// The validations that fail: the reason and the message of each.
fn decide(policy: &Value, evaluator: &Evaluator) -> Result<Vec<(String, String)>, Refusal> {
    let is_ignoring = text(policy, "/spec/failurePolicy") == "Ignore";
    let on_error = |message: String| if is_ignoring { Vec::new() } else { vec![(String::new(), message)] };
    let mut errors = Vec::new();
    for condition in list(policy, "/spec/matchConditions") {
        match settled(evaluator.matches(text(condition, "/expression")))? {
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
        match settled(evaluator.holds(text(validation, "/expression")))? {
            Ok(true) => {}
            Ok(false) => failed.push((text(validation, "/reason").to_owned(), message(validation, evaluator)?)),
            Err(error) => failed.extend(on_error(error)),
        }
    }
    Ok(failed)
}

fn message(validation: &Value, evaluator: &Evaluator) -> Result<String, Refusal> {
    let expression = text(validation, "/messageExpression");
    if !expression.is_empty()
        && let Ok(Outcome::Text(text)) = settled(evaluator.evaluate(expression))?
        && !text.trim().is_empty()
        && text.trim().len() <= MOST_OF_MESSAGE
        && !text.trim().contains('\n')
    {
        return Ok(text.trim().to_owned());
    }
    Ok(match text(validation, "/message").trim() {
        "" => format!("failed expression: {}", text(validation, "/expression").trim()),
        written => written.to_owned(),
    })
}

/// `MaxEvaluatedMessageExpressionSizeBytes` in `k8s.io/apiserver/pkg/apis/cel/config.go`.
const MOST_OF_MESSAGE: usize = 5 * 1024;

/// What the API server ends in, too; everything else is refused.
fn settled<T>(outcome: Result<T, Failure>) -> Result<Result<T, String>, Refusal> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Error(message)) => Ok(Err(message)),
        Err(Failure::Unsupported(why)) => Err(Refusal::internal(why)),
    }
}
