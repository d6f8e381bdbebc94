"""The commands that a report prints, run by a shell with the real az, letter by letter: what failed before works after."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from arm import CLUSTER_VERSION, Arm
from emulator import running
from kube import Api
from walk import PEERS, signed_in

SCENE = PEERS / "equal" / "next_steps.yaml"
# A name that a shell does not take without quotes.
GROUP = "group(one)"
NETWORK_VERSION = "2024-05-01"
DNS_VERSION = "2024-06-01"
ZONE = "privatelink.azurecr.io"


@dataclass
class Situation:
    """A cause, its registry, and what the printed command begins with."""

    name: str
    finding: str
    command: str
    registry: str
    cluster: str = "dev"
    # Whether the library reaches the image. It does not where a registry admits only the nodes.
    with_image: bool = True
    # Whether pods fail before.
    fails: bool = True


NODE_IMAGE = "az aks nodepool upgrade --node-image-only"
RECONCILE = "az aks update --resource-group"
ASSIGN = "az role assignment create"
SITUATIONS = [
    Situation("no grant", "grant.missing", ASSIGN, "missing"),
    Situation("no grant with repository permissions", "grant.missing", ASSIGN, "narrow"),
    Situation("a grant to the control plane", "grant.to_wrong_identity", ASSIGN, "plane"),
    Situation("AcrPull with repository permissions", "grant.role_not_honoured", ASSIGN, "former"),
    Situation("an address that is not listed", "network.outbound_ip_not_allowed", "az acr network-rule add", "listed"),
    Situation("no public access", "network.public_access_disabled", "az acr update", "closed", with_image=False),
    Situation("an endpoint that waits for approval", "network.private_endpoint_not_approved",
              "az acr private-endpoint-connection approve", "pending", with_image=False),
    Situation("a deleted image", "image.soft_deleted", "az acr manifest restore", "binned"),
    Situation("an image whose reading is disabled", "image.read_disabled", "az acr repository update", "locked"),
    Situation("a repository whose reading is disabled", "image.read_disabled", "az acr repository update", "shut00"),
    Situation("a stopped cluster", "cluster.stopped", "az aks start", "shared", "stopped"),
    Situation("a failed cluster", "cluster.not_ready", RECONCILE, "shared", "failed", fails=False),
    Situation("an identity that is not on the nodes", "identity.not_on_nodes", RECONCILE, "shared", "detached"),
    Situation("nodes with a former identity", "identity.nodes_outdated", NODE_IMAGE, "shared", "outdated"),
    Situation("nodes with tokens for Resource Manager", "sign_in.arm_tokens_refused", NODE_IMAGE, "strict", "aged"),
    Situation("a disabled service principal", "identity.service_principal_expired", "az ad sp update", "shared", "older"),
    Situation("a zone without a link", "dns.private_zone_not_linked", "az network private-dns link vnet create",
              "linked", "unlinked", with_image=False),
    Situation("a zone without the record", "dns.record_missing", "az network private-dns record-set a add-record",
              "record", "unnamed", with_image=False),
    Situation("an endpoint without a zone group", "dns.record_missing",
              "az network private-endpoint dns-zone-group create", "zoned0", "unzoned", with_image=False),
]  # fmt: skip
GRANTED = [one.registry for one in SITUATIONS if not one.finding.startswith("grant.")]


class Azure:
    """The emulator, az in a shell, the library, and the clusters' API servers."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.az = signed_in(emulator)
        self.arm = Arm(emulator)
        self.pods = {}
        programs = emulator.home / "bin"
        programs.mkdir()
        program = programs / "az"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -s -m azure.cli "$@"\n')
        program.chmod(0o755)
        self.environment = self.az.environment | {"PATH": f"{programs}:{os.environ['PATH']}"}

    def group(self, provider, name):
        return f"{self.arm.subscription}/resourceGroups/{GROUP}/providers/{provider}/{name}"

    def cluster(self, name):
        return self.arm.call("GET", self.arm.cluster_id(GROUP, name), CLUSTER_VERSION)[0]

    def puller(self, name):
        """The object ID of what the nodes pull with."""
        properties = self.cluster(name)["properties"]
        if "identityProfile" in properties:
            return properties["identityProfile"]["kubeletidentity"]["objectId"]
        return self.az("ad", "sp", "show", "--id", properties["servicePrincipalProfile"]["clientId"])["id"]

    def grant(self, registry, role, principal):
        order = {"role": role, "principal": principal, "scope": self.arm.registry_id(GROUP, registry)}
        self.emulator.order("POST", "grant", order)

    def network(self, cluster):
        """The network that AKS made for a cluster's nodes."""
        group = self.cluster(cluster)["properties"]["nodeResourceGroup"]
        path = f"{self.arm.subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks"
        (network,) = self.arm.call("GET", path, NETWORK_VERSION)[0]["value"]
        return network

    def endpoint(self, registry, cluster, approved=True):
        """A private endpoint for a registry beside the nodes of a cluster."""
        connection = {
            "name": "registry",
            "properties": {"privateLinkServiceId": self.arm.registry_id(GROUP, registry), "groupIds": ["registry"]},
        }
        subnet = self.network(cluster)["properties"]["subnets"][0]["id"]
        kind = "privateLinkServiceConnections" if approved else "manualPrivateLinkServiceConnections"
        body = {"location": "westeurope", "properties": {"subnet": {"id": subnet}, kind: [connection]}}
        path = self.group("Microsoft.Network", f"privateEndpoints/{registry}")
        self.arm.put(path, NETWORK_VERSION, body)
        return path

    def bare_zone(self, group):
        self.arm.group(group)
        zone = f"{self.arm.subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/{ZONE}"
        self.arm.put(zone, DNS_VERSION, {"location": "global"})
        return zone

    def zone(self, endpoint, group):
        """The zone with the records of an endpoint, in a group of its own."""
        zone = self.bare_zone(group)
        configs = [{"name": "registry", "properties": {"privateDnsZoneId": zone}}]
        body = {"properties": {"privateDnsZoneConfigs": configs}}
        self.arm.put(f"{endpoint}/privateDnsZoneGroups/default", NETWORK_VERSION, body)
        return zone

    def link(self, zone, cluster):
        body = {"location": "global", "properties": {"virtualNetwork": {"id": self.network(cluster)["id"]}, "registrationEnabled": False}}
        self.arm.put(f"{zone}/virtualNetworkLinks/{cluster}", DNS_VERSION, body)

    def report(self, situation):
        subject = f"{situation.registry}.azurecr.io/team/app:v1" if situation.with_image else situation.registry
        words = (self.emulator.origin, self.emulator.subscription, "check-all", f"{GROUP}/{situation.cluster}", subject)
        done = subprocess.run(
            [os.environ["AKS_ACR_OPERATE_BIN"], *words],
            env=self.emulator.client_environment(AZURE_AUTHORITY_HOST=self.emulator.origin),
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def run(self, command):
        """Runs a command as it is printed, in a shell without a terminal."""
        done = subprocess.run(
            ["bash", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=self.environment, cwd=self.emulator.home, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"

    def pulls(self, situation):
        """Whether a new pod runs."""
        api = self.pods.setdefault(situation.cluster, None) or Api(self.az, self.emulator, GROUP, situation.cluster)
        self.pods[situation.cluster] = api
        name = f"{situation.registry}-{self.emulator.mark()}"
        api.run_pod(name, f"{situation.registry}.azurecr.io/team/app:v1")
        return api.waits_for(name, {"running", "ErrImagePull", "ImagePullBackOff"})


def prepare(azure, situation):
    """What is not in the scene."""
    name, az = situation.registry, azure.az
    image = ("-n", name, "--image", "team/app:v1")
    if name in ("narrow", "former"):
        # With repository permissions, an owner cannot read images.
        azure.grant(name, "Container Registry Repository Reader", azure.emulator.principal("owner")["objectId"])
    if name in GRANTED:
        azure.grant(name, "AcrPull", azure.puller(situation.cluster))
    match situation.finding, name:
        case "grant.to_wrong_identity", _:
            azure.grant(name, "AcrPull", azure.cluster("dev")["identity"]["principalId"])
        case "grant.role_not_honoured", _:
            azure.grant(name, "AcrPull", azure.puller("dev"))
        case "cluster.stopped", _:
            az("aks", "stop", "-g", GROUP, "-n", situation.cluster)
        case "image.soft_deleted", _:
            az("acr", "repository", "delete", *image, "--yes")
        case "image.read_disabled", "locked":
            az("acr", "repository", "update", *image, "--read-enabled", "false")
        case "image.read_disabled", _:
            az("acr", "repository", "update", "-n", name, "--repository", "team/app", "--read-enabled", "false")
        case "identity.service_principal_expired", _:
            az("ad", "sp", "update", "--id", azure.puller("older"), "--set", "accountEnabled=false")
        case "network.private_endpoint_not_approved", _:
            azure.link(azure.zone(azure.endpoint(name, situation.cluster, approved=False), "zone-pending"), situation.cluster)
        case "dns.private_zone_not_linked", _:
            azure.zone(azure.endpoint(name, situation.cluster), "zone-linked")
        case "dns.record_missing", "zoned0":
            azure.endpoint(name, situation.cluster)
            azure.link(azure.bare_zone(GROUP), situation.cluster)
        case "dns.record_missing", _:
            zone = azure.zone(azure.endpoint(name, situation.cluster), "zone-record")
            azure.link(zone, situation.cluster)
            azure.arm.call("DELETE", f"{zone}/A/{name}", DNS_VERSION)


@pytest.fixture(scope="module")
def azure():
    with running("--seed", SCENE) as emulator:
        emulator.order("POST", "clock", {"speed": 30})
        emulator.order("POST", "timing", {"preset": "none"})
        yield Azure(emulator)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_a_printed_command_does_what_the_report_says(azure, situation):
    prepare(azure, situation)
    before = azure.report(situation)
    assert before["findings"], before
    first = before["findings"][0]
    assert first["id"] == situation.finding, before
    if situation.fails and situation.finding != "cluster.stopped":
        assert azure.pulls(situation) in ("ErrImagePull", "ImagePullBackOff")
    command = first["next_step"]["command"]
    assert command and command.startswith(situation.command), command
    azure.run(command)
    after = azure.report(situation)
    assert after["verdict"] == "can_pull", (command, after["findings"])
    assert situation.finding not in [one["id"] for one in after["findings"]]
    assert azure.pulls(situation) == "running"


def test_there_are_enough_commands():
    assert len(SITUATIONS) >= 15
    assert len({one.command for one in SITUATIONS}) >= 10
