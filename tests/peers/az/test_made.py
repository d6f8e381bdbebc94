"""Clusters as people make them with az: a network of their own, sign-in by Entra, several pools; and private DNS zones."""

import pytest

from conftest import GROUP


@pytest.fixture(scope="module")
def subnet(az, azure, group):
    azure.order("POST", "clock", {"speed": 50})
    made = az(
        "network", "vnet", "create", "-g", group, "-n", "network", "--address-prefixes", "10.1.0.0/16",
        "--subnet-name", "nodes", "--subnet-prefixes", "10.1.0.0/24",
    )  # fmt: skip
    assert [one["name"] for one in made["newVNet"]["subnets"]] == ["nodes"]
    return az("network", "vnet", "subnet", "show", "-g", group, "--vnet-name", "network", "-n", "nodes")["id"]


@pytest.fixture(scope="module")
def cluster(az, group, subnet):
    return az(
        "aks", "create", "-g", group, "-n", "made", "--no-ssh-key", "-c", "2", "--vnet-subnet-id", subnet,
        "--network-plugin", "azure", "--network-plugin-mode", "overlay", "--network-policy", "calico",
        "--enable-private-cluster", "--enable-aad", "--enable-azure-rbac", "--enable-oidc-issuer",
        "--enable-workload-identity", "--tags", "team=web", "--enable-cluster-autoscaler", "--min-count", "1",
        "--max-count", "3", "--zones", "1", "2", "--max-pods", "40", "--nodepool-labels", "kind=web", "--yes",
    )  # fmt: skip


def test_a_cluster_is_shown_as_it_was_asked_for(az, cluster, subnet):
    shown = az("aks", "show", "-g", GROUP, "-n", "made")
    (pool,) = shown["agentPoolProfiles"]
    assert pool["vnetSubnetId"] == subnet
    assert (pool["minCount"], pool["maxCount"], pool["count"], pool["enableAutoScaling"]) == (1, 3, 2, True)
    assert (pool["availabilityZones"], pool["maxPods"], pool["nodeLabels"]) == (["1", "2"], 40, {"kind": "web"})
    network = shown["networkProfile"]
    assert (network["networkPlugin"], network["networkPluginMode"], network["networkPolicy"]) == ("azure", "overlay", "calico")
    assert shown["apiServerAccessProfile"]["enablePrivateCluster"] is True
    assert ".privatelink.westeurope.azmk8s.io" in shown["privateFqdn"]
    assert (shown["aadProfile"]["managed"], shown["aadProfile"]["enableAzureRbac"]) == (True, True)
    assert shown["oidcIssuerProfile"]["issuerUrl"].startswith("https://")
    assert shown["securityProfile"]["workloadIdentity"] == {"enabled": True}
    assert shown["tags"] == {"team": "web"}


def test_pools_of_windows_and_arm_are_added(az, cluster):
    on = ("-g", GROUP, "--cluster-name", "made")
    windows = az("aks", "nodepool", "add", *on, "-n", "win", "--os-type", "Windows", "-c", "1")
    assert (windows["osType"], windows["mode"]) == ("Windows", "User")
    arm = az(
        "aks", "nodepool", "add", *on, "-n", "arm", "-c", "1", "--node-vm-size", "Standard_D2pds_v5",
        "--node-taints", "arch=arm64:NoSchedule",
    )  # fmt: skip
    assert arm["nodeTaints"] == ["arch=arm64:NoSchedule"]
    listed = {one["name"]: one["osType"] for one in az("aks", "nodepool", "list", *on)}
    assert listed == {"nodepool1": "Linux", "win": "Windows", "arm": "Linux"}


def test_what_a_region_lacks_is_refused_with_azures_words(az, azure, group, subnet):
    azure.order("POST", "capacity", {"region": "westeurope", "cores": {"standardESv5Family": 8}, "withoutSizes": ["Standard_D8s_v5"]})
    create = ("aks", "create", "-g", group, "-n", "other", "--no-ssh-key")
    assert "ErrCode_InsufficientVCPUQuota" in az.refused(*create, "-s", "Standard_E16s_v5")
    assert "is not allowed in your subscription" in az.refused(*create, "-s", "Standard_D8s_v5")
    crowded = ("--vnet-subnet-id", subnet, "--network-plugin", "azure", "-c", "20", "--yes")
    assert "InsufficientSubnetSize" in az.refused(*create, *crowded)


def test_a_private_zone_is_linked_and_has_records(az, subnet, group):
    zone = ("-g", group, "-z", "privatelink.azurecr.io")
    az("network", "private-dns", "zone", "create", "-g", group, "-n", "privatelink.azurecr.io")
    link = az("network", "private-dns", "link", "vnet", "create", *zone, "-n", "nodes", "-v", "network", "-e", "false")
    assert (link["provisioningState"], link["registrationEnabled"]) == ("Succeeded", False)
    az("network", "private-dns", "record-set", "a", "add-record", *zone, "-n", "myregistry", "-a", "10.1.0.9")
    shown = az("network", "private-dns", "record-set", "a", "show", *zone, "-n", "myregistry")
    assert shown["fqdn"] == "myregistry.privatelink.azurecr.io."
    assert [one["ipv4Address"] for one in shown["aRecords"]] == ["10.1.0.9"]
    assert {one["name"] for one in az("network", "private-dns", "record-set", "list", *zone)} == {"@", "myregistry"}
    assert [one["name"] for one in az("network", "private-dns", "link", "vnet", "list", *zone)] == ["nodes"]
    assert az("network", "private-dns", "zone", "show", "-g", group, "-n", "privatelink.azurecr.io")["numberOfRecordSets"] == 2
    az("network", "private-dns", "link", "vnet", "delete", *zone, "-n", "nodes", "--yes")
    az("network", "private-dns", "zone", "delete", "-g", group, "-n", "privatelink.azurecr.io", "--yes")
    assert az("network", "private-dns", "zone", "list", "-g", group) == []
