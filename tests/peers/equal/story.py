"""The table: the nineteen steps of the documented way, by az and kubectl in one emulator and by the library in another.

A row is one step. After it the states of the two emulators have to be equal, but for the places that `EVERYWHERE` and the row name,
each with its reason; and what the row compares besides has to hold. In the commands, `{far}` is the id of a registry in another
subscription, `{config}` a kubeconfig that had entries of others before, `{manifest}` and `{always}` files with the deployment, in
the second of which nodes ask the registry each time; `{kubelet_id}` and `{kubelet_principal}` are of the identity in that emulator. A place is a path through the state, in which `*` is any one step.
"""

from dataclasses import dataclass, field

TIME, CHANCE, BEFORE = "time", "chance", "how much happened before"

# What differs between any two runs, of whatever program.
EVERYWHERE = {
    "now": TIME,
    "registries.*.properties.creationDate": TIME,
    "registries.*.properties.policies.*.lastUpdatedTime": TIME,
    "roleAssignments.*.name": "az names a grant by chance, the library by scope, principal and role",
    "roleAssignments.*.description": "the library signs its grants",
    "clusters.*.etag": "chance; and the PUT by which az attaches, which the library does without",
    "managedClusters.*.eTag": "as before",
    "managedClusters.*.properties.linuxProfile.ssh.publicKeys": "each program made a key of its own",
    "clusters.*.deployments.*.metadata.annotations": "what kubectl applied last, by which it finds what to take away",
    "clusters.*.deployments.*.metadata.managedFields": "the managers are kubectl and aks-acr",
    "clusters.*.deployments.*.metadata.uid": CHANCE,
    "clusters.*.deployments.*.metadata.creationTimestamp": TIME,
    "clusters.*.deployments.*.metadata.resourceVersion": BEFORE,
    "clusters.*.deployments.*.status.conditions.*.lastTransitionTime": TIME,
    "clusters.*.deployments.*.status.conditions.*.lastUpdateTime": TIME,
    "clusters.*.pods.*.metadata.name": CHANCE,
    "clusters.*.pods.*.metadata.uid": CHANCE,
    "clusters.*.pods.*.metadata.creationTimestamp": TIME,
    "clusters.*.pods.*.metadata.resourceVersion": BEFORE,
    "clusters.*.pods.*.metadata.managedFields": TIME,
    "clusters.*.pods.*.metadata.ownerReferences.*.uid": CHANCE,
    "clusters.*.pods.*.status.startTime": TIME,
    "clusters.*.pods.*.status.podIP": BEFORE,
    "clusters.*.pods.*.status.podIPs.*.ip": BEFORE,
    "clusters.*.pods.*.status.conditions.*.lastTransitionTime": TIME,
    "clusters.*.pods.*.status.containerStatuses.*.containerID": CHANCE,
    "clusters.*.pods.*.status.containerStatuses.*.state.running.startedAt": TIME,
}
# Those that must be seen at the end: a row here without a difference would be a mistake.
CERTAIN = (
    "roleAssignments.*.name",
    "roleAssignments.*.description",
    "managedClusters.*.properties.linuxProfile.ssh.publicKeys",
    "clusters.*.deployments.*.metadata.annotations",
    "clusters.*.deployments.*.metadata.managedFields",
)


# From row 10 on nodes ask again and again for an image that they may not have. How far they are, on which nodes later pods are, and
# whether row 16 came before them is a matter of when it was looked at.
ASKING = {"clusters.*.pods": TIME, "clusters.*.deployments.*.status": TIME}


@dataclass(frozen=True)
class Row:
    """A step of the story."""

    number: int
    theirs: tuple
    ours: tuple
    # In words; the first word of each names what the test looks at.
    compared: tuple
    # What differs here besides, with the reason.
    differs: dict = field(default_factory=dict)


