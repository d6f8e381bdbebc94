"""Cells: the mode of a registry, a grant and an image, each with a registry of its own. A pod pulls many of them, each in a container."""

from arm import CLUSTER_VERSION
from cloud import CLUSTER, GROUP

READER = "Container Registry Repository Reader"
WRITER = "Container Registry Repository Writer"
PULL = "Microsoft.ContainerRegistry/registries/pull/read"
CONTENT = "Microsoft.ContainerRegistry/registries/repositories/content/read"
MODES = ("legacy", "abac")
BOTH = ["linux/amd64", "linux/arm64"]
# From where the emulated Azure sees the nodes, and who checks.
NODES, CALLER = "198.51.100.20", "203.0.113.7"


def on_repository(comparison, source="Request"):
    name = f"@{source}[Microsoft.ContainerRegistry/registries/repositories:name]"
    return f"((!(ActionMatches{{'{CONTENT}'}})) OR ({name} {comparison}))"


def right(mode):
    return {"legacy": "AcrPull", "abac": READER}[mode]


def rules(*addresses):
    allowed = [{"action": "Allow", "value": one} for one in addresses]
    return {"networkRuleSet": {"defaultAction": "Deny", "ipRules": allowed}}


def custom(excluded):
    """A role that allows pulling in both modes, but for what it excludes."""
    return {"actions": ["*"], "dataActions": ["*"], "notActions": excluded[:1], "notDataActions": excluded[1:]}


# What is granted: roles of kubelet, and what else a cell has.
GRANTS = {
    "none": {},
    "AcrPull": {"roles": ["AcrPull"]},
    "Repository Reader": {"roles": [READER]},
    "AcrPush": {"roles": ["AcrPush"]},
    "Repository Writer": {"roles": [WRITER]},
    "Reader": {"roles": ["Reader"]},
    "AcrDelete": {"roles": ["AcrDelete"]},
    "to the control plane": {"roles": ["AcrPull", READER], "of": "control plane"},
    "on the resource group": {"roles": ["AcrPull", READER], "at": "group"},
    "a custom role": {"custom": custom([])},
    "a custom role that excludes it": {"custom": custom([PULL, CONTENT])},
    "to an Entra group": {"group": [f"{GROUP}/{CLUSTER}"]},
    "to a nested Entra group": {"group": ["inner"]},
    "to a group of others": {"group": []},
    "denied": {"roles": ["AcrPull"], "denied": ["Microsoft.ContainerRegistry/*"]},
    "denied, another action": {"roles": ["AcrPull", READER], "denied": ["*/delete"]},
}
# With conditions, which count in the mode ABAC.
CONDITIONS = {
    "for this repository": ["StringEqualsIgnoreCase 'team/app'"],
    "for a prefix": ["StringStartsWithIgnoreCase 'team/'"],
    "for other repositories": ["ForAnyOfAnyValues:StringEquals {'web', 'api'}"],
    "for others and for this one": ["StringEquals 'web'", "StringLike 'te*/app'"],
}
IMAGES = {
    "an index": {"platforms": BOTH},
    "an index without the platform": {"platforms": ["linux/arm64", "linux/arm"]},
    "an index of Windows": {"platforms": ["windows/amd64", "windows/arm64"]},
    "an image of another platform": {"platforms": ["linux/arm64"]},
    "an image of Windows": {"platforms": ["windows/amd64"]},
    "another tag": {"wanted": "team/app:v2"},
    "another repository": {"wanted": "team/web:v1"},
    "another digest": {"wanted": "team/app@sha256:" + "1" * 64},
}
NETWORKS = {
    "rules with the nodes": rules(NODES, CALLER),
    "rules with their range": rules("198.51.100.0/24", CALLER),
    "rules without the nodes": rules(CALLER),
    "no public access": {"publicNetworkAccess": "Disabled"},
    "anonymous pulls": {"anonymousPullEnabled": True},
}


def cells():
    """All, each with its name, mode, grant, image and properties."""
    found = [(f"{mode}, {name}", mode, grant, {}, {}) for mode in MODES for name, grant in GRANTS.items()]
    for name, conditions in CONDITIONS.items():
        grant = {"roles": [READER], "conditions": [on_repository(one) for one in conditions]}
        found.append((f"abac, a condition {name}", "abac", grant, {}, {}))
    source = {"roles": [READER], "conditions": [on_repository("StringEqualsIgnoreCase 'team/app'", "Resource")]}
    found.append(("abac, a condition on the resource", "abac", source, {}, {}))
    for mode in MODES:
        granted = {"roles": [right(mode)]}
        found += [(f"{mode}, granted, {name}", mode, granted, image, {}) for name, image in IMAGES.items()]
    found.append(("legacy, none, another tag", "legacy", {}, IMAGES["another tag"], {}))
    for name, properties in NETWORKS.items():
        found.append((f"legacy, {name}", "legacy", {} if "anonymous" in name else GRANTS["AcrPull"], {}, properties))
    return [Cell(number, *one) for number, one in enumerate(found)]


class Cell:
    def __init__(self, number, name, mode, grant, image, properties):
        self.name, self.mode, self.grant, self.properties = name, mode, grant, properties
        # Grants on a resource group are for the only registry in it.
        self.registry, self.group = f"cell{number:03}", f"{GROUP}-{number}" if grant.get("at") == "group" else GROUP
        self.container = f"c{number}"
        self.host = f"{self.registry}.azurecr.io"
        self.image = f"{self.host}/{image.get('wanted', 'team/app:v1')}"
        self.platforms = image.get("platforms", ["linux/amd64"])

    def parts(self):
        """Its parts of a scene."""
        registry = {"group": self.group, "name": self.registry, "sku": "Premium", "abac": self.mode == "abac"}
        parts = {
            "groups": [{"name": self.group, "location": "westeurope"}] if self.group != GROUP else [],
            "registries": [registry | {"properties": self.properties}],
            "images": [{"name": f"{self.host}/team/app:v1", "platforms": self.platforms}],
            "roles": [{"name": f"custom-{self.registry}"} | self.grant["custom"]] if "custom" in self.grant else [],
        }
        if "group" in self.grant:
            scope = f"/subscriptions/{{subscription}}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/{self.registry}"
            roles = [{"role": role, "scope": scope} for role in ("AcrPull", READER)]
            parts["entraGroups"] = [{"name": f"group-{self.registry}", "members": self.grant["group"], "roles": roles}]
        return parts

    def prepare(self, azure):
        """Grants and deny assignments."""
        registry = azure.owner.registry_id(self.group, self.registry)
        scope = registry.split("/providers/")[0] if self.grant.get("at") == "group" else registry
        principal = azure.kubelet["objectId"]
        if self.grant.get("of") == "control plane":
            principal = azure.owner.call("GET", azure.owner.cluster_id(GROUP, CLUSTER), CLUSTER_VERSION)[0]["identity"]["principalId"]
        roles = [*self.grant.get("roles", []), *([f"custom-{self.registry}"] if "custom" in self.grant else [])]
        for condition in self.grant.get("conditions", [None]):
            for role in roles:
                order = {"role": role, "principal": principal, "scope": scope}
                azure.emulator.order("POST", "grant", order | ({"condition": condition} if condition else {}))
        if "denied" in self.grant:
            denied = {"name": f"deny-{self.registry}", "actions": self.grant["denied"], "scope": registry, "butFor": ["owner"]}
            azure.emulator.order("POST", "deny-assignment", denied)
