//! Validating admission policies. The suite `kubernetes` holds their words against a real API server.

use serde_json::{Value, json};

use super::{DEPLOYMENTS, PODS, World, condition, nginx};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

fn policy(resource: (&str, &str), validations: &Value) -> Value {
    let rule = json!({"apiGroups": [resource.0], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource.1]});
    json!({"metadata": {"name": "p"}, "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": validations}})
}

fn enforce(world: &mut World, policy: &Value, actions: &[&str]) {
    assert_eq!(world.send("POST", POLICIES, policy).0, 201);
    let binding = json!({"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": actions}});
    assert_eq!(world.send("POST", BINDINGS, &binding).0, 201);
}

#[test]
fn a_policy_denies_what_a_client_writes_and_nothing_else() {
    let mut world = World::granted();
    let tags = json!([{"expression": "object.spec.template.spec.containers.all(c, c.image.contains(':'))", "message": "every image needs a tag"}]);
    enforce(&mut world, &policy(("apps", "deployments"), &tags), &["Deny"]);
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("r.azurecr.io/nginx");
    let (status, answer) = world.send("POST", DEPLOYMENTS, &object);
    let message = "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: every image needs a tag";
    assert_eq!((status, &answer["reason"], &answer["message"]), (422, &json!("Invalid"), &json!(message)));
    assert_eq!(world.send("POST", DEPLOYMENTS, &nginx(1)).0, 201);
    world.pass(3);
    assert_eq!(world.deployment()["status"]["readyReplicas"], 1);
    assert_eq!(world.send("DELETE", &format!("{BINDINGS}/b"), &Value::Null).0, 200);
    object["metadata"]["name"] = json!("other");
    assert_eq!(world.send("POST", DEPLOYMENTS, &object).0, 201, "without a binding, a policy does nothing");
}

#[test]
fn a_policy_about_pods_keeps_a_controller_from_making_them() {
    let mut world = World::granted();
    let never = json!([{"expression": "false", "message": "no pods"}]);
    enforce(&mut world, &policy(("", "pods"), &never), &["Deny"]);
    assert_eq!(world.send("POST", DEPLOYMENTS, &nginx(1)).0, 201);
    world.pass(3);
    assert!(world.pods().is_empty());
    assert_eq!(condition(&world.deployment(), "ReplicaFailure"), "True FailedCreate");
    assert_eq!(world.events("denied request: no pods").len(), 1);
}

#[test]
fn a_policy_that_cannot_be_enforced_is_refused() {
    let mut world = World::new();
    let good = policy(("", "pods"), &json!([{"expression": "true"}]));
    for (pointer, value) in [
        ("paramKind", json!({"apiVersion": "v1", "kind": "ConfigMap"})),
        ("variables", json!([{"name": "x", "expression": "1"}])),
        ("auditAnnotations", json!([{"key": "k", "valueExpression": "'v'"}])),
        ("validations", json!([{"expression": "quantity(object.spec.x).isGreaterThan(quantity('1'))"}])),
        ("validations", json!([{"expression": "request.userInfo.username == 'x'"}])),
        ("validations", json!([{"expression": "request['userInfo'].username == 'x'"}])),
        ("validations", json!([{"expression": "true", "messageExpression": "string(authorizer)"}])),
        ("matchConditions", json!([{"name": "n", "expression": "object."}])),
    ] {
        let mut object = good.clone();
        object["spec"][pointer] = value;
        let (status, answer) = world.send("POST", POLICIES, &object);
        assert!(status == 422 && answer["message"].as_str().unwrap().contains("the emulator cannot"), "{answer}");
    }
}

