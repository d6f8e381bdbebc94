"""The examples in Python of the pages below ``docs/``. The body of each function is on its page."""

from __future__ import annotations

from pathlib import Path

import aks_acr


def identities(client: aks_acr.Client) -> None:
    kubelet = client.identities("my-group/my-cluster").kubelet
    print(kubelet.object_id if kubelet else "the cluster has no kubelet identity")


def attach(client: aks_acr.Client) -> None:
    try:
        attachment = client.attach("my-group/my-cluster", "myregistry")
        print(attachment.outcome.kind)
        for warning in attachment.warnings:
            print(warning)  # what keeps pods from pulling although the role is assigned
    except aks_acr.ForbiddenError as err:
        print(err)
        if err.smallest_role:
            print(f"ask for {err.smallest_role} at {err.scope}")


def plan_attach(client: aks_acr.Client) -> None:
    plan = client.plan_attach("my-group/my-cluster", "myregistry")
    print(plan)  # + AcrPull on myregistry for my-group/my-cluster (kubelet …), and the details


def apply_attach(client: aks_acr.Client) -> None:
    plan = client.plan_attach("my-group/my-cluster", "myregistry")
    # Review the plan first; it is valid for one hour.
    attachment = client.apply_attach(plan)
    print(attachment.outcome.kind)
    for warning in attachment.warnings:
        print(warning)  # what keeps pods from pulling although the role is assigned


def detach(client: aks_acr.Client) -> None:
    detachment = client.detach("my-group/my-cluster", "myregistry")
    print(detachment.outcome)
    for grant in detachment.remaining:
        print("still has access:", grant.role_name, "by", grant.assignment_id)


def plan_detach(client: aks_acr.Client) -> None:
    print(client.plan_detach("my-group/my-cluster", "myregistry"))


def apply_detach(client: aks_acr.Client) -> None:
    plan = client.plan_detach("my-group/my-cluster", "myregistry")
    # Review the plan first; it is valid for one hour.
    print(client.apply_detach(plan).outcome)


def grant_access(client: aks_acr.Client) -> None:
    # The object ID of the pipeline's identity, not its client ID: az ad sp show --id CLIENT_ID --query id
    pipeline = "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50"
    granted = client.grant_access("myregistry", pipeline, role="push")
    print(granted)  # AcrPush for 0c9f1a7e-… on myregistry: granted


def plan_grant_access(client: aks_acr.Client) -> None:
    print(client.plan_grant_access("myregistry", "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50"))


def apply_grant_access(client: aks_acr.Client) -> None:
    plan = client.plan_grant_access("myregistry", "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50")
    # Review the plan first; it is valid for one hour.
    print(client.apply_grant_access(plan))


def revoke_access(client: aks_acr.Client) -> None:
    # Also for an identity that was deleted: Azure keeps its role assignments.
    revoked = client.revoke_access("myregistry", principal_id="0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50")
    for grant in revoked.remaining:
        print("still has access:", grant)


def plan_revoke_access(client: aks_acr.Client) -> None:
    for grant in client.attachments_of_registry("myregistry").grants:
        if grant.reach.kind == "direct":
            print(client.plan_revoke_access("myregistry", assignment_id=grant.assignment_id))


def apply_revoke_access(client: aks_acr.Client) -> None:
    plan = client.plan_revoke_access("myregistry", principal_id="0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50")
    # Review the plan first; it is valid for one hour.
    print(client.apply_revoke_access(plan))


def attachments_of_cluster(client: aks_acr.Client) -> None:
    for grant in client.attachments_of_cluster("my-group/my-cluster").grants:
        print(grant.registry, "by", grant.role_name)


def attachments_of_registry(client: aks_acr.Client) -> None:
    for grant in client.attachments_of_registry("myregistry").grants:
        print(grant.principal_id, grant.principal_state, grant.clusters)


def clusters(client: aks_acr.Client) -> None:
    found = client.clusters(tags={"env": "prod"}, locations=["westeurope"])
    for cluster in found.clusters:
        print(cluster.id, cluster.power_state)
    for part in found.unreadable:
        print("not read:", part)


def registries(client: aks_acr.Client) -> None:
    found = client.registries(tags={"team": None}, names=["my*"])
    for registry in found.registries:
        print(registry.login_server, "in", registry.location)
    print("everything was read:", found.is_complete)


