"""The requests of `test_differences.py`, by scenario. Each scenario has its own namespace, of the same name on both servers."""

import copy
import time

from both import status_of

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


# No node has this label: the pods stay pending on both servers.
NOWHERE = {"nodeSelector": {"no": "node"}}


def container(**more):
    return {"name": "c", "image": "nginx:1"} | more


def pod_spec(*containers, **more):
    return NOWHERE | {"containers": list(containers) or [container()]} | more


def template(*containers, labels=None, **more):
    return {"metadata": {"labels": labels or {"app": "a"}}, "spec": pod_spec(*containers, **more)}


SELECTOR = {"matchLabels": {"app": "a"}}


def workload(kind, name, group="apps/v1", **spec):
    spec = {"selector": SELECTOR, "template": template()} | spec
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}


def deployment(name="web", **spec):
    return workload("Deployment", name, **({"replicas": 1} | spec))


def job(name="job", **spec):
    restarts = {"template": template(restartPolicy="Never"), "backoffLimit": 2}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": restarts | spec}


def pod(name="p", *containers, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod_spec(*containers, **spec)}


def plain(kind, name, group="v1", **fields):
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}} | fields


APPS, BATCH, CORE = "/apis/apps/v1", "/apis/batch/v1", "/api/v1"

# Kind: base, plural, object, a change by merge patch, the field that the change sets.
KINDS = {
    "ConfigMap": (CORE, "configmaps", plain("ConfigMap", "c", data={"a": "b"}), {"data": {"a": "c"}}),
    "Secret": (CORE, "secrets", plain("Secret", "s", stringData={"a": "b"}), {"stringData": {"a": "c"}}),
    "Service": (
        CORE,
        "services",
        plain("Service", "sv", spec={"selector": {"app": "a"}, "ports": [{"port": 80}]}),
        {"spec": {"selector": {"app": "b"}}},
    ),
    "ServiceAccount": (CORE, "serviceaccounts", plain("ServiceAccount", "robot"), {"automountServiceAccountToken": False}),
    "Pod": (CORE, "pods", pod(), {"metadata": {"labels": {"x": "y"}}}),
    "Deployment": (APPS, "deployments", deployment(), {"spec": {"replicas": 2}}),
    "StatefulSet": (APPS, "statefulsets", workload("StatefulSet", "sts", serviceName="sts"), {"spec": {"replicas": 2}}),
    "DaemonSet": (APPS, "daemonsets", workload("DaemonSet", "ds"), {"spec": {"minReadySeconds": 3}}),
    "ReplicaSet": (APPS, "replicasets", workload("ReplicaSet", "rs"), {"spec": {"replicas": 2}}),
    "Job": (BATCH, "jobs", job(), {"spec": {"activeDeadlineSeconds": 1000}}),
    "CronJob": (
        BATCH,
        "cronjobs",
        plain("CronJob", "cj", "batch/v1", spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": job()["spec"]}}),
        {"spec": {"suspend": True}},
    ),
    "Role": (
        "/apis/rbac.authorization.k8s.io/v1",
        "roles",
        plain("Role", "r", "rbac.authorization.k8s.io/v1", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
        {"rules": []},
    ),
    "RoleBinding": (
        "/apis/rbac.authorization.k8s.io/v1",
        "rolebindings",
        plain(
            "RoleBinding",
            "rb",
            "rbac.authorization.k8s.io/v1",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            subjects=[{"kind": "User", "name": "u"}],
        ),
        {"subjects": []},
    ),
    "Ingress": (
        "/apis/networking.k8s.io/v1",
        "ingresses",
        plain(
            "Ingress",
            "i",
            "networking.k8s.io/v1",
            spec={"defaultBackend": {"service": {"name": "sv", "port": {"number": 80}}}},
        ),
        {"metadata": {"labels": {"x": "y"}}},
    ),
    "NetworkPolicy": (
        "/apis/networking.k8s.io/v1",
        "networkpolicies",
        plain("NetworkPolicy", "np", "networking.k8s.io/v1", spec={"podSelector": {}, "ingress": [{}]}),
        {"metadata": {"labels": {"x": "y"}}},
    ),
    "PodDisruptionBudget": (
        "/apis/policy/v1",
        "poddisruptionbudgets",
        plain("PodDisruptionBudget", "b", "policy/v1", spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "other"}}}),
        {"spec": {"minAvailable": 2}},
    ),
    "HorizontalPodAutoscaler": (
        "/apis/autoscaling/v2",
        "horizontalpodautoscalers",
        plain(
            "HorizontalPodAutoscaler",
            "h",
            "autoscaling/v2",
            spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}, "maxReplicas": 3},
        ),
        {"spec": {"maxReplicas": 4}},
    ),
    "PersistentVolumeClaim": (
        CORE,
        "persistentvolumeclaims",
        plain(
            "PersistentVolumeClaim",
            "claim",
            spec={"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}},
        ),
        {"metadata": {"labels": {"x": "y"}}},
    ),
    "ResourceQuota": (CORE, "resourcequotas", plain("ResourceQuota", "q", spec={"hard": {"services": "50"}}), {"spec": {"hard": {"services": "60"}}}),
    "LimitRange": (
        CORE,
        "limitranges",
        plain("LimitRange", "l", spec={"limits": [{"type": "Container", "max": {"cpu": "8"}}]}),
        {"metadata": {"labels": {"x": "y"}}},
    ),
    "Lease": (
        "/apis/coordination.k8s.io/v1",
        "leases",
        plain(
            "Lease",
            "exchange",
            "coordination.k8s.io/v1",
            spec={"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-11-29T08:00:00.100000Z", "leaseTransitions": 0},
        ),
        {"spec": {"holderIdentity": "other", "renewTime": "2026-11-29T08:00:01.000000Z"}},
    ),
}

CLUSTER_WIDE = {
    "ClusterRole": (
        "/apis/rbac.authorization.k8s.io/v1",
        "clusterroles",
        plain("ClusterRole", "exchange", "rbac.authorization.k8s.io/v1", rules=[]),
    ),
    "ClusterRoleBinding": (
        "/apis/rbac.authorization.k8s.io/v1",
        "clusterrolebindings",
        plain(
            "ClusterRoleBinding",
            "exchange",
            "rbac.authorization.k8s.io/v1",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            subjects=[{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}],
        ),
    ),
    "StorageClass": (
        "/apis/storage.k8s.io/v1",
        "storageclasses",
        plain("StorageClass", "exchange", "storage.k8s.io/v1", provisioner="disk.csi.azure.com"),
    ),
    "PriorityClass": (
        "/apis/scheduling.k8s.io/v1",
        "priorityclasses",
        plain("PriorityClass", "exchange", "scheduling.k8s.io/v1", value=1000),
    ),
    "PersistentVolume": (
        CORE,
        "persistentvolumes",
        plain(
            "PersistentVolume",
            "exchange",
            # Without a class of its own, a claim of another test could be bound to it.
            spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}, "storageClassName": "exchange"},
        ),
    ),
    "Namespace": (CORE, "namespaces", plain("Namespace", "exchange")),
}

# Controllers write these, after a moment.
SETTLED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod", "PodDisruptionBudget", "ResourceQuota", "PersistentVolume")


def place(base, namespace, plural, name=""):
    return f"{base}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def verbs(kind, base, plural, object, change):
    """Every verb on one kind."""
    name = object["metadata"]["name"]

    def run(both, namespace):
        all, one = place(base, namespace, plural), place(base, namespace, plural, name)
        read = both.settled if kind in SETTLED else lambda label, path: both(label, "GET", path)
        both("get, missing", "GET", one)
        both("create, dry run", "POST", f"{all}?dryRun=All", object)
        both("create", "POST", all, object)
        both("create, exists", "POST", all, object)
        read("get", one)
        both("list", "GET", f"{all}?fieldSelector=metadata.name%3D{name}")
        both("list, no match", "GET", f"{all}?labelSelector=no%3Dmatch")
        both("merge patch", "PATCH", one, change, "merge")
        found = read("get, patched", one)
        both("replace", "PUT", one, tuple(labelled(body, "replaced") for body in found))
        both("replace, outdated", "PUT", one, tuple(outdated(body) for body in found))
        both("json patch", "PATCH", one, [{"op": "add", "path": "/metadata/annotations", "value": {"k": "v"}}], "patch")
        both("strategic patch", "PATCH", one, {"metadata": {"annotations": {"l": "w"}}}, "strategic")
        applied = object | {"metadata": {"name": name, "labels": {"applied": "yes"}}}
        both("apply", "PATCH", f"{one}?fieldManager=first", applied, "apply")
        read("get, applied", one)
        both("delete, dry run", "DELETE", f"{one}?dryRun=All")
        both("delete", "DELETE", one)
        both("delete, missing", "DELETE", f"{all}/missing")
        second = copy.deepcopy(applied)
        second["metadata"]["name"] = "second"
        both("apply, new", "PATCH", f"{all}/second?fieldManager=first", second, "apply")
        second["metadata"]["labels"]["applied"] = "again"
        both("apply, conflict", "PATCH", f"{all}/second?fieldManager=other", second, "apply")
        both("apply, forced", "PATCH", f"{all}/second?fieldManager=other&force=true", second, "apply")
        read("get, forced", f"{all}/second")

    return run


def labelled(body, value):
    body = copy.deepcopy(body)
    body["metadata"]["labels"] = {"l": value}
    return body


def outdated(body):
    return labelled(body, "outdated") | {"metadata": body["metadata"] | {"resourceVersion": "1"}}


for kind, (base, plural, object, change) in KINDS.items():
    SCENARIOS[kind] = verbs(kind, base, plural, object, change)


def cluster_wide(base, plural, object):
    def run(both, namespace):
        all = f"{base}/{plural}"
        name = object["metadata"]["name"]
        both("get, missing", "GET", f"{all}/{name}")
        both("create", "POST", all, object)
        both.settled("get", f"{all}/{name}")
        both("apply", "PATCH", f"{all}/{name}?fieldManager=first", object | {"metadata": {"name": name, "labels": {"a": "b"}}}, "apply")
        both("merge patch", "PATCH", f"{all}/{name}", {"metadata": {"labels": {"a": "c"}}}, "merge")
        both("delete", "DELETE", f"{all}/{name}")

    return run


