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
