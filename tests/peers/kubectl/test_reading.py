"""What kubectl shows of a cluster."""

import json
import threading

from conftest import CLUSTER, GROUP, IMAGE, MANIFEST


def test_it_knows_the_version_of_the_server_and_the_kinds(kubectl):
    told = kubectl.json("version")
    assert told["clientVersion"]["gitVersion"] == "v1.33.3"
    assert told["serverVersion"]["gitVersion"].startswith("v1.")
    kinds = kubectl("api-resources", "--no-headers").splitlines()
    deployments = next(line.split() for line in kinds if line.startswith("deployments "))
    assert deployments == ["deployments", "deploy", "apps/v1", "true", "Deployment"]


def test_wide_tables_of_nodes_have_addresses_and_runtimes(azure, kubectl):
    rows = kubectl.rows("get", "nodes", "-o", "wide")
    assert len(rows) == 2
    assert {row["STATUS"] for row in rows} == {"Ready"}
    assert {row["VERSION"] for row in rows} == {"v" + azure.cluster["properties"]["currentKubernetesVersion"]}
    assert rows[0]["INTERNAL-IP"] == "10.224.0.4"
    assert all(row["CONTAINER-RUNTIME"].startswith("containerd://") for row in rows)


def test_a_deployment_is_seen_with_its_replica_set_and_pods(deployed):
    kubectl = deployed.kubectl
    [deployment] = kubectl.rows("get", "deployments", "-o", "wide")
    assert (deployment["NAME"], deployment["READY"], deployment["AVAILABLE"]) == ("web", "2/2", "2")
    assert (deployment["CONTAINERS"], deployment["IMAGES"], deployment["SELECTOR"]) == ("nginx", IMAGE, "app=web")
    [replicas] = kubectl.rows("get", "replicasets")
    assert (replicas["DESIRED"], replicas["CURRENT"], replicas["READY"]) == ("2", "2", "2")
    pods = kubectl.rows("get", "pods", "-o", "wide")
    assert [pod["STATUS"] for pod in pods] == ["Running", "Running"]
    assert {pod["NODE"] for pod in pods} == {row["NAME"] for row in kubectl.rows("get", "nodes")}
    # `all` is a category, which discovery has to tell.
    names = kubectl("get", "all", "-o", "name").split()
    assert sorted(name.split("/")[0] for name in names) == ["deployment.apps", "pod", "pod", "replicaset.apps"]


def test_selectors_choose_pods_by_label_and_by_field(deployed):
    kubectl = deployed.kubectl
    kubectl("run", "other", f"--image={IMAGE}", "--labels=app=other")
    names = lambda *arguments: kubectl("get", "pods", "-o", "name", *arguments).split()  # noqa: E731
    assert len(names()) == 3
    assert len(names("-l", "app=web")) == 2
    assert names("-l", "app in (other, none)") == ["pod/other"]
    assert names("-l", "app,app!=web") == ["pod/other"]
    assert names("--field-selector", "metadata.name=other") == ["pod/other"]
    assert names("-l", "app=nobody") == []


def test_json_is_what_the_server_holds(deployed):
    pods = deployed.kubectl.json("get", "pods")["items"]
    [cluster] = deployed.emulator.state()["clusters"]
    held = {pod["metadata"]["uid"]: pod["status"] for pod in cluster["pods"]}
    assert {pod["metadata"]["uid"]: pod["status"] for pod in pods} == held
    assert all(pod["spec"]["containers"][0]["image"] == IMAGE for pod in pods)


def test_describe_tells_conditions_and_events(deployed):
    kubectl = deployed.kubectl
    told = kubectl("describe", "deployment", "web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in told
    assert "MinimumReplicasAvailable" in told and "Scaled up replica set" in told
    told = kubectl("describe", "pods", "-l", "app=web")
    assert f'Successfully pulled image "{IMAGE}"' in told or "already present on machine" in told
    assert "Started container nginx" in told
    node = kubectl("get", "nodes", "-o", "name").split()[0]
    assert "KubeletReady" in kubectl("describe", node)


def test_events_are_a_table_of_what_happened(deployed):
    rows = deployed.kubectl.rows("get", "events")
    scaled = [row for row in rows if row["REASON"] == "ScalingReplicaSet"]
    assert [(row["TYPE"], row["OBJECT"]) for row in scaled] == [("Normal", "deployment/web")]
    assert "from 0 to 2" in scaled[0]["MESSAGE"]


def test_logs_come_from_containers_that_run(deployed):
    kubectl = deployed.kubectl
    told = kubectl("logs", "-l", "app=web", "--prefix")
    assert len(told.splitlines()) == 2
    assert all("/nginx] nginx: started from" in line for line in told.splitlines())
    assert kubectl("logs", "deployment/web", "-c", "nginx", "--tail=0") == ""
    assert "not valid for pod" in kubectl.fails("logs", "deployment/web", "-c", "nobody")


def until_gone(watch, count):
    """The events of a watch until so many objects are deleted: kind, name and phase."""
    timer = threading.Timer(60, watch.kill)
    timer.start()
    seen, text = [], ""
    for line in watch.stdout:
        text += line
        try:
            event = json.loads(text)
        except ValueError:
            continue  # a document of several lines
        text = ""
        seen.append((event["type"], event["object"]["metadata"]["name"], event["object"]["status"].get("phase")))
        if sum(kind == "DELETED" for kind, _, _ in seen) == count:
            break
    timer.cancel()
    return seen


def test_a_watch_shows_pods_come_and_go(attached):
    kubectl = attached.kubectl
    watch = kubectl.start("get", "pods", "-w", "--output-watch-events", "-o", "json")
    try:
        kubectl("apply", "-f", "-", stdin=MANIFEST)
        kubectl("rollout", "status", "deployment/web", "--timeout=30s")
        kubectl("delete", "deployment", "web")
        seen = until_gone(watch, 2)
    finally:
        watch.kill()
        watch.communicate()
    names = {name for _, name, _ in seen}
    assert len(names) == 2
    for name in names:
        of_one = [(kind, phase) for kind, whose, phase in seen if whose == name]
        assert of_one[0] == ("ADDED", "Pending")
        assert ("MODIFIED", "Running") in of_one
        assert of_one[-1][0] == "DELETED"


def test_what_is_absent_is_not_found(kubectl):
    assert 'deployments.apps "none" not found' in kubectl.fails("get", "deployment", "none")
    assert "the server doesn't have a resource type" in kubectl.fails("get", "nothings")
    assert "No resources found" in kubectl.run("get", "pods")[2]


def test_who_shows_a_wrong_token_is_turned_away(azure):
    text = azure.arm.kubeconfig(GROUP, CLUSTER)
    token = next(line for line in text.splitlines() if "token:" in line)
    config = azure.emulator.home / "wrong"
    config.write_text(text.replace(token, "    token: wrong"))
    errors = azure.kubectl.fails("--kubeconfig", str(config), "get", "pods")
    assert "must be logged in" in errors or "Unauthorized" in errors