@scenario
def whole_objects(both, namespace):
    """A PUT that makes an object, and one that does not name the revision it changes."""
    for kind, (base, plural, object, _) in KINDS.items():
        one = place(base, namespace, plural, object["metadata"]["name"])
        both(f"{kind}, not there", "PUT", one, object)
        both(f"{kind}, once more", "PUT", one, labelled(object, "more"))
        both(f"{kind}, deleted", "DELETE", one)
    leases = place("/apis/coordination.k8s.io/v1", namespace, "leases")
    for label, spec in {
        "no duration": {"leaseDurationSeconds": 0},
        "less than none": {"leaseTransitions": -1, "leaseDurationSeconds": -1},
        "no one": {"holderIdentity": ""},
        "another time": {"acquireTime": "2026-11-29T09:00:00.000000+01:00"},
    }.items():
        both(f"lease of {label}", "POST", leases, plain("Lease", "l", "coordination.k8s.io/v1", spec=spec))


for kind, (base, plural, object) in CLUSTER_WIDE.items():
    SCENARIOS[kind] = cluster_wide(base, plural, object)


def applied(both, namespace, cases, base=CORE, plural="pods", query=""):
    """Each object as a new one, by server-side apply as a dry run."""
    for label, object in cases.items():
        path = place(base, namespace, plural, object["metadata"]["name"])
        both(label, "PATCH", f"{path}?fieldManager=first&dryRun=All{query}", object, "apply")


@scenario
def schema(both, namespace):
    """Objects that do not fit the schema of their kind."""
    pods = {
        "unknown field of a pod": pod(image="x"),
        "unknown field of a container": pod("p", container(unknown="x")),
        "text for a boolean": pod("p", hostNetwork="yes"),
        "number for a text": pod("p", container(image=1)),
        "list for a map": pod(nodeSelector=["a"]),
        "map for a list": pod(tolerations={"a": "b"}),
        "two containers of one name": pod("p", container(), container()),
        "two ports": pod("p", container(ports=[{"containerPort": 80}, {"containerPort": 80}])),
        "two variables": pod("p", container(env=[{"name": "A", "value": "a"}, {"name": "A", "value": "b"}])),
        "bad quantity": pod("p", container(resources={"limits": {"cpu": "abc"}})),
        "fraction for an integer": pod(terminationGracePeriodSeconds=1.5),
        "text for a mode": pod(volumes=[{"name": "v", "configMap": {"name": "c", "defaultMode": "0644"}}]),
    }
    applied(both, namespace, pods)
    deployments = {
        "unknown field of a deployment": deployment(replicaz=1),
        "text for a number": deployment(replicas="two"),
        "text for paused": deployment(paused="yes"),
    }
    applied(both, namespace, deployments, APPS, "deployments")
    applied(both, namespace, {"number in data": plain("ConfigMap", "c", data={"a": 1})}, plural="configmaps")
    applied(both, namespace, {"wrong case": plain("ConfigMap", "c", Data={"a": "b"})}, plural="configmaps")
    applied(both, namespace, {"bad base64": plain("Secret", "s", data={"a": "***"})}, plural="secrets")
    applied(both, namespace, {"port as text": plain("Service", "s", spec={"ports": [{"port": "80"}]})}, plural="services")
    applied(both, namespace, {"unknown field of a job": job(tries=3)}, BATCH, "jobs")
    # Other writes decode in another way.
    all = place(CORE, namespace, "pods")
    for label in ("text for a boolean", "number for a text", "map for a list", "bad quantity"):
        both(f"create, {label}", "POST", f"{all}?dryRun=All", pods[label])
    for validation in ("Strict", "Warn", "Ignore"):
        path = f"{all}?dryRun=All&fieldValidation={validation}"
        both(f"create, unknown field, {validation}", "POST", path, pods["unknown field of a container"])
    path = f"{place(CORE, namespace, 'secrets')}?dryRun=All"
    both("create, bad base64", "POST", path, plain("Secret", "s", data={"a": "***"}))


@scenario
def pod_validation(both, namespace):
    """Pods that fit their schema and are refused."""
    applied(
        both,
        namespace,
        {
            "no containers": plain("Pod", "p", spec={"containers": []}),
            "no image": pod("p", {"name": "c"}),
            "no name of a container": pod("p", {"image": "x", "name": ""}),
            "bad name of a container": pod("p", container(name="C")),
            "image with blanks": pod("p", container(image=" nginx")),
            "bad pull policy": pod("p", container(imagePullPolicy="Often")),
            "bad restart policy": pod(restartPolicy="Sometimes"),
            "bad dns policy": pod(dnsPolicy="Nowhere"),
            "port 0": pod("p", container(ports=[{"containerPort": 0}])),
            "port 80000": pod("p", container(ports=[{"containerPort": 80000}])),
            "bad protocol": pod("p", container(ports=[{"containerPort": 80, "protocol": "QUIC"}])),
            "requests over limits": pod("p", container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "2"}})),
            "mount without a volume": pod("p", container(volumeMounts=[{"name": "v", "mountPath": "/v"}])),
            "mount without a path": pod("p", container(volumeMounts=[{"name": "v", "mountPath": ""}]), volumes=[{"name": "v", "emptyDir": {}}]),
            "value and valueFrom": pod(
                "p", container(env=[{"name": "A", "value": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])
            ),
            "bad variable": pod("p", container(env=[{"name": "=", "value": "a"}])),
            "probe without a handler": pod("p", container(livenessProbe={"periodSeconds": 3})),
            "volume of two kinds": pod(volumes=[{"name": "v", "emptyDir": {}, "configMap": {"name": "c"}}]),
            "two volumes of one name": pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]),
            "init container of the same name": pod(initContainers=[container()]),
            "negative grace": pod(terminationGracePeriodSeconds=-5),
            "bad toleration": pod(tolerations=[{"key": "a", "operator": "Maybe"}]),
            "several flaws": pod("p", container(name="C", imagePullPolicy="Often"), restartPolicy="Sometimes"),
        },
    )


@scenario
def pod_defaults(both, namespace):
    """Pods with many fields."""
    probe = {"httpGet": {"path": "/", "port": 80}}
    source = {"configMapKeyRef": {"name": "c", "key": "k"}}
    applied(
        both,
        namespace,
        {
            "probes": pod("p", container(livenessProbe=probe, readinessProbe={"tcpSocket": {"port": 80}}, startupProbe={"exec": {"command": ["a"]}})),
            "ports": pod("p", container(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP", "name": "dns"}])),
            "quantities": pod("p", container(resources={"limits": {"cpu": "1500m", "memory": "1024Mi"}, "requests": {"cpu": 0.5, "memory": "1000000000"}})),
            "volumes": pod(
                volumes=[
                    {"name": "a", "configMap": {"name": "c"}},
                    {"name": "b", "secret": {"secretName": "s"}},
                    {"name": "c", "emptyDir": {"sizeLimit": "1024Ki"}},
                    {"name": "d", "hostPath": {"path": "/x"}},
                    {"name": "e", "projected": {"sources": [{"secret": {"name": "s"}}]}},
                    {"name": "f", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                    {"name": "g", "persistentVolumeClaim": {"claimName": "x"}},
                ]
            ),
            "variables": pod(
                "p",
                container(
                    env=[
                        {"name": "A", "value": ""},
                        {"name": "B", "valueFrom": source},
                        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    ],
                    envFrom=[{"secretRef": {"name": "s"}}],
                ),
            ),
            "untagged image": pod("p", container(image="nginx")),
            "image by digest": pod("p", container(image="nginx@sha256:" + "a" * 64)),
            "host network": pod("p", container(ports=[{"containerPort": 80}]), hostNetwork=True),
            "service account": pod(serviceAccountName="default", automountServiceAccountToken=False),
            "init container": pod(initContainers=[{"name": "i", "image": "busybox"}]),
            "sidecar": pod(initContainers=[{"name": "i", "image": "busybox:1", "restartPolicy": "Always"}]),
            "lifecycle": pod("p", container(lifecycle={"preStop": {"httpGet": {"port": 80}}})),
            "affinity": pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}),
            "spread": pod(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]),
        },
    )


