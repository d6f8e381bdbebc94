// @azure/arm-authorization: what attaches a cluster's nodes to a registry, and what else is asked of role assignments.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ACR_PULL, READER, all, kubeletOf, names } from "../cloud.mjs";

/** Attaches as a program does that knows names only, with one credential and a client for each service. */
async function attach(azure, group, cluster, registry) {
    const credential = azure.credential();
    const principal = kubeletOf(await azure.clusters(credential).get(group, cluster));
    const { id } = await azure.registries(credential).get(group, registry);
    const assignments = azure.assignments(credential);
    const held = await all(assignments.listForScope(id, { filter: `principalId eq '${principal}'` }));
    const pull = azure.definition(ACR_PULL).toLowerCase();
    if (held.some((one) => one.roleDefinitionId.toLowerCase() === pull)) return undefined;
    return assignments.create(id, randomUUID(), azure.assignment(principal));
}

/** A group with a cluster and a registry. */
async function scene(azure) {
    const group = await azure.group();
    return { group, cluster: await azure.cluster(group), registry: await azure.registry(group) };
}

/** What is asked about an authority before it is asked for a token: of Azure's own, MSAL for Node knows it all. */
function discovery(azure) {
    return azure.direct ? [`GET /${azure.tenant}/v2.0/.well-known/openid-configuration -> 200`] : [];
}

export const stories = {
    "attaching takes the measured requests": async (azure) => {
        const { group, cluster, registry } = await scene(azure);
        const start = await azure.mark();
        const made = await attach(azure, group, cluster.name, registry.name);
        const groupId = `/subscriptions/${azure.subscription}/resourceGroups/${group}`;
        const assignments = `${registry.id}/providers/Microsoft.Authorization/roleAssignments`;
        assert.deepEqual(await azure.asked(start), [
            ...discovery(azure),
            `POST /${azure.tenant}/oauth2/v2.0/token -> 200`,
            `GET ${groupId}/providers/Microsoft.ContainerService/managedClusters/${cluster.name} -> 200`,
            `GET ${groupId}/providers/Microsoft.ContainerRegistry/registries/${registry.name} -> 200`,
            `GET ${assignments}?$filter=principalId eq '${kubeletOf(cluster)}' -> 200`,
            `PUT ${assignments}/${made.name} -> 201`,
        ]);
    },

    "attaching again asks and changes nothing": async (azure) => {
        const { group, cluster, registry } = await scene(azure);
        assert.ok(await attach(azure, group, cluster.name, registry.name));
        const start = await azure.mark();
        assert.equal(await attach(azure, group, cluster.name, registry.name), undefined);
        const methods = (await azure.asked(start)).map((line) => line.split(" ")[0]);
        assert.deepEqual(methods, [...discovery(azure).map(() => "GET"), "POST", "GET", "GET", "GET"]);
    },

    "the same assignment under another name exists already": async (azure) => {
        const { cluster, registry } = await scene(azure);
        const principal = kubeletOf(cluster);
        const first = await azure.assign(registry.id, principal);
        assert.equal(first.principalId, principal);
        assert.equal(first.scope, registry.id);
        assert.ok(first.roleDefinitionId.endsWith(ACR_PULL));
        await assert.rejects(azure.assign(registry.id, principal), { statusCode: 409, code: "RoleAssignmentExists" });
        const found = await all(azure.assignments().listForScope(registry.id, { filter: "atScope()" }));
        const own = found.filter((one) => one.principalId === principal).map(({ name }) => name);
        assert.deepEqual(own, [first.name]);
    },

    "an unknown principal is not found": async (azure) => {
        const registry = await azure.registry(await azure.group());
        // With a type, the service takes the caller's word for it that there is such a principal.
        const body = { ...azure.assignment(randomUUID()), principalType: undefined };
        await assert.rejects(azure.assignments().create(registry.id, randomUUID(), body), {
            statusCode: 400,
            code: "PrincipalNotFound",
        });
    },

    "filters say which assignments are listed": async (azure) => {
        const { group, cluster, registry } = await scene(azure);
        const principal = kubeletOf(cluster);
        const here = await azure.assign(registry.id, principal);
        const above = await azure.assign(`/subscriptions/${azure.subscription}/resourceGroups/${group}`, principal, READER);
        const both = [here.name, above.name].sort();
        const assignments = azure.assignments();
        const filter = `principalId eq '${principal}'`;
        assert.deepEqual(await names(assignments.listForScope(registry.id, { filter })), both);
        assert.deepEqual(await names(assignments.listForScope(registry.id, { filter: `assignedTo('${principal}')` })), both);
        assert.deepEqual(await names(assignments.listForSubscription({ filter })), both);
        const found = await all(assignments.listForResourceGroup(group, { filter: "atScope()" }));
        assert.deepEqual(found.filter((one) => one.principalId === principal).map(({ name }) => name), [above.name]);
    },

    "a role is found by its name without regard to case": async (azure) => {
        const registry = await azure.registry(await azure.group());
        const definitions = azure.authorization().roleDefinitions;
        const found = await all(definitions.list(registry.id, { filter: "roleName eq 'acrpull'" }));
        assert.deepEqual(found.map(({ roleName }) => roleName), ["AcrPull"]);
        assert.ok(found[0].id.toLowerCase().endsWith(ACR_PULL));
        const actions = found[0].permissions.flatMap((permission) => permission.actions);
        assert.deepEqual(actions, ["Microsoft.ContainerRegistry/registries/pull/read"]);
        assert.deepEqual(await all(definitions.list(registry.id, { filter: "roleName eq 'no such role'" })), []);
    },

    "a deleted assignment is told once more and gone": async (azure) => {
        const { cluster, registry } = await scene(azure);
        const { name } = await azure.assign(registry.id, kubeletOf(cluster));
        assert.equal((await azure.assignments().delete(registry.id, name)).name, name);
        // Nothing to delete is 204, of which nothing can be read.
        assert.equal((await azure.assignments().delete(registry.id, name))?.name, undefined);
        await assert.rejects(azure.assignments().get(registry.id, name), {
            statusCode: 404,
            code: "RoleAssignmentNotFound",
        });
    },
};