def registry(client: aks_acr.Client) -> None:
    found = client.registry("myregistry")
    print(f"{found.login_server} in {found.location}" if found else "registry not found")


def registry_token(client: aks_acr.Client) -> None:
    token = client.registry_token("myregistry")
    print(token)  # never the password
    command = ["docker", "login", token.login_server, "--username", token.username, "--password-stdin"]
    print(*command)  # subprocess.run(command, input=token.password, text=True, check=True)


def create_registry(client: aks_acr.Client) -> None:
    made = client.create_registry("my-group", "anotherregistry", sku="Standard")
    print(made.is_new, made.registry.login_server)
    for difference in made.differences:
        print(difference)  # an existing registry is not changed


def update_registry(client: aks_acr.Client) -> None:
    updated = client.update_registry("myregistry", sku="Standard", tags={"team": "web"})
    for change in updated.changes:
        print(change)  # empty, and nothing was written, if nothing differed


def plan_kubelet_identity(client: aks_acr.Client) -> None:
    plan = client.plan_kubelet_identity("my-group", "my-kubelet", registries=["myregistry"])
    print(plan)


def apply_kubelet_identity(client: aks_acr.Client) -> None:
    plan = client.plan_kubelet_identity("my-group", "my-kubelet", registries=["myregistry"])
    setup = client.apply_kubelet_identity(plan)
    client.create_cluster(
        "my-group/another-cluster",
        control_plane_identity=setup.control_plane.id,
        kubelet_identity=setup.kubelet.id,
    )


def remove_kubelet_identity(client: aks_acr.Client) -> None:
    plan = client.plan_kubelet_identity("my-group", "my-kubelet")
    client.apply_kubelet_identity(plan)
    for one in client.remove_kubelet_identity(plan).removed:
        print(one.part, one.id)


def delete_cluster(client: aks_acr.Client) -> None:
    print(client.delete_cluster("my-group/my-cluster").outcome)


def plan_delete_cluster(client: aks_acr.Client) -> None:
    plan = client.plan_delete_cluster("my-group/my-cluster")
    print(plan)
    for one in plan.unread:
        print("not read:", one.part)


def apply_delete_cluster(client: aks_acr.Client) -> None:
    plan = client.plan_delete_cluster("my-group/my-cluster")
    print(plan)
    print(client.apply_delete_cluster(plan).outcome)


def check(client: aks_acr.Client) -> None:
    report = client.check("my-group/my-cluster", "myregistry", image="app:1")
    print(report)
    for finding in report.findings:
        print(finding.id, finding.next_step.summary)


def explain(client: aks_acr.Client) -> None:
    explanation = client.explain("my-group/my-cluster", "web")
    print(explanation)
    for group in explanation.groups:
        print(group)  # the pods, the cause, the evidence and the next step


def prove_pull(client: aks_acr.Client) -> None:
    proof = client.prove_pull("my-group/my-cluster", "myregistry.azurecr.io/app:v1")
    print(proof)
    for pool in proof.pools:
        if pool.outcome == "failed":
            print(pool.pool, "cannot pull:", pool.reason)


def node_identities(client: aks_acr.Client) -> None:
    identities = client.node_identities("my-group/my-cluster")
    print(identities)
    for pool in identities.pools:
        if pool.outdated_nodes:
            print("upgrade the node image of", pool.pool)


def endpoints(client: aks_acr.Client) -> None:
    endpoints = client.endpoints("myregistry", cluster="my-group/my-cluster")
    for host in endpoints.hosts:
        print("allow", host.host, "on port", host.port, "for", host.purpose)
    print("noProxy:", ",".join(endpoints.no_proxy))


def delete_registry(client: aks_acr.Client) -> None:
    print(client.delete_registry("myregistry").outcome)


def plan_delete_registry(client: aks_acr.Client) -> None:
    plan = client.plan_delete_registry("myregistry")
    print(plan)  # what would be lost, and who pulls from it
    for part in plan.unread:
        print("not known:", part.part, part.missing_action)


def apply_delete_registry(client: aks_acr.Client) -> None:
    plan = client.plan_delete_registry("myregistry")
    # Review the plan first; it is valid for one hour.
    print(client.apply_delete_registry(plan).outcome)


def create_cluster(client: aks_acr.Client) -> None:
    made = client.create_cluster("my-group/another-cluster", registries=["myregistry"], node_count=2, on_progress=print)
    print(made.is_new, made.cluster.state)