@scenario
def workload_validation(both, namespace):
    """Workloads that are refused."""
    other = template(labels={"app": "b"})
    zero = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}
    applied(
        both,
        namespace,
        {
            "no selector": plain("Deployment", "web", "apps/v1", spec={"template": template()}),
            "empty selector": deployment(selector={}),
            "selector of other labels": deployment(template=other),
            "negative replicas": deployment(replicas=-1),
            "no surge and none unavailable": deployment(strategy=zero),
            "recreate with rolling update": deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
            "bad strategy": deployment(strategy={"type": "Slow"}),
            "bad percentage": deployment(strategy={"rollingUpdate": {"maxSurge": "x"}}),
            "restart policy": deployment(template=template(restartPolicy="Never")),
            "deadline before ready": deployment(minReadySeconds=20, progressDeadlineSeconds=10),
            "bad label of the template": deployment(template=template(labels={"app": "a", "b": "c d"})),
            "no containers": deployment(template={"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}}),
        },
        APPS,
        "deployments",
    )
    applied(both, namespace, {"statefulset, bad policy": workload("StatefulSet", "sts", podManagementPolicy="Some")}, APPS, "statefulsets")
    applied(both, namespace, {"daemonset, never": workload("DaemonSet", "ds", template=template(restartPolicy="Never"))}, APPS, "daemonsets")
    jobs = {
        "job, always": job(template=template(restartPolicy="Always")),
        "job, no restart policy": job(template=template()),
        "job, negative": job(parallelism=-1),
        "job, selector": job(selector=SELECTOR),
    }
    applied(both, namespace, jobs, BATCH, "jobs")


@scenario
def other_validation(both, namespace):
    """Other kinds that are refused."""
    applied(
        both,
        namespace,
        {
            "bad name": plain("ConfigMap", "A_b"),
            "bad key": plain("ConfigMap", "c", data={"a b": "c"}),
            "one key twice": plain("ConfigMap", "c", data={"a": "b"}, binaryData={"a": "AAAA"}),
            "bad label": plain("ConfigMap", "c") | {"metadata": {"name": "c", "labels": {"a": "b c"}}},
            "bad label key": plain("ConfigMap", "c") | {"metadata": {"name": "c", "labels": {"a b": "c"}}},
            "bad annotation": plain("ConfigMap", "c") | {"metadata": {"name": "c", "annotations": {"a b": "c"}}},
            "long name": plain("ConfigMap", "c" * 254),
            "long label": plain("ConfigMap", "c") | {"metadata": {"name": "c", "labels": {"a": "b" * 64}}},
        },
        plural="configmaps",
    )
    applied(
        both,
        namespace,
        {
            "secret without its key": plain("Secret", "s", type="kubernetes.io/dockerconfigjson", data={}),
            "secret with invalid JSON": plain("Secret", "s", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "AAAA"}),
            "tls secret without a key": plain("Secret", "s", type="kubernetes.io/tls", data={"tls.crt": ""}),
            "bad key of a secret": plain("Secret", "s", data={"a b": "AAAA"}),
        },
        plural="secrets",
    )
    ports = [{"port": 80}, {"port": 81}]
    applied(
        both,
        namespace,
        {
            "port too high": plain("Service", "s", spec={"ports": [{"port": 80000}]}),
            "ports without names": plain("Service", "s", spec={"ports": ports}),
            "no ports": plain("Service", "s", spec={"selector": {"a": "b"}}),
            "bad type": plain("Service", "s", spec={"type": "Local", "ports": [{"port": 80}]}),
            "bad name of a service": plain("Service", "1s", spec={"ports": [{"port": 80}]}),
            "external name": plain("Service", "s", spec={"type": "ExternalName", "externalName": "a.example"}),
            "load balancer": plain("Service", "s", spec={"type": "LoadBalancer", "ports": [{"port": 80}]}),
            "node port": plain("Service", "s", spec={"type": "NodePort", "ports": [{"port": 80}]}),
            "headless": plain("Service", "s", spec={"clusterIP": "None", "ports": [{"port": 80, "targetPort": "http"}]}),
        },
        plural="services",
    )
    applied(both, namespace, {"bad schedule": plain("CronJob", "cj", "batch/v1", spec={"schedule": "daily", "jobTemplate": {"spec": job()["spec"]}})}, BATCH, "cronjobs")
    applied(both, namespace, {"no rules": plain("Role", "r", "rbac.authorization.k8s.io/v1", rules=[{"verbs": []}])}, "/apis/rbac.authorization.k8s.io/v1", "roles")


@scenario
def changes(both, namespace):
    """Changes that are refused, and some that are not."""
    web, config = place(APPS, namespace, "deployments", "web"), place(CORE, namespace, "configmaps", "c")
    both.quietly("POST", place(APPS, namespace, "deployments"), deployment())
    both.quietly("POST", place(CORE, namespace, "configmaps"), plain("ConfigMap", "c", data={"a": "b"}, immutable=True))
    both.quietly("POST", place(CORE, namespace, "secrets"), plain("Secret", "s", data={"a": "AAAA"}))
    both.quietly("POST", place(CORE, namespace, "pods"), pod())
    both.quietly("POST", place(BATCH, namespace, "jobs"), job())
    both.settled("the deployment", web)
    both("selector", "PATCH", web, {"spec": {"selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}}}}, "merge")
    both("selector alone", "PATCH", web, {"spec": {"selector": {"matchLabels": {"app": "b"}}}}, "merge")
    both("recreate", "PATCH", web, {"spec": {"strategy": {"type": "Recreate"}}}, "merge")
    both("recreate without rolling update", "PATCH", web, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}, "merge")
    both("paused", "PATCH", web, {"spec": {"paused": True}}, "merge")
    both.settled("get, paused", web)
    both("immutable data", "PATCH", config, {"data": {"a": "c"}}, "merge")
    both("immutable again", "PATCH", config, {"immutable": False}, "merge")
    both("type of a secret", "PATCH", place(CORE, namespace, "secrets", "s"), {"type": "other"}, "merge")
    both("image of a pod", "PATCH", place(CORE, namespace, "pods", "p"), {"spec": {"containers": [container(image="nginx:2")]}}, "strategic")
    both("env of a pod", "PATCH", place(CORE, namespace, "pods", "p"), {"spec": {"containers": [container(env=[{"name": "A", "value": "b"}])]}}, "strategic")
    both("template of a job", "PATCH", place(BATCH, namespace, "jobs", "job"), {"spec": {"template": {"spec": {"hostNetwork": True}}}}, "merge")
    both("scale", "GET", f"{web}/scale")
    both("scale to 3", "PATCH", f"{web}/scale", {"spec": {"replicas": 3}}, "merge")
    both("scale to -1", "PATCH", f"{web}/scale", {"spec": {"replicas": -1}}, "merge")
    both("name", "PATCH", config, {"metadata": {"name": "d"}}, "merge")
    both("uid", "PATCH", config, {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}}, "merge")
    both("bad json patch", "PATCH", config, [{"op": "remove", "path": "/data/none"}], "patch")
    both("failed test of a json patch", "PATCH", config, [{"op": "test", "path": "/data/a", "value": "x"}], "patch")
    both("status", "PATCH", f"{web}/status", {"status": {"replicas": 7}}, "merge")
    both("env by strategic patch", "PATCH", web, {"spec": {"template": {"spec": {"containers": [container(env=[{"name": "A", "value": "b"}])]}}}}, "strategic")
    both("a list is replaced by merge patch", "PATCH", web, {"spec": {"template": {"spec": {"containers": [container(name="d")]}}}}, "merge")


@scenario
def applies(both, namespace):
    """Server-side apply itself."""
    config = place(CORE, namespace, "configmaps", "c")
    first, second = f"{config}?fieldManager=first", f"{config}?fieldManager=second"
    object = plain("ConfigMap", "c", data={"a": "1", "b": "1"})
    both("no manager", "PATCH", config, object, "apply")
    both("long manager", "PATCH", f"{config}?fieldManager={'m' * 129}", object, "apply")
    both("new", "PATCH", first, object, "apply")
    both("unchanged", "PATCH", first, object, "apply")
    both("conflict", "PATCH", second, plain("ConfigMap", "c", data={"a": "2"}), "apply")
    both("two conflicts", "PATCH", second, plain("ConfigMap", "c", data={"a": "2", "b": "2"}), "apply")
    both("forced", "PATCH", f"{second}&force=true", plain("ConfigMap", "c", data={"a": "2"}), "apply")
    both("field dropped", "PATCH", first, plain("ConfigMap", "c", data={}), "apply")
    both("shared value", "PATCH", first, plain("ConfigMap", "c", data={"a": "2"}), "apply")
    both("outdated", "PATCH", first, plain("ConfigMap", "c") | {"metadata": {"name": "c", "resourceVersion": "1"}}, "apply")
    both("another name", "PATCH", first, plain("ConfigMap", "d"), "apply")
    both("another namespace", "PATCH", first, plain("ConfigMap", "c") | {"metadata": {"name": "c", "namespace": "default"}}, "apply")
    both("managed fields", "PATCH", first, plain("ConfigMap", "c") | {"metadata": {"name": "c", "managedFields": []}}, "apply")
    both("another kind", "PATCH", first, plain("Secret", "c"), "apply")
    both("another version", "PATCH", first, plain("ConfigMap", "c", "v2"), "apply")
    both("no kind", "PATCH", first, {"apiVersion": "v1", "metadata": {"name": "c"}}, "apply")
    both("invalid YAML", "PATCH", first, "{a: [", "apply")
    both("yaml", "PATCH", first, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: text\n", "apply")
    both("update after apply", "PATCH", f"{config}?fieldManager=third", {"data": {"c": "3"}}, "merge")
    both("get", "GET", config)
    web = f"{place(APPS, namespace, 'deployments', 'web')}?fieldManager="
    # Without replicas: whether a new template counts as progress depends on how fast the real controller sees its own writes.
    without_pods = lambda **more: deployment(replicas=0, template=template(container(**more)))  # noqa: E731
    env = lambda name: without_pods(env=[{"name": name, "value": "x"}])  # noqa: E731
    both("deployment", "PATCH", f"{web}first", env("A"), "apply")
    both("environment of another", "PATCH", f"{web}second", env("B"), "apply")
    port = {"containerPort": 80}
    ports = without_pods(ports=[port])
    both("environment dropped", "PATCH", f"{web}first", ports, "apply")
    both("image of another", "PATCH", f"{web}third", without_pods(image="nginx:2"), "apply")
    status = f"{place(APPS, namespace, 'deployments', 'web')}/status?fieldManager=status&force=true"
    both("status", "PATCH", status, plain("Deployment", "web", "apps/v1", status={"replicas": 5}), "apply")
    both("uid of nothing", "PATCH", f"{config}x?fieldManager=first", plain("ConfigMap", "cx") | {"metadata": {"name": "cx", "uid": "00000000-0000-0000-0000-000000000000"}}, "apply")


@scenario
def requests(both, namespace):
    """Requests of other forms."""
    maps = place(CORE, namespace, "configmaps")
    for number in range(3):
        both.quietly("POST", maps, plain("ConfigMap", f"m{number}") | {"metadata": {"name": f"m{number}", "labels": {"n": str(number)}}})
    both("no such namespace", "POST", place(CORE, "nowhere", "configmaps"), plain("ConfigMap", "c"))
    both("apply, no such namespace", "PATCH", place(CORE, "nowhere", "configmaps", "c") + "?fieldManager=f", plain("ConfigMap", "c"), "apply")
    both("list, no such namespace", "GET", place(CORE, "nowhere", "configmaps"))
    both("another namespace in the body", "POST", maps, plain("ConfigMap", "c") | {"metadata": {"name": "c", "namespace": "default"}})
    both("another kind in the body", "POST", maps, plain("Secret", "c"))
    both("another version in the body", "POST", maps, plain("ConfigMap", "c", "v2"))
    both("no kind in the body", "POST", maps, {"metadata": {"name": "without"}})
    both("no name", "POST", maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}})
    both("generated name", "POST", f"{maps}?dryRun=All", {"metadata": {"generateName": "gen-"}})
    both("invalid JSON", "POST", maps, "{")
    both("empty body", "POST", maps, "")
    both("YAML", "POST", f"{maps}?dryRun=All", "metadata: {name: yaml}\ndata: {a: b}\n", "yaml")
    both("unknown media type", "POST", maps, "x", "text/plain")
    both("unknown patch type", "PATCH", f"{maps}/m0", "{}", "application/json")
    both("unknown group", "GET", "/apis/nobody.example/v1/things")
    both("unknown version", "GET", f"/apis/apps/v9/namespaces/{namespace}/deployments")
    both("unknown resource", "GET", place(CORE, namespace, "things"))
    both("unknown path", "GET", "/nowhere")
    both("unknown subresource", "GET", f"{maps}/m0/status")
    both("label selector", "GET", f"{maps}?labelSelector=n%3D1")
    both("label set selector", "GET", f"{maps}?labelSelector=n%20in%20(1%2C2)")
    both("bad label selector", "GET", f"{maps}?labelSelector=a%3D%3D%3Db")
    both("field selector", "GET", f"{maps}?fieldSelector=metadata.name%3Dm1")
    both("unknown field selector", "GET", f"{maps}?fieldSelector=data.a%3Db")
    both("page", "GET", f"{maps}?limit=2&labelSelector=n")
    both("bad token", "GET", f"{maps}?limit=2&continue=x")
    both("bad limit", "GET", f"{maps}?limit=x")
    both("merge patch, invalid JSON", "PATCH", f"{maps}/m0", "{", "merge")
    both("json patch, invalid JSON", "PATCH", f"{maps}/m0", "[", "patch")
    both("strategic patch, invalid JSON", "PATCH", f"{maps}/m0", "{", "strategic")
    both("two words in a label selector", "GET", f"{maps}?labelSelector=a%20b")
    both("text instead of JSON", "POST", maps, "a: b")
    both("config map of the cluster's certificate", "GET", f"{maps}/kube-root-ca.crt")
    both("method", "PUT", maps, {})
    both("post to a name", "POST", f"{maps}/m0", {})
    both("delete a collection", "DELETE", f"{maps}?labelSelector=n%3D2")
    both("delete with a wrong uid", "DELETE", f"{maps}/m0", {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}})
    both("dry run of another value", "POST", f"{maps}?dryRun=Some", plain("ConfigMap", "c"))
    both("version", "GET", "/version?")
    both("one namespace", "GET", f"/api/v1/namespaces/{namespace}")
    both("large config map", "POST", f"{maps}?dryRun=All", plain("ConfigMap", "c", data={"a": "x" * (1 << 20)}))
    both("large request", "POST", maps, plain("ConfigMap", "c", data={"a": "x" * (3 << 20)}))
    both("large annotations", "POST", maps, plain("ConfigMap", "c") | {"metadata": {"name": "c", "annotations": {"a": "x" * (1 << 18)}}})
    both("replace, missing", "PUT", f"{maps}/missing", plain("ConfigMap", "missing"))
    both("merge patch, missing", "PATCH", f"{maps}/missing", {}, "merge")
    both("finalizer", "POST", maps, plain("ConfigMap", "kept") | {"metadata": {"name": "kept", "finalizers": ["a.example/b"]}})
    both("delete, finalizer", "DELETE", f"{maps}/kept")
    both("change while deleting", "PATCH", f"{maps}/kept", {"data": {"a": "b"}}, "merge")
    both("last finalizer", "PATCH", f"{maps}/kept", {"metadata": {"finalizers": None}}, "merge")