#[test]
fn what_turns_out_to_be_impossible_to_evaluate_lets_nothing_pass() {
    let mut world = World::granted();
    let mut odd = policy(("", "pods"), &json!([{"expression": "object.metadata.name > 3"}]));
    odd["spec"]["failurePolicy"] = json!("Ignore");
    enforce(&mut world, &odd, &["Warn"]);
    let pod = json!({"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    assert_eq!(world.send("POST", PODS, &pod).0, 500);
}

/// Why Kubernetes does not take a policy: `pkg/apis/admissionregistration/validation/validation.go` (v1.33.3).
#[test]
fn a_policy_that_is_not_complete_is_refused() {
    let mut world = World::new();
    let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]});
    let with = |field: &str, value: Value| {
        let mut rule = rule.clone();
        rule[field] = value;
        json!({"resourceRules": [rule]})
    };
    let undeclared = "spec.validations[0].expression: Invalid value: \"nothing == 1\": compilation failed: ERROR: <input>:1:1: \
        undeclared reference to 'nothing' (in container '')\n | nothing == 1\n | ^";
    for (field, value, message) in [
        ("matchConstraints", Value::Null, "spec.matchConstraints: Required value"),
        ("matchConstraints", json!({}), "spec.matchConstraints.resourceRules: Required value"),
        ("matchConstraints", json!({"resourceRules": []}), "spec.matchConstraints.resourceRules: Required value"),
        (
            "matchConstraints",
            with("operations", json!([])),
            "spec.matchConstraints.resourceRules[0].operations: Required value",
        ),
        (
            "matchConstraints",
            with("operations", json!(["READ"])),
            "spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: \"READ\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"DELETE\", \"UPDATE\"",
        ),
        (
            "matchConstraints",
            with("scope", json!("Here")),
            "spec.matchConstraints.resourceRules[0].scope: Unsupported value: \"Here\": supported values: \"*\", \"Cluster\", \"Namespaced\"",
        ),
        (
            "matchConstraints",
            json!({"resourceRules": [rule], "excludeResourceRules": [{}], "matchPolicy": "Some"}),
            "[spec.matchConstraints.matchPolicy: Unsupported value: \"Some\": supported values: \"Equivalent\", \"Exact\", \
          spec.matchConstraints.excludeResourceRules[0].operations: Required value, \
          spec.matchConstraints.excludeResourceRules[0].apiGroups: Required value, \
          spec.matchConstraints.excludeResourceRules[0].apiVersions: Required value, \
          spec.matchConstraints.excludeResourceRules[0].resources: Required value]",
        ),
        ("matchConditions", json!([{"name": "n"}]), "spec.matchConditions[0].expression: Required value"),
        (
            "matchConditions",
            json!([{"expression": " "}]),
            "[spec.matchConditions[0].expression: Required value, spec.matchConditions[0].name: Required value]",
        ),
        (
            "matchConditions",
            json!([{"name": "n", "expression": "true"}, {"name": "n", "expression": "true"}]),
            "spec.matchConditions[1].name: Duplicate value: \"n\"",
        ),
        (
            "validations",
            json!([{"message": "no"}]),
            "spec.validations[0].expression: Required value: expression is not specified",
        ),
        (
            "validations",
            json!([{"expression": " "}]),
            "spec.validations[0].expression: Required value: expression is not specified",
        ),
        (
            "validations",
            json!([{"expression": "true", "messageExpression": " "}]),
            "spec.validations[0].messageExpression: Invalid value: \" \": must be non-empty if specified",
        ),
        (
            "validations",
            json!([{"expression": "true", "message": "a\nb"}]),
            "spec.validations[0].message: Invalid value: \"a\\nb\": message must not contain line breaks",
        ),
        (
            "validations",
            json!([{"expression": "true", "reason": "Why"}]),
            "spec.validations[0].reason: Unsupported value: \"Why\": supported values: \"Forbidden\", \"Invalid\", \"RequestEntityTooLarge\"",
        ),
        ("validations", json!([{"expression": "nothing == 1"}]), undeclared),
    ] {
        let mut object = policy(("", "pods"), &json!([{"expression": "true"}]));
        object["spec"][field] = value;
        let (status, answer) = world.send("POST", POLICIES, &object);
        let wanted = format!("ValidatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: {message}");
        assert_eq!((status, answer["message"].as_str().unwrap()), (422, wanted.as_str()));
    }
    for (actions, message) in [
        (json!(["Deny", "Deny"]), "spec.validationActions[1]: Duplicate value: \"Deny\""),
        (
            json!(["Some"]),
            "spec.validationActions[0]: Unsupported value: \"Some\": supported values: \"Audit\", \"Deny\", \"Warn\"",
        ),
    ] {
        let binding = json!({"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": actions}});
        let (status, answer) = world.send("POST", BINDINGS, &binding);
        let wanted =
            format!("ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io \"b\" is invalid: {message}");
        assert_eq!((status, answer["message"].as_str().unwrap()), (422, wanted.as_str()));
    }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn config_map() -> Value {
    json!({"metadata": {"name": "kept"}, "data": {"a": "b"}})
}

#[test]
fn a_write_that_changes_nothing_is_judged() {
    let mut world = World::new();
    assert_eq!(world.send("POST", MAPS, &config_map()).0, 201);
    enforce(
        &mut world,
        &policy(("", "configmaps"), &json!([{"expression": "object.metadata.name != 'kept'"}])),
        &["Deny"],
    );
    let path = format!("{MAPS}/kept");
    let same = world.get(&path);
    assert_eq!(world.send("PUT", &path, &same).0, 422);
    assert_eq!(world.send_as("PATCH", &path, "application/merge-patch+json", &json!({})).0, 422);
}

#[test]
fn a_request_has_the_fields_of_an_admission_request() {
    let mut world = World::new();
    let fields = "request.requestKind == request.kind && request.requestResource == request.resource && request.kind.kind == 'ConfigMap' \
        && request.resource.resource == 'configmaps' && !has(request.subResource) && !has(request.requestSubResource) \
        && request.name == 'kept' && request.namespace == 'default' && request.operation == 'CREATE' && !request.dryRun";
    enforce(&mut world, &policy(("", "configmaps"), &json!([{"expression": fields}])), &["Deny"]);
    let (status, answer) = world.send("POST", MAPS, &config_map());
    assert_eq!(status, 201, "{answer}");
}

/// `DeleteCollection` in `k8s.io/apiserver/pkg/endpoints/handlers/delete.go` gives admission no name.
#[test]
fn the_deletion_of_all_objects_names_none() {
    let mut world = World::new();
    assert_eq!(world.send("POST", MAPS, &config_map()).0, 201);
    let mut kept =
        policy(("", "configmaps"), &json!([{"expression": "has(request.name)", "message": "one at a time"}]));
    kept["spec"]["matchConstraints"]["resourceRules"][0]["operations"] = json!(["DELETE"]);
    enforce(&mut world, &kept, &["Deny"]);
    let (status, answer) = world.send("DELETE", MAPS, &Value::Null);
    let wanted = "configmaps \"Unknown\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: one at a time";
    assert_eq!((status, answer["message"].as_str()), (422, Some(wanted)));
    assert_eq!(world.send("DELETE", &format!("{MAPS}/kept"), &Value::Null).0, 200);
}

#[test]
fn conditions_of_a_policy_have_no_namespace() {
    let mut world = World::new();
    let mut spaces = policy(("", "configmaps"), &json!([{"expression": "namespaceObject == null"}]));
    spaces["spec"]["matchConditions"] = json!([{"name": "n", "expression": "namespaceObject == null"}]);
    enforce(&mut world, &spaces, &["Deny"]);
    assert_eq!(world.send("POST", MAPS, &config_map()).0, 422);
}
