"""Pods in all the states that `kubectl get pods` distinguishes: name, and the arguments of `kubelet.create_pod`."""

from kubelet import container as c
from kubelet import running, status_of, terminated, waiting

UP = c(running(), ready=True, started=True)
DONE = c(terminated(0, "Completed"))
SIDECAR = ("Always",)


def pending(reason):
    return status_of("Pending", [c(waiting(reason))])


def init(*states, containers=1):
    return status_of("Pending", [c(waiting("PodInitializing"))] * containers, [c(state) for state in states])


def kept(status, **more):
    """Being deleted, and kept by a finalizer."""
    return {"status": status, "metadata": {"finalizers": ["a.example/keep"]}, "deleted": True} | more


def state(status, **more):
    return {"status": status} | more


STATES = {
    "running": state(status_of("Running", [UP], ready=True)),
    "two-running": state(status_of("Running", [UP, UP], ready=True), containers=2),
    "one-of-two": state(status_of("Running", [UP, c(running())]), containers=2),
    "not-ready": state(status_of("Running", [c(running())])),
    "pending": state(None, spec={"nodeName": None, "schedulerName": "nobody"}),
    "gated": state(None, spec={"nodeName": None, "schedulingGates": [{"name": "a.example/gate"}]}),
    "creating": state(pending("ContainerCreating")),
    "no-status": state(None),
    "pull-error": state(pending("ErrImagePull")),
    "pull-back-off": state(pending("ImagePullBackOff")),
    "invalid-name": state(pending("InvalidImageName")),
    "never-pull": state(pending("ErrImageNeverPull")),
    "config-error": state(pending("CreateContainerConfigError")),
    "create-error": state(pending("CreateContainerError")),
    "run-error": state(pending("RunContainerError")),
    "crash-loop": state(status_of("Running", [c(waiting("CrashLoopBackOff"), restarts=7, last=terminated(1, "Error", minutes=5))])),
    "init-0-1": state(init(running()), inits=[None]),
    "init-1-2": state(init(terminated(0, "Completed"), running()), inits=[None, None]),
    "init-error": state(init(terminated(1, "Error")), inits=[None]),
    "init-crash": state(init(waiting("CrashLoopBackOff")), inits=[None]),
    "init-exit": state(init(terminated(3)), inits=[None]),
    "init-signal": state(init(terminated(137, signal=9)), inits=[None]),
    "init-pull": state(init(waiting("ImagePullBackOff")), inits=[None]),
    "init-waiting": state(init(waiting("PodInitializing"), waiting("PodInitializing")), inits=[None, None]),
    "initializing": state(init(terminated(0, "Completed")), inits=[None]),
    "completed": state(status_of("Succeeded", [DONE]), spec={"restartPolicy": "Never"}),
    "two-completed": state(status_of("Succeeded", [DONE, DONE]), containers=2, spec={"restartPolicy": "Never"}),
    "failed": state(status_of("Failed", [c(terminated(1, "Error"))]), spec={"restartPolicy": "Never"}),
    "exit-2": state(status_of("Failed", [c(terminated(2))]), spec={"restartPolicy": "Never"}),
    "signal-15": state(status_of("Failed", [c(terminated(143, signal=15))]), spec={"restartPolicy": "Never"}),
    "out-of-memory": state(status_of("Running", [c(terminated(137, "OOMKilled"), restarts=1)])),
    "evicted": state(status_of("Failed", reason="Evicted", message="The node was low on resource: memory.")),
    "out-of-cpu": state(status_of("Failed", reason="OutOfcpu")),
    "unknown-phase": state(status_of("Unknown")),
    "status-unknown": state(status_of("Failed", [c(terminated(137, "ContainerStatusUnknown"))])),
    "half-completed": state(status_of("Running", [UP, DONE], ready=True), containers=2),
    "half-completed-not-ready": state(status_of("Running", [c(running(), ready=True), DONE]), containers=2),
    "restarted-minutes": state(status_of("Running", [c(running(), True, 3, terminated(1, "Error", minutes=5))], ready=True)),
    "restarted-hours": state(status_of("Running", [c(running(), True, 4, terminated(1, "Error", hours=3))], ready=True)),
    "restarted-days": state(status_of("Running", [c(running(), True, 12, terminated(1, "Error", days=3))], ready=True)),
    "restarted-years": state(status_of("Running", [c(running(), True, 1, terminated(1, "Error", days=800))], ready=True)),
    "restarted-in-the-future": state(status_of("Running", [c(running(), True, 1, terminated(1, "Error", hours=-1))], ready=True)),
    "restarted-without-time": state(status_of("Running", [c(running(), True, 2)], ready=True)),
    "two-restarted": state(
        status_of("Running", [c(running(), True, 1, terminated(1, hours=9)), c(running(), True, 2, terminated(1, hours=4))], ready=True),
        containers=2,
    ),
    "sidecar": state(status_of("Running", [UP], [c(running(), True, started=True)], ready=True), inits=SIDECAR),
    "sidecar-not-started": state(init(running()), inits=SIDECAR),
    "sidecar-not-ready": state(status_of("Running", [UP], [c(running(), False, started=True)]), inits=SIDECAR),
    "sidecar-crashing": state(status_of("Pending", [c(waiting("PodInitializing"))], [c(waiting("CrashLoopBackOff"))]), inits=SIDECAR),
    "sidecar-ended": state(status_of("Succeeded", [DONE], [c(terminated(0, "Completed"))]), inits=SIDECAR, spec={"restartPolicy": "Never"}),
    "sidecar-killed": state(status_of("Succeeded", [DONE], [c(terminated(137, "Error"))]), inits=SIDECAR, spec={"restartPolicy": "Never"}),
    "sidecar-and-init": state(
        status_of("Pending", [c(waiting("PodInitializing"))], [c(running(), True, started=True), c(running())]),
        inits=["Always", None],
    ),
    "sidecar-restarted": state(
        status_of("Running", [UP], [c(running(), True, 5, terminated(1, hours=2), started=True)], ready=True), inits=SIDECAR
    ),
    "terminating": kept(status_of("Running", [UP], ready=True)),
    "terminating-pending": kept(pending("ContainerCreating")),
    "node-lost": kept(status_of("Running", [UP], reason="NodeLost")),
    "succeeded-and-deleted": kept(status_of("Succeeded", [DONE]), spec={"restartPolicy": "Never"}),
    "failed-and-deleted": kept(status_of("Failed", [c(terminated(1, "Error"))]), spec={"restartPolicy": "Never"}),
    "a" * 80 + "-84z": state(status_of("Running", [UP], ready=True)),
    "web-10": state(status_of("Running", [UP], ready=True)),
    "web-9": state(status_of("Running", [UP], ready=True)),
    "web.b": state(status_of("Running", [UP], ready=True)),
    "web": state(status_of("Running", [UP], ready=True)),
}
