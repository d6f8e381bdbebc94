"""The clients of the Azure SDK for Python, made for one of the two ways into an emulator."""

import uuid

import azure.identity
import azure.identity.aio
from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization import aio as authorization_aio
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistry import aio as registry_aio
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.containerservice import aio as service_aio
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient

# Of a caller named `reader`, who has the role of that name.
READER_SECRET = "only-looks"

PUBLIC = "https://management.azure.com"
LOCATION = "westeurope"

# Roles by the ids that they have in every tenant.
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


class Cloud:
    """The emulator, reached by its own address (`origin`) or by Azure's through its proxy (`proxy`)."""

    def __init__(self, emulator, way):
        self.emulator = emulator
        self.way = way
        self.subscription = emulator.subscription

    @property
    def endpoint(self):
        """Where Resource Manager is."""
        return self.emulator.origin if self.way == "origin" else PUBLIC

    def credential(self, module=azure.identity, **changed):
        """The owner of the subscription, or another caller; `azure.identity.aio` makes it one for coroutines."""
        who = {
            "tenant_id": self.emulator.tenant,
            "client_id": self.emulator.client_id,
            "client_secret": self.emulator.client_secret,
        }
        here = {"authority": self.emulator.origin} if self.way == "origin" else {}
        # Instance discovery would ask about an unknown authority.
        here["disable_instance_discovery"] = self.way == "origin"
        return module.ClientSecretCredential(**who | changed, **here, **self._trust(module is azure.identity.aio))

    def reader(self):
        """Who may read everything and change nothing."""
        known = self.emulator.principal("reader")
        return self.credential(client_id=known["clientId"], client_secret=READER_SECRET)

    def client(self, kind, credential=None, **options):
        """A management client, as the documentation of its package makes it."""
        if self.way == "origin":
            options |= {"base_url": self.endpoint, "credential_scopes": [f"{self.endpoint}/.default"]}
        return kind(credential or self.credential(), self.subscription, **options)

    def _trust(self, coroutines):
        """aiohttp reads `SSL_CERT_FILE` once in a process, which here sees many emulators; requests reads its variable
        each time."""
        return {"connection_verify": self.emulator.ca_file} if coroutines else {}

    def groups(self, credential=None):
        return self.client(ResourceManagementClient, credential).resource_groups

    def registries(self, credential=None):
        return self.client(ContainerRegistryManagementClient, credential).registries

    def clusters(self, credential=None):
        return self.client(ContainerServiceClient, credential).managed_clusters

    def authorization(self, credential=None):
        return self.client(AuthorizationManagementClient, credential)

    def identities(self, credential=None):
        return self.client(ManagedServiceIdentityClient, credential).user_assigned_identities

    def graph(self, credential=None):
        """Resource Graph, whose client is of no subscription."""
        options = {}
        if self.way == "origin":
            options = {"base_url": self.endpoint, "credential_scopes": [f"{self.endpoint}/.default"]}
        return ResourceGraphClient(credential or self.credential(), **options)

    def aio(self, credential):
        """Clients for coroutines: of registries, of clusters, of role assignments."""
        kinds = (
            registry_aio.ContainerRegistryManagementClient,
            service_aio.ContainerServiceClient,
            authorization_aio.AuthorizationManagementClient,
        )
        return tuple(self.client(kind, credential, **self._trust(True)) for kind in kinds)

    def definition(self, role):
        """The id of a role definition at the subscription."""
        return f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"

    def assignment_of(self, principal, role=ACR_PULL):
        """The body of a role assignment."""
        return RoleAssignmentCreateParameters(
            role_definition_id=self.definition(role), principal_id=principal, principal_type="ServicePrincipal"
        )

    def assign(self, scope, principal, role=ACR_PULL, name=None):
        """Gives a principal a role, under a new name where none is given."""
        body = self.assignment_of(principal, role)
        return self.authorization().role_assignments.create(scope, name or str(uuid.uuid4()), body)

    def images(self, registry, credential=None):
        """A registry's own API, which is at its own name whatever the way to Resource Manager."""
        return ContainerRegistryClient(
            f"https://{registry.properties.login_server}",
            credential or self.credential(),
            audience=self.endpoint,
            proxies={"https": self.emulator.proxy},
        )

    def tags(self, registry, repository):
        """The tags of a repository; none if there is no such repository."""
        try:
            return [tag.name for tag in self.images(registry).list_tag_properties(repository)]
        except ResourceNotFoundError:
            return []

    def digest(self, registry, repository, tag):
        """The digest of what a tag names."""
        return self.images(registry).get_tag_properties(repository, tag).digest

    def asked(self, since):
        """The requests since a mark, as lines that say what matters: method, path, filter and answer."""
        lines = []
        for request in self.emulator.requests(since):
            if request["from"] == "node":
                continue
            path = "/" + request["path"].lstrip("/")
            filters = [part for part in request["query"].split("&") if part.startswith("$filter=")]
            lines.append(f"{request['method']} {'?'.join([path, *filters])} -> {request['status']}")
        return lines