# JSON that Go's reader refuses, and what only Go's reader takes, in the place of a value.
ODD_VALUES = {
    "bytes": b'"\xc2\xc2x"',
    "part of a letter": b'"\xe2\x82x"',
    "overlong letter": b'"\xc0\x80"',
    "half of a pair as bytes": b'"\xed\xa0\x80"',
    "half of a pair": b'"\\ud800x"',
    "halves in the wrong order": b'"\\udc00\\ud800"',
    "backslash before a half": b'"\\\\ud800"',
    "pair": b'"\\ud83d\\ude00"',
    "control": b'"\x01"',
    "tab": b'"\t"',
    "line end": b'"\n"',
    "escape": b'"\\q"',
    "hex": b'"\\u12z4"',
    "byte": b"\xe9",
    "soft hyphen": b"\xad",
    "quote": b"'a'",
    "word": b"tr",
    "other word": b"nul1",
    "leading zero": b"01",
    "point": b"1.",
    "minus": b"-",
    "exponent": b"1e",
    "too deep": b"[" * 10001,
    "trailing comma": b'"v",',
    "other bracket": b"1]",
    "two values": b'"a" "b"',
}


@scenario
def json_of_go(both, namespace):
    maps = place(CORE, namespace, "configmaps")
    quoted = lambda value: b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"k":%s}}' % value  # noqa: E731
    both("map", "POST", maps, plain("ConfigMap", "m"))
    both("made immutable", "PUT", f"{maps}/m", plain("ConfigMap", "m", data={"k": "a"}, immutable=True))
    both("change of what is immutable", "PUT", f"{maps}/m", plain("ConfigMap", "m", data={"k": "b"}, immutable=True, x=1))
    both("patch of what is immutable", "PATCH", f"{maps}/m", {"data": {"k": "b"}, "x": 1}, "merge")
    both("deletion", "DELETE", f"{maps}/m")
    both("map again", "POST", maps, plain("ConfigMap", "m"))
    for name, value in ODD_VALUES.items():
        both(f"JSON, {name}", "PUT", f"{maps}/m", quoted(value))
        both(f"merge patch, {name}", "PATCH", f"{maps}/m", b'{"data":{"k":%s}}' % value, "merge")
        both(f"strategic patch, {name}", "PATCH", f"{maps}/m", b'{"data":{"k":%s}}' % value, "strategic")
        both(f"json patch, {name}", "PATCH", f"{maps}/m", b'[{"op":"add","path":"/data","value":{"k":%s}}]' % value, "patch")
        # The body replaces what the query says.
        both(f"deletion, {name}", "DELETE", f"{maps}/m", b'{"kind":"DeleteOptions","dryRun":["All"],"k":%s}' % value)
    for name, text in {
        "byte before": b"\xc2" + quoted(b"1"),
        "byte after": quoted(b'"a"') + b"\xff",
        "mark": b"\xef\xbb\xbf" + quoted(b'"a"'),
        "two bytes each": '{"a":1}'.encode("utf-16-le"),
        "open text": b'{"a":"b',
        "open word": b"tr",
        "open number": b"1.",
        "byte as key": b"{\xe9:1}",
        "byte after key": b'{"a"\xe9:1}',
        "byte in list": b"[1\xe9]",
        "odd key": quoted(b'"a"').replace(b'"k"', b'"k\xff"'),
        "odd name": quoted(b'"a"').replace(b'"m"', b'"m\xff"'),
        "odd kind": quoted(b'"a"').replace(b"Map", b"\xffMap"),
        "odd field, refused": quoted(b'"a"').replace(b'"metadata":{', b'"metadata":{"x":"v1",'),
        "odd field": quoted(b'"a"').replace(b'"m"', b'"o"').replace(b'"metadata":{', b'"metadata":{"kin\xc2d":"v1",'),
    }.items():
        both(f"JSON, {name}", "POST", maps, text)
        both(f"YAML, {name}", "POST", maps, text, "yaml")
        both(f"apply, {name}", "PATCH", f"{maps}/m?fieldManager=a&force=true", text, "apply")
    for name, octets in {"leading": b"\x80", "trailing": b"\xc2x", "incomplete": b"\xe2", "half": b"\xed\xa0\x80", "long": b"\xc0\x80"}.items():
        both(f"YAML, {name}", "POST", maps, b"metadata: {name: y}\ndata:\n  k: " + octets, "yaml")


@scenario
def quotas(both, namespace):
    """What admission refuses."""
    both.quietly("POST", place(CORE, namespace, "resourcequotas"), plain("ResourceQuota", "q", spec={"hard": {"configmaps": "1", "pods": "0"}}))
    both.quietly("POST", place(CORE, namespace, "limitranges"), plain("LimitRange", "l", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "100m"}}]}))
    # That of the cluster's certificate.
    both.settle(place(CORE, namespace, "resourcequotas", "q"), lambda quota: status_of(quota).get("used") == {"configmaps": "1", "pods": "0"})
    # Admission reads a LimitRange through a cache.
    big = pod("p", container(resources={"limits": {"cpu": "2"}}))
    says = lambda body: "maximum cpu usage" in body.get("message", "")  # noqa: E731
    both.settle(place(CORE, namespace, "pods") + "?dryRun=All", says, method="POST", body=big, still=0)
    both("config map over quota", "POST", place(CORE, namespace, "configmaps"), plain("ConfigMap", "c"))
    both("pod over quota", "POST", place(CORE, namespace, "pods"), pod())
    both("pod over a limit", "POST", place(CORE, namespace, "pods"), big)
    both.quietly("POST", place(APPS, namespace, "deployments"), deployment())
    both.settled("deployment over quota", place(APPS, namespace, "deployments", "web"), is_true("ReplicaFailure"))


def end_pods(both, namespace, phase):
    """A kubelet's part, for all pods of a namespace that have not ended."""
    for server in both.servers:
        all = place(CORE, namespace, "pods")
        for pod in server.call("GET", all)["body"]["items"]:
            if pod["status"]["phase"] == "Pending":
                response = server.call("PATCH", f"{all}/{pod['metadata']['name']}/status", {"status": {"phase": phase}}, "merge")
                assert response["status"] == 200, response


def is_missing(body):
    return body.get("code") == 404


def has(field):
    return lambda body: status_of(body).get(field)


def is_true(condition):
    return lambda body: any(one["type"] == condition and one["status"] == "True" for one in status_of(body).get("conditions") or [])


def counts(**wanted):
    """Whether a status has these numbers; a field that is absent is 0."""
    return lambda body: bool(status_of(body)) and all((status_of(body).get(field) or 0) == number for field, number in wanted.items())