# In the order in which they are done: without an image there is nothing to deploy, and what is taken away was there.
ROWS = (
    Row(
        1,
        ("az acr create -n myregistry -g group --sku basic",),
        ("create-registry group myregistry",),
        ("state",),
    ),
    Row(
        2,
        ("az aks create -n dev -g group --generate-ssh-keys --attach-acr myregistry",),
        ("create-cluster group/dev myregistry",),
        ("state", "grants", "key: made in the home folder, for its owner alone"),
    ),
    Row(
        3,
        ("az aks create -n far -g group --generate-ssh-keys --attach-acr {far}",),
        ("create-cluster group/far {far}",),
        ("state", "grants", "key: the one that was there, as it was"),
    ),
    Row(
        4,
        ("az aks update -n plain -g group --attach-acr myregistry",),
        ("attach group/plain myregistry",),
        ("state", "grants"),
    ),
    Row(
        6,
        ("az acr import -n myregistry --source docker.io/library/nginx:latest --image nginx:v1",),
        ("import myregistry docker.io/library/nginx:latest nginx:v1",),
        ("state", "image: the tag has the source's digest"),
    ),
    Row(
        7,
        ("az aks get-credentials -g group -n plain -f {config}",),
        ("merge-kubeconfig group/plain {config}",),
        ("state", "file: clusters, users, contexts and the current one; entries of others"),
        {"{config}": "az writes the file anew, without its comments; the library leaves what is others' byte for byte"},
    ),
    Row(
        8,
        ("kubectl apply -f {manifest}",),
        ("apply group/plain {manifest} myregistry",),
        ("objects: the deployment",),
    ),
    Row(
        9,
        ("kubectl rollout status deployment/nginx0-deployment --timeout=60s", "kubectl get pods -l app=nginx0"),
        ("rollout group/plain nginx0-deployment", "pods group/plain app=nginx0"),
        ("state", "table: each line of it, of the same emulator; READY, STATUS and RESTARTS across the two"),
    ),
    Row(
        5,
        ("az aks update -n plain -g group --detach-acr myregistry",),
        ("detach group/plain myregistry",),
        ("state", "grants"),
    ),
    Row(
        10,
        ("kubectl apply -f {always}", "kubectl describe pods -l app=nginx0"),
        ("apply group/plain {always} myregistry", "rollout group/plain nginx0-deployment"),
        ("cause: image, status and text of the failed pull",),
        {"az aks check-acr": "it starts a program in a pod, and the emulator's pods run none; what kubectl reads is compared"},
    ),
    # The second half of the documentation. Rows 11 to 14 are one plan of the library.
    Row(
        11,
        ("az identity create -g group -n kubelet-control-plane", "az identity create -g group -n kubelet"),
        (),
        ("plan: what rows 11 to 14 lead to is compared at row 14",),
    ),
    Row(
        12,
        ("az ad group member add -g acr-pullers --member-id {kubelet_principal}",),
        (),
        ("plan: as row 11",),
    ),
    Row(
        13,
        (
            "az role assignment create --role 'Managed Identity Operator' --assignee-object-id {control_principal} "
            "--assignee-principal-type ServicePrincipal --scope {kubelet_id}",
        ),
        (),
        ("plan: as row 11",),
    ),
    Row(
        14,
        (
            "az role assignment create --role AcrPull --assignee-object-id {pullers} --assignee-principal-type Group --scope {registry_id}",
        ),
        ("own-identity group kubelet acr-pullers myregistry",),
        ("state",),
        {
            "identities.*.tags": "the library marks what it has created, to take it back",
            "principals.*.tags": "as before",
            **ASKING,
        },
    ),
    Row(
        15,
        ("az aks create -g group -n own --no-ssh-key --assign-identity {control_id} --assign-kubelet-identity {kubelet_id}",),
        ("create-own-cluster group/own {control_id} {kubelet_id}",),
        ("state",),
        {"identities.*.tags": "as row 14", "principals.*.tags": "as row 14", **ASKING},
    ),
    Row(
        16,
        (
            "kubectl create secret docker-registry ghcr --docker-server=ghcr.io --docker-username=robot --docker-password=word",
            """kubectl patch serviceaccount default -p '{{"imagePullSecrets": [{{"name": "ghcr"}}]}}'""",
        ),
        ("pull-secret group/plain ghcr ghcr.io robot word",),
        ("secret: its type and its entries, and the service account",),
    ),
    Row(
        17,
        ("az aks show -g group -n own --query identityProfile", "az aks show -g group -n own --query identity"),
        ("identities group/own", "node-identities group/own"),
        ("identities: of the kubelet, of the control plane, and of the nodes",),
    ),
    Row(
        18,
        ("kubectl describe pods -l app=nginx0", "kubectl get events"),
        ("explain group/plain", "prove group/plain myregistry.azurecr.io/nginx:v1 default"),
        ("trouble: the text of the failed pull; the library also has its cause and the next step",),
    ),
    Row(
        19,
        (
            "az role assignment create --role AcrPull --assignee-object-id {plain_principal} --assignee-principal-type ServicePrincipal "
            "--scope {registry_id}",
        ),
        ("attach group/plain myregistry", "attachments group/plain"),
        ("state", "tools: what other tools have granted is seen, and not granted again", "rollout: the pods of row 10 run"),
        ASKING,
    ),
)
