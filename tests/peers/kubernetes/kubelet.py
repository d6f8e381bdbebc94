"""A kubelet's part of the API: nodes, and pods in any state."""

import datetime

NOW = datetime.datetime.now(datetime.timezone.utc)


def ago(**passed):
    """A time in the past; negative values are in the future."""
    return (NOW - datetime.timedelta(**passed)).strftime("%Y-%m-%dT%H:%M:%SZ")


def create_node(api, name):
    status, _ = api.call("POST", "/api/v1/nodes", {"metadata": {"name": name}})
    assert status in (201, 409)
    capacity = {"cpu": "64", "memory": "256Gi", "pods": "5000"}
    ready = [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": ago(), "lastHeartbeatTime": ago()}]
    body = {"status": {"capacity": capacity, "allocatable": capacity, "conditions": ready}}
    status, answer = api.call("PATCH", f"/api/v1/nodes/{name}/status", body, "application/merge-patch+json")
    assert status == 200, answer
    # A new node is tainted until it is ready, by a controller that does not run here.
    api.patch(f"/api/v1/nodes/{name}", {"spec": {"taints": None}})


def waiting(reason, message=""):
    return {"waiting": {"reason": reason, "message": message}}


def running(**passed):
    return {"running": {"startedAt": ago(**(passed or {"hours": 1}))}}


def terminated(code=0, reason="", signal=0, **passed):
    ended = {"exitCode": code, "finishedAt": ago(**(passed or {"hours": 1})), "startedAt": ago(hours=5)}
    return {"terminated": ended | ({"reason": reason} if reason else {}) | ({"signal": signal} if signal else {})}


def container(state, ready=False, restarts=0, last=None, name="c0", started=None):
    status = {"name": name, "image": "nginx:1", "imageID": "", "state": state, "ready": ready, "restartCount": restarts}
    return status | ({"lastState": last} if last else {}) | ({"started": started} if started is not None else {})


def named(prefix, containers):
    return [entry | {"name": f"{prefix}{n}"} for n, entry in enumerate(containers)]


def status_of(phase, containers=(), inits=(), **more):
    """A pod's status. `ready` sets its condition."""
    conditions = more.pop("conditions", None)
    if conditions is None:
        truth = "True" if more.pop("ready", False) else "False"
        conditions = [{"type": kind, "status": truth} for kind in ("Ready", "ContainersReady")]
    status = {"phase": phase, "conditions": conditions, "startTime": ago(hours=5)} | more
    if containers:
        status["containerStatuses"] = named("c", containers)
    if inits:
        status["initContainerStatuses"] = named("i", inits)
    return status


def create_pod(api, namespace, name, status, containers=1, inits=(), spec=None, metadata=None):
    """A pod of a node, with this status. `inits`: the restart policy of each init container, or None."""
    init_containers = []
    for number, policy in enumerate(inits):
        entry = {"name": f"i{number}", "image": "busybox:1"}
        init_containers.append(entry | ({"restartPolicy": policy} if policy else {}))
    body = {
        "metadata": {"name": name} | (metadata or {}),
        "spec": {
            "nodeName": "node-a",
            "containers": [{"name": f"c{n}", "image": "nginx:1"} for n in range(containers)],
            "initContainers": init_containers,
        }
        | (spec or {}),
    }
    body["spec"] = {field: value for field, value in body["spec"].items() if value is not None}
    api.create(f"/api/v1/namespaces/{namespace}/pods", body)
    if status is not None:
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
        code, answer = api.call("PATCH", path, {"status": status}, "application/merge-patch+json")
        assert code == 200, (name, answer)