@scenario
def jobs(both, namespace):
    """How jobs end, and what else their controller does."""
    all, pods = place(BATCH, namespace, "jobs"), place(CORE, namespace, "pods")
    one = f"{all}/task"

    def start(label, **spec):
        both.quietly("POST", all, job("task", **spec))
        both.settled(f"{label}, started", one, has("active"))
        # The scheduler never marks a pod that has ended before.
        both.settle(pods, still=0)

    def clear():
        both.quietly("DELETE", f"{one}?propagationPolicy=Background")
        both.settle(pods, lambda list: list.get("items") == [])

    start("two pods", completions=2, parallelism=2)
    both.settled("pods of a job", f"{pods}?fieldSelector=status.phase%3DPending")
    end_pods(both, namespace, "Succeeded")
    both.settled("succeeded", one, is_true("Complete"))
    both.settled("pods of a job that succeeded", pods)
    clear()
    start("no failure", backoffLimit=0)
    end_pods(both, namespace, "Failed")
    both.settled("failed", one, is_true("Failed"))
    clear()
    start("more pods than failures", backoffLimit=0, completions=3, parallelism=3)
    for server in both.servers:
        name = server.call("GET", pods)["body"]["items"][0]["metadata"]["name"]
        assert server.call("PATCH", f"{pods}/{name}/status", {"status": {"phase": "Failed"}}, "merge")["status"] == 200
    both.settled("failed with others", one, is_true("Failed"))
    clear()
    start("deadline")
    # Only now, so that it cannot end before it was seen.
    both("deadline", "PATCH", one, {"spec": {"activeDeadlineSeconds": 1}}, "merge")
    both.settled("too long", one, is_true("Failed"))
    clear()
    both.quietly("POST", all, job("task", parallelism=2, completions=4, suspend=True))
    both.settled("suspended from the start", one, is_true("Suspended"))
    both("resume", "PATCH", one, {"spec": {"suspend": False}}, "merge")
    both.settled("resumed", one, has("active"))
    both("more at once", "PATCH", one, {"spec": {"parallelism": 3}}, "merge")
    both.settled("with more", one, counts(active=3))
    both("fewer at once", "PATCH", one, {"spec": {"parallelism": 1}}, "merge")
    both.settled("with fewer", one, counts(active=1, terminating=0))
    # What follows a resumption is not compared: 1.33.3 has a fault there (kubernetes/kubernetes#134521).
    both("suspend", "PATCH", one, {"spec": {"suspend": True}}, "merge")
    both.settled("suspended", one, lambda job: is_true("Suspended")(job) and counts(terminating=0)(job))
    clear()
    start("indexed", completionMode="Indexed", completions=3, parallelism=2)
    both.settled("pods with indexes", f"{pods}?fieldSelector=status.phase%3DPending")
    end_pods(both, namespace, "Succeeded")
    both.settled("indexes", one, counts(succeeded=2, active=1))
    clear()
    start("time to live", ttlSecondsAfterFinished=0)
    end_pods(both, namespace, "Succeeded")
    both.settle(one, is_missing)
    both("after its time to live", "GET", one)


@scenario
def pod_security(both, namespace):
    """Pod Security admission."""
    labels = {"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "restricted"}
    both.quietly("PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}}, "merge")
    # Admission reads the labels through a cache.
    refused = lambda body: body.get("code") == 403  # noqa: E731
    both.settle(place(CORE, namespace, "pods") + "?dryRun=All", refused, method="POST", body=pod(hostNetwork=True), still=0)
    cases = {
        "plain": pod(),
        "host network": pod(hostNetwork=True),
        "privileged": pod("p", container(securityContext={"privileged": True})),
        "host path": pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
        "host port": pod("p", container(ports=[{"containerPort": 80, "hostPort": 80}])),
        "two containers": pod("p", container(), container(name="d")),
        "restricted": pod(
            "p",
            container(securityContext={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}),
            securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        ),
    }
    applied(both, namespace, cases)
    applied(both, namespace, {"deployment": deployment()}, APPS, "deployments")


@scenario
def custom(both, namespace):
    """Custom resources."""
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "maximum": 10}, "color": {"type": "string", "enum": ["red", "blue"]}, "copies": {"type": "integer", "default": 1}}}},
    }  # fmt: skip
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    spec = {"group": "exchange.example", "scope": "Namespaced", "names": names, "versions": [version]}
    definition = plain("CustomResourceDefinition", "widgets.exchange.example", "apiextensions.k8s.io/v1", spec=spec)
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    both("definition, wrong name", "POST", definitions, definition | {"metadata": {"name": "wrong"}})
    bare = {"name": "v1", "served": True, "storage": True}
    both("definition, no schema", "POST", definitions, definition | {"spec": spec | {"versions": [bare]}})
    both("definition", "POST", definitions, definition)
    base = f"/apis/exchange.example/v1/namespaces/{namespace}/widgets"
    both.settle(base, lambda body: body.get("kind") == "WidgetList")
    widget = lambda **spec: plain("Widget", "w", "exchange.example/v1", spec=spec)  # noqa: E731
    for label, object in {
        "unknown field": widget(size=1, width=2),
        "wrong type": widget(size="big"),
        "too big": widget(size=11),
        "missing": widget(color="red"),
        "no such color": widget(size=1, color="green"),
    }.items():
        both(f"apply, {label}", "PATCH", f"{base}/w?fieldManager=first", object, "apply")
        both(f"create, {label}", "POST", f"{base}?dryRun=All&fieldValidation=Strict", object)
    both("apply", "PATCH", f"{base}/w?fieldManager=first", widget(size=3), "apply")
    both("get", "GET", f"{base}/w")
    both("list", "GET", base)
    both("merge patch", "PATCH", f"{base}/w", {"spec": {"size": 4}}, "merge")
    both("strategic patch", "PATCH", f"{base}/w", {"spec": {"size": 4}}, "strategic")
    both("delete", "DELETE", f"{base}/w")
    both("delete the definition", "DELETE", f"{definitions}/widgets.exchange.example")


@scenario
def namespaces(both, namespace):
    """A namespace that is being deleted."""
    both.quietly("POST", "/api/v1/namespaces", plain("Namespace", f"{namespace}x"))
    maps = place(CORE, f"{namespace}x", "configmaps")
    both.quietly("POST", maps, plain("ConfigMap", "kept") | {"metadata": {"name": "kept", "finalizers": ["a.example/b"]}})
    both("delete", "DELETE", f"/api/v1/namespaces/{namespace}x")
    both("create in it", "POST", maps, plain("ConfigMap", "c"))
    both("apply in it", "PATCH", f"{maps}/c?fieldManager=first", plain("ConfigMap", "c"), "apply")
    both("create it again", "POST", "/api/v1/namespaces", plain("Namespace", f"{namespace}x"))
    both("bad name", "POST", "/api/v1/namespaces", plain("Namespace", "A.b"))
    both.quietly("PATCH", f"{maps}/kept", {"metadata": {"finalizers": None}}, "merge")


@scenario
def refused_templates(both, namespace):
    """Templates whose pods would be refused, and names that are cut."""
    metadata = {
        "label": {"labels": {"app": "a", "b": "c d"}},
        "label of a wrong prefix": {"labels": {"app": "a", "A_b/c": "d"}},
        "label without a name": {"labels": {"app": "a", "b/": "c"}},
        "label of two slashes": {"labels": {"app": "a", "b/c/d": "e"}},
        "long label": {"labels": {"app": "a", "l" * 64: "b"}},
        "annotation": {"labels": {"app": "a"}, "annotations": {"a b": "c"}},
        "annotation without a name": {"labels": {"app": "a"}, "annotations": {"": "c"}},
        "annotation of an empty prefix": {"labels": {"app": "a"}, "annotations": {"/a": "c"}},
        "annotation in capitals": {"labels": {"app": "a"}, "annotations": {"A.b/C": "c"}},
        "large annotation": {"labels": {"app": "a"}, "annotations": {"a": "b" * (1 << 18)}},
        "label and annotation": {"labels": {"app": "a", "b": "c d"}, "annotations": {"a b": "c"}},
    }
    for label, given in metadata.items():
        of = lambda **more: template(**more) | {"metadata": given}  # noqa: B023, E731
        applied(both, namespace, {f"deployment, {label}": deployment(template=of())}, APPS, "deployments")
        applied(both, namespace, {f"job, {label}": job(template=of(restartPolicy="Never"))}, BATCH, "jobs")
        spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": job()["spec"] | {"template": of(restartPolicy="Never")}}}
        applied(both, namespace, {f"cron job, {label}": plain("CronJob", "cj", "batch/v1", spec=spec)}, BATCH, "cronjobs")
        config = plain("ConfigMap", "c") | {"metadata": {"name": "c"} | given}
        applied(both, namespace, {f"config map, {label}": config}, plural="configmaps")
    applied(both, namespace, {f"job of {length} letters": job("j" * length) for length in (63, 64, 253)}, BATCH, "jobs")
    maps = place(CORE, namespace, "configmaps") + "?dryRun=All"
    for more in (0, 1, 42, 195, 196):
        both(f"generated name, {more} letters too many", "POST", maps, {"metadata": {"generateName": "a" * 53 + ".gen-" + "b" * more}})
    for prefix in ("a_b.gen-", "A.gen-", "a..gen-", "-a.gen-"):
        both(f"generated name of {prefix}", "POST", maps, {"metadata": {"generateName": prefix}})
    for name in ("a.b", "A" * 64, "a" * 64, "-a"):
        both(f"namespace {name}", "POST", "/api/v1/namespaces?dryRun=All", plain("Namespace", name))
        service = plain("Service", name, spec={"ports": [{"port": 80}]})
        both(f"service {name}", "POST", place(CORE, namespace, "services") + "?dryRun=All", service)
        both(f"container {name}", "POST", place(CORE, namespace, "pods") + "?dryRun=All", pod("p", container(name=name)))
    generation = "deprecated.daemonset.template.generation"
    sets = place(APPS, namespace, "daemonsets")
    for value in ("7", "+5", "01", "0", "-1", "x", "", "9223372036854775807", "18446744073709551615"):
        object = workload("DaemonSet", "ds")
        object["metadata"]["annotations"] = {generation: value}
        both(f"daemon set of generation {value}", "POST", f"{sets}?dryRun=All", object)
        applied(both, namespace, {f"daemon set of generation {value}, applied": object}, APPS, "daemonsets")


