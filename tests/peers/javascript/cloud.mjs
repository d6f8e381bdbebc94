// The clients of the Azure SDK for JavaScript, made for one of the two ways into an emulator.

import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import { ContainerServiceClient } from "@azure/arm-containerservice";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ContainerRegistryClient } from "@azure/container-registry";
import { ClientSecretCredential } from "@azure/identity";
import { randomUUID } from "node:crypto";
import { mark, order, requests } from "./emulator.mjs";

// Of a caller named `reader`, who has the role of that name.
export const READER_SECRET = "only-looks";

export const LOCATION = "westeurope";

// Roles by the ids that they have in every tenant.
export const ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
export const MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830";
export const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/** The emulator, reached by its own address (`origin`) or by Azure's through its proxy (`proxy`). */
export class Cloud {
    constructor(way) {
        this.direct = way === "origin";
        this.endpoint = this.direct ? process.env.AKS_ACR_EMULATOR : "https://management.azure.com";
        this.proxy = process.env.AKS_ACR_EMULATOR_PROXY;
        this.tenant = process.env.AZURE_TENANT_ID;
        this.subscription = process.env.AZURE_SUBSCRIPTION_ID;
        this.clientId = process.env.AZURE_CLIENT_ID;
        this.scope = `${this.endpoint}/.default`;
    }

    /** The owner of the subscription, or another caller. */
    credential({ clientId = this.clientId, secret = process.env.AZURE_CLIENT_SECRET } = {}) {
        // Instance discovery would ask about an unknown authority.
        const here = this.direct ? { authorityHost: this.endpoint, disableInstanceDiscovery: true } : {};
        return new ClientSecretCredential(this.tenant, clientId, secret, here);
    }

    /** A principal by name, with its ids. */
    async principal(name) {
        const { principals } = JSON.parse(await order("GET", "state"));
        return principals.find((one) => one.name === name);
    }

    /** Who may read everything and change nothing. */
    async reader() {
        return this.credential({ clientId: (await this.principal("reader")).clientId, secret: READER_SECRET });
    }

    client(Kind, credential = this.credential()) {
        const here = this.direct ? { endpoint: this.endpoint, credentials: { scopes: [this.scope] } } : {};
        return new Kind(credential, this.subscription, here);
    }

    registries(credential) {
        return this.client(ContainerRegistryManagementClient, credential).registries;
    }

    clusters(credential) {
        return this.client(ContainerServiceClient, credential).managedClusters;
    }

    authorization(credential) {
        return this.client(AuthorizationManagementClient, credential);
    }

    assignments(credential) {
        return this.authorization(credential).roleAssignments;
    }

    identities() {
        return this.client(ManagedServiceIdentityClient).userAssignedIdentities;
    }

    async group(name = "team") {
        await this.client(ResourceManagementClient).resourceGroups.createOrUpdate(name, { location: LOCATION });
        return name;
    }

    async registry(group, name = "teamregistry", more = {}) {
        const body = { location: LOCATION, sku: { name: "Basic" }, ...more };
        return this.registries().beginCreateAndWait(group, name, body);
    }

    /** A cluster with one pool of one node, as small as the service takes it. */
    async cluster(group, name = "dev", more = {}, clusters = this.clusters()) {
        return clusters.beginCreateOrUpdateAndWait(group, name, {
            location: LOCATION,
            dnsPrefix: "dev",
            identity: { type: "SystemAssigned" },
            agentPoolProfiles: [{ name: "nodepool1", mode: "System", count: 1 }],
            ...more,
        });
    }

    async importImage(group, registry, image, tag, more = {}) {
        const source = { sourceImage: image, registryUri: "docker.io" };
        await this.registries().beginImportImageAndWait(group, registry, { source, targetTags: [tag], ...more });
    }

    definition(role) {
        return `/subscriptions/${this.subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
    }

    /** The body of a role assignment. */
    assignment(principalId, role = ACR_PULL) {
        return { principalId, principalType: "ServicePrincipal", roleDefinitionId: this.definition(role) };
    }

    /** Gives a principal a role under a new name. */
    async assign(scope, principal, role = ACR_PULL) {
        return this.assignments().create(scope, randomUUID(), this.assignment(principal, role));
    }

    /** A registry's own API, which is at its own name whatever the way to Resource Manager. */
    images(registry) {
        const proxy = new URL(this.proxy);
        return new ContainerRegistryClient(`https://${registry.loginServer}`, this.credential(), {
            audience: this.endpoint,
            proxyOptions: { host: `${proxy.protocol}//${proxy.hostname}`, port: Number(proxy.port) },
        });
    }

    /** The tags of a repository; none if there is no such repository. */
    async tags(registry, repository) {
        const found = [];
        try {
            const tags = this.images(registry).getArtifact(repository, "latest").listTagProperties();
            for await (const tag of tags) found.push(tag.name);
        } catch (fault) {
            if (fault.statusCode !== 404) throw fault;
        }
        return found;
    }

    async digest(registry, repository, tag) {
        return (await this.images(registry).getArtifact(repository, tag).getTagProperties(tag)).digest;
    }

    /** Tells the emulator what is to come. */
    async order(what, body) {
        await order("POST", what, body);
    }

    mark() {
        return mark();
    }

    /** The requests since a mark, as lines that say what matters: method, path, filter and answer. */
    async asked(since) {
        const sent = (await requests(since)).filter(({ from }) => from === "client");
        return sent.map(({ method, path, query, status }) => {
            const filter = query.split("&").find((part) => part.startsWith("$filter="));
            const place = `/${path.replace(/^\/+/, "")}`;
            return `${method} ${filter ? `${place}?${filter}` : place} -> ${status}`;
        });
    }
}

/** The object id of the identity that a cluster's nodes pull with. */
export function kubeletOf(cluster) {
    return cluster.identityProfile.kubeletidentity.objectId;
}

/** All that a list of pages holds. */
export async function all(pages) {
    const found = [];
    for await (const item of pages) found.push(item);
    return found;
}

/** The names in a list of pages, sorted. */
export async function names(pages) {
    return (await all(pages)).map(({ name }) => name).sort();
}