def import_image(client: aks_acr.Client) -> None:
    done = client.import_image("myregistry", "nginx", target="nginx:v1")
    print(done.target, done.proof)


def import_images(client: aks_acr.Client) -> None:
    for result in client.import_images("myregistry", ["nginx", {"source": "nginx", "target": "web/nginx:stable"}]):
        print(result if isinstance(result, aks_acr.AksAcrError) else result.target)  # a failure does not stop the others


def start_import(client: aks_acr.Client) -> None:
    started = client.start_import("myregistry", "nginx", target="nginx:v2")
    if isinstance(started, aks_acr.StartedImport.Started):
        print("started; store the handle, it is a secret")


def poll_import(client: aks_acr.Client) -> None:
    started = client.start_import("myregistry", "nginx", target="nginx:v3")
    if isinstance(started, aks_acr.StartedImport.Started):
        print(client.poll_import(started.handle).kind)


def kubeconfig(client: aks_acr.Client) -> None:
    kubeconfig = client.kubeconfig("my-group/my-cluster", access="user")
    print(kubeconfig.context, "at", kubeconfig.server)  # text is a secret


def merge_kubeconfig(client: aks_acr.Client, file: Path) -> None:
    merged = client.merge_kubeconfig("my-group/my-cluster", file=file)  # without it: kubectl's default file
    print(merged.context, "in", merged.file, merged.outcome)


def apply(client: aks_acr.Client, manifests: str) -> None:
    for applied in client.apply("my-group/my-cluster", manifests, registry="myregistry"):
        print(applied)


def wait_for_rollout(client: aks_acr.Client) -> None:
    try:
        rolled = client.wait_for_rollout("my-group/my-cluster", "web")
        print(f"{rolled.ready}/{rolled.wanted} ready")
    except aks_acr.PullFailedError as err:
        print(err)  # the finding and the next step; err.pull_failure has the details


def plan_pull_secret(client: aks_acr.Client) -> None:
    credentials = [{"registry": "ghcr.io", "username": "robot", "password": "the password"}]
    plan = client.plan_pull_secret("my-group/my-cluster", "ghcr", credentials, images=["ghcr.io/team/app:1"])
    print(plan)  # + pull secret ghcr in namespace default of my-cluster, and the details


def apply_pull_secret(client: aks_acr.Client) -> None:
    credentials = [{"registry": "ghcr.io", "username": "robot", "password": "the password"}]
    plan = client.plan_pull_secret("my-group/my-cluster", "ghcr", credentials)
    # Review the plan first; it is valid for one hour, and contains no password.
    print(client.apply_pull_secret(plan, credentials))


def plan_mode_change(client: aks_acr.Client) -> None:
    plan = client.plan_mode_change("myregistry", aks_acr.RoleAssignmentMode.ABAC_REPOSITORY_PERMISSIONS)
    print(plan)  # + Container Registry Repository Reader for …, and all that changes
    for change in plan.lost:
        print("would lose", change)


def apply_mode_change(client: aks_acr.Client) -> None:
    plan = client.plan_mode_change("myregistry", aks_acr.RoleAssignmentMode.ABAC_REPOSITORY_PERMISSIONS)
    # Review the plan first, and keep it: it is valid for one hour, and undoes the change at any time.
    change = client.apply_mode_change(plan)
    print(change)
    client.apply_mode_change(plan, reverse=True)


def check_principal(client: aks_acr.Client) -> None:
    object_id = "11111111-1111-1111-1111-111111111111"  # the object ID, not the client ID
    print(client.check("my-group/my-cluster", "myregistry", image="app:1", principal_id=object_id))
    # Or query_graph=True instead of principal_id: the object ID is read from Microsoft Graph.


def check_addresses(client: aks_acr.Client) -> None:
    print(client.check("my-group/my-cluster", "myregistry", image="app:1", outbound_addresses=["203.0.113.7"]))


def stored_report(client: aks_acr.Client) -> None:
    stored = client.check("my-group/my-cluster", "myregistry").to_json()

    # Later, in another process, perhaps with a newer version of the library:
    report = aks_acr.Report.from_json(stored)
    print(report.redacted())  # without your names, IDs, hosts and addresses
    report.replayed().require()  # raises an error unless the cluster can pull


def pods(client: aks_acr.Client) -> None:
    print(client.pods("my-group/my-cluster", labels="app=web"))