@scenario
def refused_jobs_and_budgets(both, namespace):
    """Jobs, disruption budgets and selectors that are refused, and the values beside them that are not."""
    indexed = {"completionMode": "Indexed"}
    jobs = {
        "no completions": job(**indexed, parallelism=2),
        "unknown mode": job(completionMode="Sorted"),
        "empty mode": job(completionMode=""),
        "unknown replacement": job(podReplacementPolicy="Never"),
        "empty replacement": job(podReplacementPolicy=""),
        "replacement of failed ones": job(podReplacementPolicy="Failed"),
        "long name with indexes": job("j" * 62, **indexed, completions=100),
        "name of two parts with indexes": job("a.b", **indexed, completions=2),
        "no completions with indexes": job("j" * 63, **indexed, completions=0),
        "many completions": job(**indexed, completions=2**31 - 1),
        "many at once": job(**indexed, completions=100001, parallelism=100001),
        "as many at once as may be": job(**indexed, completions=100000, parallelism=100000),
        "limit for each index": job(backoffLimitPerIndex=1),
        "failed indexes without a limit": job(**indexed, completions=2, maxFailedIndexes=1),
        "unknown restart policy": job(template=template(restartPolicy="Sometimes")),
        "unknown restart policy and mode": job(template=template(restartPolicy="Sometimes"), completionMode="Sorted"),
    }
    for label, object in jobs.items():
        both(f"job, {label}", "POST", place(BATCH, namespace, "jobs") + "?dryRun=All", object)
    web = deployment(template=template(restartPolicy="Sometimes"))
    both("deployment, unknown restart policy", "POST", place(APPS, namespace, "deployments") + "?dryRun=All", web)
    requirement = lambda **of: {"matchExpressions": [{"key": "a"} | of]}  # noqa: E731
    budgets = {
        "both bounds": {"minAvailable": 1, "maxUnavailable": 1},
        "no bound": {},
        "unknown policy": {"minAvailable": 1, "unhealthyPodEvictionPolicy": "Sometimes"},
        "no selector": {"minAvailable": 1, "selector": None},
        "empty selector": {"minAvailable": 1, "selector": {}},
        "unknown operator": {"selector": requirement(operator="Maybe")},
        "no values": {"selector": requirement(operator="In")},
        "values": {"selector": requirement(operator="Exists", values=["b"])},
        "bad value": {"selector": requirement(operator="In", values=["b c"])},
        "bad key": {"selector": requirement(key="a b", operator="Exists")},
        "bad label": {"selector": {"matchLabels": {"a": "c d"}}},
    }
    for share in ("abc", "abc%", "5", "", "-1%", "%", "100%", "101%", "9223372036854775807%", "99999999999999999999%", -1, 0, 2**31 - 1):
        budgets |= {f"{field} {share}": {field: share} for field in ("minAvailable", "maxUnavailable")}
    for label, spec in budgets.items():
        budget = plain("PodDisruptionBudget", "b", "policy/v1", spec={"selector": SELECTOR} | spec)
        both(f"budget, {label}", "POST", place("/apis/policy/v1", namespace, "poddisruptionbudgets") + "?dryRun=All", budget)
    for label in ("unknown operator", "no values", "values", "bad value", "bad key", "bad label"):
        web = deployment(selector=budgets[label]["selector"])
        both(f"deployment, {label}", "POST", place(APPS, namespace, "deployments") + "?dryRun=All", web)


@scenario
def dry_runs(both, namespace):
    """Options of requests: dry runs, and how to delete."""
    maps, jobs = place(CORE, namespace, "configmaps"), place(BATCH, namespace, "jobs")
    web = place(APPS, namespace, "deployments", "web")
    both.quietly("POST", place(APPS, namespace, "deployments"), deployment(replicas=0))
    config = plain("ConfigMap", "c", data={"a": "b"})
    both.quietly("POST", maps, config)
    for query in ("dryRun=Some", "dryRun=", "dryRun=all", "dryRun=All&dryRun=All", "dryRun=All&dryRun=Some"):
        both(f"post, {query}", "POST", f"{maps}?{query}", plain("ConfigMap", "n"))
        both(f"put, {query}", "PUT", f"{maps}/c?{query}", config)
        both(f"merge patch, {query}", "PATCH", f"{maps}/c?{query}", {"data": {"a": "c"}}, "merge")
        both(f"apply, {query}", "PATCH", f"{maps}/n?fieldManager=f&{query}", plain("ConfigMap", "n"), "apply")
        both(f"scale, {query}", "PATCH", f"{web}/scale?{query}", {"spec": {"replicas": 0}}, "merge")
        both(f"delete, {query}", "DELETE", f"{maps}/c?{query}")
        both(f"delete all, {query}", "DELETE", f"{maps}?{query}&fieldSelector=metadata.name%3Dc")
        both(f"get, {query}", "GET", f"{maps}/c?{query}")
    bodies = [
        {"dryRun": ["All"]}, {"dryRun": ["Some"]}, {"dryRun": "All"}, {"propagationPolicy": "Sideways"}, {"gracePeriodSeconds": "x"},
        {"propagationPolicy": "Orphan", "orphanDependents": True}, {"orphanDependents": "x"}, [], "x", "null",
    ]  # fmt: skip
    for body in bodies:
        both(f"delete with {body}", "DELETE", f"{maps}/none" if body == "null" else f"{maps}/c", body)
        both(f"delete all with {body}", "DELETE", f"{maps}?fieldSelector=metadata.name%3D{'none' if body == 'null' else 'c'}", body)
    for query in ("propagationPolicy=Sideways", "gracePeriodSeconds=x"):
        both(f"delete, {query}", "DELETE", f"{maps}/c?{query}")
    both("all of them are there", "GET", f"{maps}/c")
    both("the body goes before the query", "DELETE", f"{maps}/c?dryRun=All", {})
    both("it is gone", "GET", f"{maps}/c")
    both.quietly("POST", jobs, job(suspend=True))
    one = place(BATCH, namespace, "jobs", "job")
    both.settle(one, is_true("Suspended"))
    both("delete all jobs, dry run", "DELETE", f"{jobs}?dryRun=All")
    both("the job is there", "GET", one)
    both("delete all jobs", "DELETE", f"{jobs}?dryRun=All&propagationPolicy=Background")


@scenario
def bodies(both, namespace):
    """Bodies and patches that are no object, and numbers of replicas that are none."""
    group = "bodies.example"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    spec = {"group": group, "scope": "Namespaced", "names": {"plural": "things", "singular": "thing", "kind": "Thing"}, "versions": [version]}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    both.quietly("POST", definitions, plain("CustomResourceDefinition", f"things.{group}", "apiextensions.k8s.io/v1", spec=spec))
    things = place(f"/apis/{group}/v1", namespace, "things")
    both.settle(things, lambda list: "items" in list)
    both.quietly("POST", things, plain("Thing", "t", f"{group}/v1", spec={"a": 1}))
    both.quietly("POST", place(APPS, namespace, "deployments"), deployment(replicas=0))
    both.quietly("POST", place(CORE, namespace, "configmaps"), plain("ConfigMap", "c", data={"a": "b"}))
    web = place(APPS, namespace, "deployments", "web")
    both.settle(web)
    for name, path in (("config map", place(CORE, namespace, "configmaps", "c")), ("deployment", web), ("custom", f"{things}/t")):
        for body in ("5", '"x"', "true", "[1]", "null"):
            both(f"{name}, merge patch of {body}", "PATCH", f"{path}?dryRun=All", body, "merge")
            both(f"{name}, apply of {body}", "PATCH", f"{path}?dryRun=All&fieldManager=f", body, "apply")
            both(f"{name}, json patch of {body}", "PATCH", f"{path}?dryRun=All", body, "patch")
            if name != "custom":
                both(f"{name}, strategic patch of {body}", "PATCH", f"{path}?dryRun=All", body, "strategic")
                both(f"{name}, replaced by {body}", "PUT", f"{path}?dryRun=All", body)
        both(f"{name}, without metadata", "PATCH", f"{path}?dryRun=All", {"metadata": None}, "merge")
        both(f"{name}, removed as a whole", "PATCH", f"{path}?dryRun=All", [{"op": "remove", "path": ""}], "patch")
        both(f"{name}, as it was", "GET", path)
    named = {"metadata": {"name": "web"}}
    for replicas in ("3", 3.5, True, [], {}, None, -1, 4, 2**31, -(2**31) - 1):
        both(f"scale to {replicas!r}", "PUT", f"{web}/scale?dryRun=All", named | {"spec": {"replicas": replicas}})
    for body in ("5", "{}", '{"spec": {}}', '{"kind": "Deployment"}', '{"metadata": {"name": "x"}}'):
        both(f"scale, {body}", "PUT", f"{web}/scale?dryRun=All", body)
        if "Deployment" not in body:
            both(f"scale patch, {body}", "PATCH", f"{web}/scale?dryRun=All", body, "merge")
    old = named | {"spec": {"replicas": 5}, "metadata": {"name": "web", "resourceVersion": "1"}}
    both("scale of an old state", "PUT", f"{web}/scale", old)
    both("scale patch of an old state", "PATCH", f"{web}/scale", old, "merge")
    both("the deployment has its size", "GET", f"{web}/scale")
    both.quietly("DELETE", f"{definitions}/things.{group}")


ADMISSION = "/apis/admissionregistration.k8s.io/v1"
WRITES = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE", "DELETE"], "resources": ["configmaps"]}


