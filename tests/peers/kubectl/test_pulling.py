"""Pods that cannot pull, and what makes them run."""

from conftest import GROUP, IMAGE, MANIFEST, REGISTRY


def reasons(kubectl):
    """Why containers wait; `None` for one that does not."""
    pods = kubectl.json("get", "pods", "-l", "app=web")["items"]
    return [pod["status"]["containerStatuses"][0]["state"].get("waiting", {}).get("reason") for pod in pods]


def test_pods_go_from_back_off_to_running_when_the_role_is_assigned(azure, kubectl):
    kubectl("apply", "-f", "-", stdin=MANIFEST)
    azure.pass_time(3)
    assert [row["STATUS"] for row in kubectl.rows("get", "pods")] == ["ImagePullBackOff", "ImagePullBackOff"]
    errors = kubectl.fails("rollout", "status", "deployment/web", "--timeout=1s")
    assert "timed out waiting for the condition" in errors
    told = kubectl("describe", "pods", "-l", "app=web")
    assert f'Failed to pull image "{IMAGE}"' in told and "401 Unauthorized" in told
    assert "trying and failing to pull image" in kubectl.fails("logs", "deployment/web")
    assert [row["READY"] for row in kubectl.rows("get", "deployments")] == ["0/2"]

    azure.attach()
    azure.pass_time(20)
    told = kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert 'deployment "web" successfully rolled out' in told
    assert [row["STATUS"] for row in kubectl.rows("get", "pods")] == ["Running", "Running"]
    digest = azure.emulator.state()["registries"][0]["images"]["nginx"]["v1"]
    ids = {pod["status"]["containerStatuses"][0]["imageID"] for pod in kubectl.json("get", "pods")["items"]}
    assert ids == {f"{REGISTRY}.azurecr.io/nginx@{digest}"}
    assert len(kubectl("logs", "-l", "app=web").splitlines()) == 2


def test_pods_that_run_go_on_when_the_role_is_taken_away_and_new_ones_cannot_pull(deployed):
    kubectl = deployed.kubectl
    path = f"{deployed.registry['id']}/providers/Microsoft.Authorization/roleAssignments"
    answer, _ = deployed.arm.call("GET", path + "?$filter=atScope()", "2022-04-01")
    for assignment in answer["value"]:
        if assignment["properties"]["scope"].lower() == deployed.registry["id"].lower():
            deployed.arm.call("DELETE", assignment["id"], "2022-04-01")
    assert [row["STATUS"] for row in kubectl.rows("get", "pods")] == ["Running", "Running"]
    deployed.arm.import_image(GROUP, REGISTRY, "docker.io/library/hello-world:latest", "fresh:v1")
    deployed.pass_time(4 * 3600)
    kubectl("run", "late", f"--image={REGISTRY}.azurecr.io/fresh:v1")
    deployed.pass_time(3)
    assert kubectl.rows("get", "pod", "late")[0]["STATUS"] == "ImagePullBackOff"
    assert "401 Unauthorized" in kubectl("describe", "pod", "late")


def test_a_secret_with_the_admin_login_is_enough_without_any_role(azure, kubectl):
    azure.arm.registry(GROUP, REGISTRY, adminUserEnabled=True)
    user, password = azure.arm.admin(GROUP, REGISTRY)
    kubectl(
        "create", "secret", "docker-registry", "pull",
        f"--docker-server={REGISTRY}.azurecr.io", f"--docker-username={user}", f"--docker-password={password}",
    )  # fmt: skip
    with_secret = MANIFEST.replace("      containers:", "      imagePullSecrets: [{name: pull}]\n      containers:")
    kubectl("apply", "-f", "-", stdin=with_secret)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert [row["STATUS"] for row in kubectl.rows("get", "pods")] == ["Running", "Running"]
    scopes = [one["scope"].lower() for one in azure.emulator.state()["roleAssignments"]]
    assert azure.registry["id"].lower() not in scopes


def test_a_tag_that_is_not_there_is_not_found(attached):
    kubectl = attached.kubectl
    kubectl("apply", "-f", "-", stdin=MANIFEST.replace("nginx:v1", "nginx:v9"))
    attached.pass_time(3)
    assert reasons(kubectl) == ["ImagePullBackOff", "ImagePullBackOff"]
    told = kubectl("describe", "pods", "-l", "app=web")
    assert f"{REGISTRY}.azurecr.io/nginx:v9: not found" in told


def test_public_images_need_no_attachment(kubectl):
    kubectl("create", "deployment", "hello", "--image=mcr.microsoft.com/azuredocs/aks-helloworld:v1")
    kubectl("rollout", "status", "deployment/hello", "--timeout=30s")
    [pod] = kubectl.json("get", "pods")["items"]
    assert pod["status"]["containerStatuses"][0]["imageID"].startswith("mcr.microsoft.com/azuredocs/aks-helloworld@sha256:")
