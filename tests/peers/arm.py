"""Resource Manager over plain HTTPS, for suites whose client is not one of Azure's: what they need stands before they come.

Only the standard library is needed. Nothing here knows what the emulator is; it speaks to it as to any cloud.
"""

import base64
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

REGISTRY_VERSION = "2025-11-01"
CLUSTER_VERSION = "2025-10-01"
ASSIGNMENT_VERSION = "2022-04-01"
GROUP_VERSION = "2024-11-01"

ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "AcrDelete": "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
    "Container Registry Repository Reader": "b93aa761-3e63-49ed-ac28-beffa264f7ac",
    "Container Registry Repository Writer": "2a1e307c-b015-4ebd-883e-5b7698a07328",
    "Container Registry Repository Contributor": "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
    "Container Registry Repository Catalog Lister": "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
}


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def send(origin, trust, method, path, headers=None, data=None, proxy=None):
    """One request, through a proxy where one is named. The answer: status, headers, text."""
    request = urllib.request.Request(origin + path, data=data, method=method, headers=headers or {})
    # Never through a proxy that the surroundings may name.
    proxies = {"https": proxy} if proxy else {}
    handlers = urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=trust)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        raise Refused(refusal.code, refusal.read().decode()) from None


class Arm:
    """A caller with a secret: the emulator's owner unless said otherwise."""

    def __init__(self, emulator, client_id=None, client_secret=None):
        self.emulator = emulator
        self.trust = ssl.create_default_context(cafile=emulator.ca_file)
        self.subscription = f"/subscriptions/{emulator.subscription}"
        self.client_id = client_id or emulator.client_id
        self.client_secret = client_secret or emulator.client_secret
        self._token = None

    def token(self):
        """A token for Resource Manager."""
        if self._token is None:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "scope": "https://management.azure.com/.default",
            }
            path = f"/{self.emulator.tenant}/oauth2/v2.0/token"
            data = urllib.parse.urlencode(form).encode()
            _, _, text = send(self.emulator.origin, self.trust, "POST", path, data=data)
            self._token = json.loads(text)["access_token"]
        return self._token

    def call(self, method, path, version, body=None):
        """One request to Resource Manager. The answer: its JSON, and the headers."""
        headers = {"authorization": f"Bearer {self.token()}"}
        data = None
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps(body).encode()
        joint = "&" if "?" in path else "?"
        path = f"{path}{joint}api-version={version}"
        _, headers, text = send(self.emulator.origin, self.trust, method, path, headers, data)
        return (json.loads(text) if text else None), headers

    def wait(self, headers):
        """Waits for the end of what an answer began."""
        address = headers.get("azure-asyncoperation") or headers.get("location")
        if address is None:
            return
        own = {"authorization": f"Bearer {self.token()}"}
        for _ in range(200):
            path = address.removeprefix(self.emulator.origin)
            status, _, text = send(self.emulator.origin, self.trust, "GET", path, own)
            state = (json.loads(text) if text else {}).get("status", "")
            if state in ("Failed", "Canceled"):
                raise Refused(status, text)
            if status == 200 and state in ("", "Succeeded"):
                return
            time.sleep(0.05)
        raise TimeoutError(address)

    def put(self, path, version, body):
        """A PUT, and the wait for its end."""
        answer, headers = self.call("PUT", path, version, body)
        self.wait(headers)
        return answer

    def group(self, name):
        return self.put(f"{self.subscription}/resourceGroups/{name}", GROUP_VERSION, {"location": "westeurope"})

    def registry_id(self, group, name):
        return f"{self.subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"

    def switch_mode(self, group, name, mode):
        """Switches the role assignment mode of a registry."""
        _, headers = self.call("PATCH", self.registry_id(group, name), REGISTRY_VERSION, {"properties": {"roleAssignmentMode": mode}})
        self.wait(headers)

    def registry(self, group, name, sku="Basic", **properties):
        """Makes a registry and gives its body."""
        body = {"location": "westeurope", "sku": {"name": sku}, "properties": properties}
        self.put(self.registry_id(group, name), REGISTRY_VERSION, body)
        return self.call("GET", self.registry_id(group, name), REGISTRY_VERSION)[0]

    def admin(self, group, name):
        """User name and password of a registry's admin user."""
        path = self.registry_id(group, name) + "/listCredentials"
        answer, _ = self.call("POST", path, REGISTRY_VERSION)
        return answer["username"], answer["passwords"][0]["value"]

    def import_image(self, group, name, source, tag):
        """Imports `registry/repository:tag` as another tag."""
        host, image = source.split("/", 1)
        body = {"source": {"registryUri": host, "sourceImage": image}, "targetTags": [tag], "mode": "NoForce"}
        _, headers = self.call("POST", self.registry_id(group, name) + "/importImage", REGISTRY_VERSION, body)
        self.wait(headers)

    def cluster_id(self, group, name):
        return f"{self.subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"

    def cluster(self, group, name, nodes=2, version=None):
        """Makes a cluster with managed identities and gives its body."""
        pool = {"name": "nodepool1", "count": nodes, "vmSize": "Standard_D4s_v3", "mode": "System", "osType": "Linux"}
        body = {
            "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {"dnsPrefix": name, "agentPoolProfiles": [pool]},
        }
        if version:
            body["properties"]["kubernetesVersion"] = version
        self.put(self.cluster_id(group, name), CLUSTER_VERSION, body)
        return self.call("GET", self.cluster_id(group, name), CLUSTER_VERSION)[0]

    def kubeconfig(self, group, name):
        """The administrator's kubeconfig, as text."""
        path = self.cluster_id(group, name) + "/listClusterAdminCredential"
        answer, _ = self.call("POST", path, CLUSTER_VERSION)
        return base64.b64decode(answer["kubeconfigs"][0]["value"]).decode()

    def assign(self, scope, role, principal, condition=None):
        """Makes a role assignment and gives its body."""
        properties = {
            "roleDefinitionId": f"{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}",
            "principalId": principal,
            "principalType": "ServicePrincipal",
        }
        if condition is not None:
            properties |= {"condition": condition, "conditionVersion": "2.0"}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        return self.put(path, ASSIGNMENT_VERSION, {"properties": properties})

    def attach(self, cluster, registry):
        """Lets the nodes of a cluster pull from a registry; both are bodies."""
        kubelet = cluster["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
        return self.assign(registry["id"], "AcrPull", kubelet)