@scenario
def policies(both, namespace):
    """What validating admission policies deny and warn of."""
    maps = place(CORE, namespace, "configmaps")
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}

    def policy(name, expression, rule=None, actions=("Deny",), constraints=None, resources=None, **spec):
        validation = {"expression": expression} | spec.pop("validation", {})
        spec = {"matchConstraints": {"resourceRules": [WRITES | (rule or {})]} | (constraints or {}), "validations": [validation]} | spec
        both.quietly("POST", f"{ADMISSION}/validatingadmissionpolicies", {"metadata": {"name": name}, "spec": spec})
        spec = {"policyName": name, "validationActions": list(actions), "matchResources": here | (resources or {})}
        both.quietly("POST", f"{ADMISSION}/validatingadmissionpolicybindings", {"metadata": {"name": f"{name}-here"}, "spec": spec})

    def refuses(path, body, method="POST"):
        # A policy is enforced a moment after it was written.
        for server in both.servers:
            for _ in range(200):
                if server.call(method, path, body)["status"] >= 400:
                    break
                time.sleep(0.1)

    both.quietly("POST", maps, plain("ConfigMap", "kept", data={"a": "b"}))
    both.quietly("POST", maps, plain("ConfigMap", "old", data={"a": "b"}))
    both.quietly("POST", maps, plain("ConfigMap", "still", data={"a": "b"}))
    both.quietly("POST", maps, {"metadata": {"name": "one", "labels": {"only": "one"}}})
    policy("plain", "object == null || !has(object.data) || !('bad' in object.data)")
    policy("worded", "object == null || object.metadata.name != 'worded'", validation={"message": "  not this name  ", "reason": "Forbidden"})
    policy("expressed", "object == null || object.metadata.name != 'expressed'", validation={"messageExpression": "'not ' + object.metadata.name", "message": "no"})
    policy("warning", "object == null || object.metadata.name != 'warned'", actions=("Warn", "Audit"), validation={"message": "think again"})
    policy("failing", "object == null || object.metadata.name != 'failing' || object.data.missing == 'x'")
    policy("lenient", "object == null || object.metadata.name != 'lenient' || object.data.missing == 'x'", failurePolicy="Ignore")
    conditions = [{"name": "labelled", "expression": "object != null && has(object.metadata.labels) && 'strict' in object.metadata.labels"}]
    policy("conditional", "object.data.size() == 2", matchConditions=conditions, validation={"message": "two entries"})
    policy("named", "false", rule={"resourceNames": ["named"], "operations": ["CREATE"]}, validation={"message": "never"})
    policy("selected", "false", constraints={"objectSelector": {"matchLabels": {"never": "true"}}}, validation={"message": "never so"})
    policy("kept", "oldObject == null || object != null || oldObject.metadata.name != 'kept'", validation={"message": "it is kept"})
    policy("changes", "request.operation != 'UPDATE' || object.metadata.name != 'old' || object.data.a == oldObject.data.a", validation={"message": "a stays"})
    policy("asked", "!has(request.name) || request.name != 'asked' || request.namespace == 'other' || request.dryRun", validation={"message": "by request"})
    policy("images", "object.spec.template.spec.containers.all(c, c.image.startsWith('r.example/') && !c.image.matches(':latest$'))",
           rule={"apiGroups": ["apps"], "resources": ["deployments"], "operations": ["CREATE", "UPDATE"]}, validation={"message": "images of r.example"})
    policy("spaces", "namespaceObject.metadata.name != object.metadata.name", validation={"message": "another name"}, rule={"operations": ["CREATE"]})
    policy("still", "request.operation != 'UPDATE' || object.metadata.name != 'still'", validation={"message": "still"})
    policy("single", "object != null || oldObject.metadata.name != 'one' || has(request.name)", validation={"message": "one at a time"})
    policy("escaped", "object == null || object.metadata.name != 'escaped'", actions=("Warn",), validation={"message": r'not "\d"'})
    policy("broken", "object == null ||\nobject.metadata.name != 'escaped'", actions=("Warn",))
    policy("fields", "object == null || object.metadata.name != 'fields' || !(request.requestKind == request.kind && request.requestResource == "
           "request.resource && !has(request.subResource) && !has(request.requestSubResource))", validation={"message": "the fields are as they are"})
    policy("missing", "object == null || object.metadata.name != 'absent' || request.subResource == ''")
    policy("nowhere", "namespaceObject == null", matchConditions=[{"name": "nowhere", "expression": "object != null && object.metadata.name == 'nowhere' && namespaceObject == null"}])
    refuses(f"{maps}?dryRun=All", plain("ConfigMap", namespace))
    # The last one that was written is enforced last.
    refuses(f"{maps}?dryRun=All", plain("ConfigMap", "nowhere"))
    for label, object in {
        "unlucky data": plain("ConfigMap", "c", data={"bad": "x"}),
        "good data": plain("ConfigMap", "c", data={"good": "x"}),
        "a message": plain("ConfigMap", "worded"),
        "an expressed message": plain("ConfigMap", "expressed"),
        "a warning": plain("ConfigMap", "warned"),
        "an error": plain("ConfigMap", "failing", data={"a": "b"}),
        "an error that is ignored": plain("ConfigMap", "lenient", data={"a": "b"}),
        "a condition": {"metadata": {"name": "c", "labels": {"strict": ""}}, "data": {"a": "b"}},
        "a condition, good": {"metadata": {"name": "c", "labels": {"strict": ""}}, "data": {"a": "b", "c": "d"}},
        "no condition": {"metadata": {"name": "c"}, "data": {"a": "b"}},
        "a name of a rule": plain("ConfigMap", "named"),
        "a label": {"metadata": {"name": "c", "labels": {"never": "true"}}},
        "a request": plain("ConfigMap", "asked"),
        "the name of the namespace": plain("ConfigMap", namespace),
        "warnings to escape": plain("ConfigMap", "escaped"),
        "fields of the request": plain("ConfigMap", "fields"),
        "a field of the request that is missing": plain("ConfigMap", "absent"),
        "a condition without a namespace": plain("ConfigMap", "nowhere"),
    }.items():
        both(f"{label}, dry run", "POST", f"{maps}?dryRun=All", object)
    both("applied", "PATCH", f"{maps}/worded?fieldManager=f&dryRun=All", plain("ConfigMap", "worded"), "apply")
    both("created", "POST", maps, plain("ConfigMap", "asked"))
    both("changed", "PATCH", f"{maps}/old", {"data": {"a": "c"}}, "merge")
    both("changed elsewhere", "PATCH", f"{maps}/old", {"data": {"c": "d"}}, "merge")
    both("nothing changed", "PATCH", f"{maps}/still", {}, "merge")
    both("nothing applied", "PATCH", f"{maps}/still?fieldManager=f", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "still"}}, "apply")
    both("deleted", "DELETE", f"{maps}/kept")
    both("all with a label deleted", "DELETE", f"{maps}?labelSelector=only=one")
    both("one deleted", "DELETE", f"{maps}/one")
    both("all deleted", "DELETE", f"{maps}?labelSelector=none=none")
    both("deployment", "POST", place(APPS, namespace, "deployments") + "?dryRun=All", deployment())
    both("deployment with latest", "POST", place(APPS, namespace, "deployments") + "?dryRun=All", deployment(template=template(container(image="r.example/a:latest"))))
    both("deployment with a tag", "POST", place(APPS, namespace, "deployments") + "?dryRun=All", deployment(template=template(container(image="r.example/a:1"))))
    all, bindings = f"{ADMISSION}/validatingadmissionpolicies", f"{ADMISSION}/validatingadmissionpolicybindings"
    rules = {"resourceRules": [WRITES]}
    for label, spec in {
        "policy": {"matchConstraints": rules, "validations": [{"expression": "true"}]},
        "policy that validates nothing": {"matchConstraints": rules},
        "policy without resources": {"matchConstraints": {"resourceRules": [WRITES | {"resources": []}]}, "validations": [{"expression": "true"}]},
        "policy with an odd failure policy": {"matchConstraints": rules, "validations": [{"expression": "true"}], "failurePolicy": "Perhaps"},
        "policy without constraints": {"validations": [{"expression": "true"}]},
        **{f"policy with constraints {label}": {"matchConstraints": constraints, "validations": [{"expression": "true"}]} for label, constraints in {
            "without rules": {},
            "with no rules": {"resourceRules": []},
            "with an odd operation": {"resourceRules": [WRITES | {"operations": ["READ"]}]},
            "with an odd scope": {"resourceRules": [WRITES | {"scope": "Here"}]},
            "with an empty version": {"resourceRules": [WRITES | {"apiVersions": [""]}]},
            "with an empty resource": {"resourceRules": [WRITES | {"resources": [""]}]},
            "with an odd match policy": {"resourceRules": [WRITES], "matchPolicy": "Some"},
            "with an empty excluded rule": {"resourceRules": [WRITES], "excludeResourceRules": [{}]},
        }.items()},
        **{f"policy with a condition {label}": {"matchConstraints": rules, "validations": [{"expression": "true"}], "matchConditions": conditions} for label, conditions in {
            "without an expression": [{"name": "n"}],
            "with spaces for an expression": [{"name": "n", "expression": " "}],
            "without a name": [{"expression": "true"}],
            "with the name of another": [{"name": "n", "expression": "true"}] * 2,
            "with an unknown name": [{"name": "n", "expression": " nothing == 1"}],
        }.items()},
        **{f"policy with a validation {label}": {"matchConstraints": rules, "validations": [validation]} for label, validation in {
            "without an expression": {"message": "no"},
            "with spaces for an expression": {"expression": " "},
            "with spaces for an expressed message": {"expression": "true", "messageExpression": " "},
            "with spaces for a message": {"expression": "true", "message": " "},
            "with a line break in the message": {"expression": "true", "message": "a\nb"},
            "with an odd reason": {"expression": "true", "reason": "Why"},
            "with an unknown name": {"expression": "true &&\n  'é' == nothing && [1].all(x, x == 1) && x == 1"},
            "with parameters": {"expression": "params.a == 1"},
            "with an unknown field of the request": {"expression": "request.uid == ''"},
            "with an unknown name in the message": {"expression": "true", "messageExpression": "nothing"},
        }.items()},
    }.items():
        both(label, "POST", f"{all}?dryRun=All", {"metadata": {"name": "p"}, "spec": spec})
    for label, spec in {
        "binding": {"policyName": "p", "validationActions": ["Deny", "Audit"]},
        "binding with rules": {"policyName": "p", "validationActions": ["Warn"], "matchResources": rules},
        "binding without actions": {"policyName": "p"},
        "binding that denies and warns": {"policyName": "p", "validationActions": ["Deny", "Warn"]},
        "binding without a policy": {"validationActions": ["Deny"]},
        "binding that denies twice": {"policyName": "p", "validationActions": ["Deny", "Deny"]},
        "binding with an odd action": {"policyName": "p", "validationActions": ["Some"]},
        "binding with an odd match policy": {"policyName": "p", "validationActions": ["Deny"], "matchResources": {"matchPolicy": "Some"}},
    }.items():
        both(label, "POST", f"{bindings}?dryRun=All", {"metadata": {"name": "b"}, "spec": spec})
    for name in ("plain", "worded", "expressed", "warning", "failing", "lenient", "conditional", "named", "selected", "kept", "changes", "asked", "images", "spaces",
                 "still", "single", "escaped", "broken", "fields", "missing", "nowhere"):
        both.quietly("DELETE", f"{ADMISSION}/validatingadmissionpolicybindings/{name}-here")
        both.quietly("DELETE", f"{ADMISSION}/validatingadmissionpolicies/{name}")


