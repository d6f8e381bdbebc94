"""What kubectl changes in a cluster."""

import base64
import json

from conftest import IMAGE, MANIFEST, REGISTRY


def managers(object):
    """Who wrote the object, and how."""
    return {(entry["manager"], entry["operation"]) for entry in object["metadata"]["managedFields"]}


def test_client_side_apply_creates_once_and_then_changes_what_differs(attached):
    kubectl = attached.kubectl
    apply = lambda text: kubectl("apply", "-f", "-", stdin=text)  # noqa: E731
    assert apply(MANIFEST) == "deployment.apps/web created\n"
    assert apply(MANIFEST) == "deployment.apps/web unchanged\n"
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    # A strategic merge: the container is found by its name, and its image stays.
    changed = MANIFEST.replace("          ports:", "          env: [{name: A, value: b}]\n          ports:")
    assert apply(changed) == "deployment.apps/web configured\n"
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    web = kubectl.json("get", "deployment", "web", "--show-managed-fields")
    [container] = web["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "A", "value": "b"}]
    assert container["image"] == IMAGE
    assert ("kubectl-client-side-apply", "Update") in managers(web)
    # Anything that is no longer stated is removed.
    apply(MANIFEST)
    [container] = kubectl.json("get", "deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert "env" not in container
    assert web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


def test_server_side_apply_keeps_managers_apart(attached):
    kubectl = attached.kubectl
    apply = ("apply", "--server-side", "-f", "-")
    assert kubectl(*apply, stdin=MANIFEST) == "deployment.apps/web serverside-applied\n"
    revision = kubectl.json("get", "deployment", "web")["metadata"]["generation"]
    kubectl(*apply, stdin=MANIFEST)
    assert kubectl.json("get", "deployment", "web")["metadata"]["generation"] == revision
    more = MANIFEST.replace("replicas: 2", "replicas: 3")
    errors = kubectl.fails(*apply, "--field-manager=other", stdin=more)
    assert 'conflict with "kubectl": .spec.replicas' in errors
    assert kubectl.json("get", "deployment", "web")["spec"]["replicas"] == 2
    kubectl(*apply, "--field-manager=other", "--force-conflicts", stdin=more)
    web = kubectl.json("get", "deployment", "web", "--show-managed-fields")
    assert web["spec"]["replicas"] == 3
    assert {("kubectl", "Apply"), ("other", "Apply")} <= managers(web)
    owners = [
        entry["manager"]
        for entry in web["metadata"]["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    ]
    assert owners == ["other"]


def test_a_client_side_applied_object_is_taken_over_by_the_server(deployed):
    kubectl = deployed.kubectl
    kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    web = kubectl.json("get", "deployment", "web", "--show-managed-fields")
    assert ("kubectl", "Apply") in managers(web)
    # kubectl itself rewrites the list of managers for this.
    assert ("kubectl-client-side-apply", "Update") not in managers(web)


def test_diff_shows_what_an_apply_would_change_and_changes_nothing(deployed):
    kubectl = deployed.kubectl
    assert kubectl("diff", "-f", "-", stdin=MANIFEST) == ""
    before = deployed.emulator.state()["clusters"][0]["deployments"]
    for side in ([], ["--server-side", "--force-conflicts"]):
        changed = MANIFEST.replace("replicas: 2", "replicas: 5")
        code, told, errors = kubectl.run("diff", *side, "-f", "-", stdin=changed)
        assert code == 1, errors
        lines = [line for line in told.splitlines() if line.strip().startswith(("-", "+"))]
        assert "-  replicas: 2" in lines and "+  replicas: 5" in lines
        assert not any("image" in line for line in lines)
    assert deployed.emulator.state()["clusters"][0]["deployments"] == before


def test_a_dry_run_on_the_server_leaves_nothing(kubectl):
    told = kubectl("apply", "--dry-run=server", "-f", "-", "-o", "json", stdin=MANIFEST)
    assert json.loads(told)["spec"]["revisionHistoryLimit"] == 10
    assert "not found" in kubectl.fails("get", "deployment", "web")


def test_fields_that_do_not_exist_are_refused_by_name(kubectl):
    errors = kubectl.fails("apply", "-f", "-", stdin=MANIFEST.replace("replicas:", "replicaz:"))
    assert 'unknown field "spec.replicaz"' in errors
    errors = kubectl.fails("apply", "--server-side", "-f", "-", stdin=MANIFEST.replace("replicas:", "replicaz:"))
    assert "replicaz" in errors
    errors = kubectl.fails("apply", "-f", "-", stdin=MANIFEST.replace("      app: web\n  template", "      app: x\n  template"))
    assert "spec.template.metadata.labels" in errors
    assert kubectl("get", "deployments", "-o", "name") == ""


def test_scale_changes_replicas_and_nothing_else(deployed):
    kubectl = deployed.kubectl
    assert kubectl("scale", "deployment/web", "--replicas=4") == "deployment.apps/web scaled\n"
    told = kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert 'deployment "web" successfully rolled out' in told
    assert [row["STATUS"] for row in kubectl.rows("get", "pods")] == ["Running"] * 4
    errors = kubectl.fails("scale", "deployment/web", "--replicas=1", "--current-replicas=9")
    assert "Expected replicas to be 9, was 4" in errors
    kubectl("scale", "deployment/web", "--replicas=0")
    kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=60s")
    assert kubectl.json("get", "pods")["items"] == []
    assert len(kubectl("get", "replicasets", "-o", "name").split()) == 1


def test_a_new_image_rolls_out_and_is_undone(deployed):
    kubectl = deployed.kubectl
    deployed.arm.import_image("group", REGISTRY, "mcr.microsoft.com/hello-world:latest", "nginx:v2")
    kubectl("set", "image", "deployment/web", f"nginx={REGISTRY}.azurecr.io/nginx:v2")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    shown = lambda: {pod["spec"]["containers"][0]["image"] for pod in kubectl.json("get", "pods", "-l", "app=web")["items"] if "deletionTimestamp" not in pod["metadata"]}  # noqa: E731
    assert shown() == {f"{REGISTRY}.azurecr.io/nginx:v2"}
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert shown() == {IMAGE}
    assert kubectl("rollout", "history", "deployment/web").split()[-4:] == ["2", "<none>", "3", "<none>"]


def test_delete_takes_all_that_belongs_to_it(deployed):
    kubectl = deployed.kubectl
    assert kubectl("delete", "-f", "-", stdin=MANIFEST) == 'deployment.apps "web" deleted\n'
    kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=60s")
    [cluster] = deployed.emulator.state()["clusters"]
    assert (cluster["deployments"], cluster["pods"]) == ([], [])
    assert kubectl("get", "replicasets", "-o", "name") == ""
    assert "not found" in kubectl.fails("delete", "deployment", "web")
    kubectl("delete", "deployment", "web", "--ignore-not-found")


def test_deleting_an_owner_alone_leaves_orphans(deployed):
    kubectl = deployed.kubectl
    kubectl("delete", "deployment", "web", "--cascade=orphan")
    [replicas] = kubectl.json("get", "replicasets")["items"]
    assert "ownerReferences" not in replicas["metadata"]
    assert len(kubectl.json("get", "pods")["items"]) == 2


def test_a_secret_of_the_registry_type_holds_the_login(kubectl):
    kubectl(
        "create", "secret", "docker-registry", "pull",
        f"--docker-server={REGISTRY}.azurecr.io", "--docker-username=user", "--docker-password=password",
    )  # fmt: skip
    secret = kubectl.json("get", "secret", "pull")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    login = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    auth = base64.b64encode(b"user:password").decode()
    assert login == {"auths": {f"{REGISTRY}.azurecr.io": {"username": "user", "password": "password", "auth": auth}}}
    [row] = kubectl.rows("get", "secrets")
    assert (row["TYPE"], row["DATA"]) == ("kubernetes.io/dockerconfigjson", "1")


def test_patches_of_three_kinds_change_the_object(deployed):
    kubectl = deployed.kubectl
    patch = lambda kind, body: kubectl("patch", "deployment", "web", f"--type={kind}", "-p", json.dumps(body))  # noqa: E731
    patch("merge", {"metadata": {"labels": {"tier": "front"}}})
    patch("json", [{"op": "replace", "path": "/spec/replicas", "value": 3}])
    patch("strategic", {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "workingDir": "/srv"}]}}}})
    web = kubectl.json("get", "deployment", "web")
    assert web["metadata"]["labels"] == {"app": "web", "tier": "front"}
    assert web["spec"]["replicas"] == 3
    [container] = web["spec"]["template"]["spec"]["containers"]
    assert (container["workingDir"], container["image"]) == ("/srv", IMAGE)


def test_a_namespace_goes_with_all_that_is_in_it(kubectl):
    kubectl("create", "namespace", "side")
    kubectl("create", "configmap", "settings", "--from-literal=a=b", "-n", "side")
    assert kubectl.json("get", "configmap", "settings", "-n", "side")["data"] == {"a": "b"}
    kubectl("delete", "namespace", "side")
    assert "not found" in kubectl.fails("get", "namespace", "side")
    # Each of the other namespaces has its own.
    assert set(kubectl("get", "configmaps", "-A", "-o", "name").split()) == {"configmap/kube-root-ca.crt"}
