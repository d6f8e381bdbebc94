"""An emulator of the part of Azure that joins a container registry to a Kubernetes cluster, in the process of a test.

    >>> from aks_acr_emulator import Emulator
    >>> with Emulator(scene={"registries": [{"group": "group", "name": "myregistry"}]}) as azure:
    ...     token = azure.credential().get_token("https://management.azure.com/.default")
    ...     [request.status for request in azure.requests()]
    [200]
"""

from aks_acr_emulator._emulator import VERSION as __version__
from aks_acr_emulator.credential import AccessToken, AccessTokenInfo, AsyncCredential, Credential, TokenError
from aks_acr_emulator.emulator import ClientOptions, CloudOptions, Emulator
from aks_acr_emulator.log import Request, Summary
from aks_acr_emulator.scene import (
    CacheRule,
    Caller,
    Cluster,
    EntraGroup,
    ForeignSubscription,
    Group,
    Held,
    Image,
    Node,
    Owner,
    PrivateEndpoint,
    Referrer,
    Registry,
    Role,
    Scene,
    ServiceAccountPulls,
    Upstream,
    User,
)

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AsyncCredential",
    "CacheRule",
    "Caller",
    "ClientOptions",
    "CloudOptions",
    "Cluster",
    "Credential",
    "Emulator",
    "EntraGroup",
    "ForeignSubscription",
    "Group",
    "Held",
    "Image",
    "Node",
    "Owner",
    "PrivateEndpoint",
    "Referrer",
    "Registry",
    "Request",
    "Role",
    "Scene",
    "ServiceAccountPulls",
    "Summary",
    "TokenError",
    "Upstream",
    "User",
    "__version__",
]