# Values of each JSON type, and what each type of a field does not take.
VALUES = {
    "text": "x",
    "empty text": "",
    "number": 5,
    "number as text": "5",
    "fraction": 1.5,
    "large number": 2**40,
    "bool": True,
    "empty list": [],
    "texts": ["x"],
    "numbers": [1],
    "objects": [{"x": "y"}],
    "lists": [["x"]],
    "empty object": {},
    "object": {"x": "y"},
    "object of numbers": {"x": 1},
    "null": None,
}
NUMBERS = ["number", "fraction", "large number"]
LISTS = ["empty list", "texts", "numbers", "objects", "lists"]
OBJECTS = ["empty object", "object", "object of numbers"]
SCALARS = ["text", "empty text", "number as text", "bool", *NUMBERS]
WRONG = {
    "text": [*NUMBERS, "bool", *LISTS, *OBJECTS],
    # The decoder takes lists of numbers for bytes.
    "bytes": ["text", "number as text", *NUMBERS, "bool", *OBJECTS],
    "flag": [*(one for one in SCALARS if one != "bool"), *LISTS, *OBJECTS, "null"],
    "number": [*(one for one in SCALARS if one != "number"), *LISTS, *OBJECTS, "null"],
    "long number": ["text", "empty text", "number as text", "fraction", "bool", *LISTS, *OBJECTS, "null"],
    "map of texts": [*SCALARS, *LISTS, "object of numbers", "null"],
    "struct": [*SCALARS, *LISTS],
    "list of texts": [*SCALARS, *OBJECTS, "numbers", "lists", "null"],
    "list of structs": [*SCALARS, *OBJECTS, "texts", "numbers", "lists"],
}
# No controller writes these, so that no request has to wait for one.
FIELDS = {
    "configmaps/c": {
        "data": "map of texts",
        "data.a": "text",
        "immutable": "flag",
        "metadata": "struct",
        "metadata.labels": "map of texts",
        "metadata.labels.a": "text",
        "metadata.annotations": "map of texts",
        "metadata.finalizers": "list of texts",
        "metadata.ownerReferences": "list of structs",
    },
    "secrets/s": {"data": "map of texts", "data.a": "bytes", "stringData": "map of texts", "type": "text"},
    "services/sv": {
        "spec": "struct",
        "spec.ports": "list of structs",
        "spec.selector": "map of texts",
        "spec.sessionAffinity": "text",
        "spec.publishNotReadyAddresses": "flag",
    },
    "serviceaccounts/robot": {"secrets": "list of structs", "imagePullSecrets": "list of structs", "automountServiceAccountToken": "flag"},
    "cronjobs/cj": {
        "spec": "struct",
        "spec.suspend": "flag",
        "spec.startingDeadlineSeconds": "long number",
        "spec.successfulJobsHistoryLimit": "number",
        "spec.jobTemplate": "struct",
        "POD": "struct",
        "POD.containers": "list of structs",
        "POD.volumes": "list of structs",
        "POD.nodeSelector": "map of texts",
        "POD.tolerations": "list of structs",
        "POD.imagePullSecrets": "list of structs",
        "POD.terminationGracePeriodSeconds": "long number",
        "POD.securityContext": "struct",
        "POD.hostNetwork": "flag",
        "POD.restartPolicy": "text",
    },
}
POD = "spec.jobTemplate.spec.template.spec"


def nested(path, value):
    for field in reversed(path):
        value = {field: value}
    return value


@scenario
def wrong_types(both, namespace):
    """Patches of each kind that put each type of value into fields of each type."""
    cron = {"schedule": "0 3 * * *", "jobTemplate": {"spec": job()["spec"]}}
    kinds = {
        "configmaps": (CORE, plain("ConfigMap", "c", data={"a": "b"})),
        "secrets": (CORE, plain("Secret", "s", data={"a": "Yg=="})),
        "services": (CORE, plain("Service", "sv", spec={"selector": {"app": "a"}, "ports": [{"port": 80}]})),
        "serviceaccounts": (CORE, plain("ServiceAccount", "robot")),
        "cronjobs": (BATCH, plain("CronJob", "cj", "batch/v1", spec=cron)),
    }
    for one, fields in FIELDS.items():
        plural, name = one.split("/")
        base, object = kinds[plural]
        both.quietly("POST", place(base, namespace, plural), object)
        path = place(base, namespace, plural, name) + "?dryRun=All"
        typed = {field: object[field] for field in ("apiVersion", "kind")} | {"metadata": {"name": name}}
        for field, type in fields.items():
            inside = field.replace("POD", POD).split(".")
            for label in WRONG[type]:
                value = VALUES[label]
                label, change = f"{one} {field}: {label}", nested(inside, value)
                both(f"merge patch of {label}", "PATCH", path, change, "merge")
                # The converter of strategic patches drops the upper bits of a number.
                if value != 2**40:
                    both(f"strategic patch of {label}", "PATCH", path, change, "strategic")
                operation = {"op": "replace" if inside == ["metadata"] else "add", "path": "/" + "/".join(inside), "value": value}
                both(f"json patch of {label}", "PATCH", path, [operation], "patch")
                # The same converter is behind an apply, and one of a null only owns the field.
                if inside != ["metadata"] and value is not None and value != 2**40:
                    both(f"apply of {label}", "PATCH", f"{path}&fieldManager=f&force=true", merged(typed, change), "apply")
        both(f"{one}, as it was", "GET", path.removesuffix("?dryRun=All"))
    for field in ("replicas", "minReadySeconds", "progressDeadlineSeconds"):
        both(f"{field} beyond its width", "POST", place(APPS, namespace, "deployments") + "?dryRun=All", deployment(**{field: 2**63 - 1}))
    for label, query in (("strict", "Strict"), ("ignored", "Ignore"), ("warned of", "Warn")):
        query = f"{place(CORE, namespace, 'configmaps', 'c')}?dryRun=All&fieldValidation={query}"
        both(f"unknown field, {label}, merge patch", "PATCH", query, {"x": 1}, "merge")
        both(f"unknown field, {label}, strategic patch", "PATCH", query, {"x": 1}, "strategic")
        both(f"unknown field, {label}, json patch", "PATCH", query, [{"op": "add", "path": "/x", "value": 1}], "patch")


def merged(one, other):
    """Both objects; those within them, too."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other
    return one | {field: merged(one[field], value) if field in one else value for field, value in other.items()}


@scenario
def quantities(both, namespace):
    """Amounts in every form, and what is reckoned with them."""
    pods, hard = place(CORE, namespace, "pods"), place(CORE, namespace, "resourcequotas")

    def asks(requests=None, limits=None, **more):
        parts = {"requests": requests, "limits": limits}
        return container(resources={part: amounts for part, amounts in parts.items() if amounts}, **more)

    amounts = (
        "1e3 1E3 1e-3 12E 1Ei 9Ei 8Ei 1e30 1e-30 0.0000000001 1.5e3 1e3m -1 -1e3 +2 1e+3 0e3 0.5Ki 1.1 999999999999999999999 1000e3 100e2 1e2 1e1 1e4 "
        "1.5Gi 1e18 1e19 123456789e10 0.1e1 1e0 5e-1 1.0 00 01 1n 1u 1500u"
    )
    for amount in amounts.split():
        both(f"pod, {amount}", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": amount})))
        both(f"quota, {amount}", "POST", f"{hard}?dryRun=All", plain("ResourceQuota", "q", spec={"hard": {"cpu": amount}}))
    both("request over its limit", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": "1e1"}, {"cpu": "1e0"})))
    both("request over its limit in another form", "POST", f"{pods}?dryRun=All", pod("p", asks({"memory": "2e9"}, {"memory": "1Gi"})))
    quota = {"requests.cpu": "1e1", "limits.memory": "1e9", "pods": "1e1", "count/configmaps": "1e0"}
    both.quietly("POST", hard, plain("ResourceQuota", "q", spec={"hard": quota}))
    both.settled("quota with exponents", f"{hard}/q", lambda quota: "limits.memory" in (quota.get("status", {}).get("used") or {}))
    enough = {"requests": {"cpu": "1"}, "limits": {"memory": "1M"}}
    cases = {
        "nothing": [container()],
        "nothing in one of two": [asks(**enough), container(name="d")],
        "nothing in two": [container(), container(name="d")],
        "requests alone": [asks({"cpu": "1"})],
        "limits alone": [asks(None, {"memory": "1M"})],
        "zero": [asks({"cpu": "0"}, {"memory": "0"})],
        "enough": [asks({"cpu": "1e0"}, {"memory": "1e6"})],
        "too much": [asks({"cpu": "1e2"}, {"memory": "1M"})],
        "too much of both": [asks({"cpu": "1e2"}, {"memory": "1e10"})],
        "a little too much": [asks({"cpu": "10001m"}, {"memory": "1e6"})],
    }
    for label, containers in cases.items():
        both(label, "POST", f"{pods}?dryRun=All", pod("p", *containers))
    for label, init in {"init container without": container(name="i"), "large init container": asks({"cpu": "11"}, {"memory": "1M"}, name="i")}.items():
        both(label, "POST", f"{pods}?dryRun=All", pod("p", asks(**enough), initContainers=[init]))
    both.quietly("POST", pods, pod("used", asks({"cpu": "5e0"}, {"memory": "5e8"})))
    for server in both.servers:
        # Its managers differ: the real server counts on its own, before its controller does.
        while server.call("GET", f"{hard}/q")["body"]["status"]["used"].get("pods") != "1":
            pass
    both("too much besides", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": "6"}, {"memory": "1M"})))
    both("deployment", "POST", place(APPS, namespace, "deployments"), deployment())
    both.settled("deployment that asks for nothing", place(APPS, namespace, "deployments", "web"), lambda web: len(web.get("status", {}).get("conditions") or []) == 3)
    both.quietly("DELETE", f"{hard}/q")
    ranges = place(CORE, namespace, "limitranges")
    limits = [{"type": "Container", "max": {"cpu": "1e0"}, "min": {"cpu": "1e-1"}}, {"type": "Pod", "max": {"memory": "1e9"}}]
    both("limits", "POST", ranges, plain("LimitRange", "l", spec={"limits": limits}))
    both("over the limit", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": "1e1"}, {"cpu": "1e1", "memory": "1"})))
    both("under the limit", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": "1e-2"}, {"cpu": "1", "memory": "1"})))
    half = {"cpu": "1", "memory": "6e8"}
    both("one half", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": "1"}, half)))
    both("two halves", "POST", f"{pods}?dryRun=All", pod("p", asks({"cpu": "1"}, half), asks({"cpu": "1"}, half, name="d")))
