"""Charts on an emulated AKS: helm installs, waits, upgrades, rolls back and uninstalls, and a missing grant stops it."""

import json
import time


def states(cluster, app):
    return {row["STATUS"] for row in cluster.kubectl.rows("get", "pods", "-l", f"app={app}")}


def test_a_release_from_its_installation_to_its_end(cluster, chart):
    # Nothing is granted: the job of the hook never starts.
    code, out = cluster.run_helm("install", "web", chart, "--wait", "--timeout", "12s")
    assert code != 0 and "failed pre-install" in out and "timed out waiting for the condition" in out, out
    [pod] = cluster.kubectl.json("get", "pods", "-l", "job-name=web-prepare")["items"]
    waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff") and pod["status"]["phase"] == "Pending"
    [release] = json.loads(cluster.helm("list", "--all", "-o", "json"))
    assert release["status"] == "failed"

    cluster.grant()
    out = cluster.helm("upgrade", "--install", "web", chart, "--wait", "--timeout", "90s")
    assert 'Release "web" has been upgraded' in out, out
    assert states(cluster, "web") == {"Running"}
    [release] = json.loads(cluster.helm("list", "-o", "json"))
    assert (release["status"], release["revision"], release["app_version"]) == ("deployed", "2", "v1")
    assert "Phase:          Succeeded" in cluster.helm("test", "web", "--timeout", "60s")

    cluster.helm("upgrade", "web", chart, "--set", "replicas=3,tag=v2", "--wait", "--timeout", "90s")
    deployed = cluster.kubectl.json("get", "deployment", "web")
    assert deployed["status"]["readyReplicas"] == 3
    assert deployed["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v2")
    cluster.helm("rollback", "web", "2", "--wait", "--timeout", "90s")
    deployed = cluster.kubectl.json("get", "deployment", "web")
    assert deployed["status"]["readyReplicas"] == deployed["status"]["replicas"] == 2
    assert deployed["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v1")
    history = json.loads(cluster.helm("history", "web", "-o", "json"))
    assert [one["status"] for one in history] == ["superseded", "superseded", "superseded", "deployed"]

    cluster.helm("uninstall", "web", "--wait", "--timeout", "60s")
    for kind in ("deployments", "services", "configmaps", "secrets"):
        names = [one["metadata"]["name"] for one in cluster.kubectl.json("get", kind)["items"]]
        assert "web" not in names and not any("sh.helm" in name for name in names), names
    # Pods end in their own time.
    end = time.monotonic() + 60
    while cluster.kubectl("get", "pods", "-l", "app=web"):
        assert time.monotonic() < end
        time.sleep(0.5)


def test_a_chart_that_the_server_refuses_says_the_field(cluster, chart):
    code, out = cluster.run_helm("install", "wrong", chart, "--set", "replicas=many", "--no-hooks")
    assert code != 0 and "Deployment" in out and "spec.replicas" in out, out
    # helm has made what comes before.
    assert cluster.kubectl("get", "services,deployments", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name") == "service/wrong\n"
    cluster.helm("uninstall", "wrong", "--wait", "--timeout", "60s")
    assert "wrong" not in cluster.kubectl("get", "services,configmaps", "-o", "name")


def test_a_template_looks_objects_up(cluster, chart):
    (chart / "templates" / "NOTES.txt").write_text('{{ (lookup "v1" "Namespace" "" "kube-system").metadata.name }} was found')
    assert "kube-system was found" in cluster.helm("install", "look", chart, "--dry-run=server")
