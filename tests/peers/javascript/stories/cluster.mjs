// @azure/arm-containerservice and -msi: clusters, their credentials, and the identities that they may be given.

import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { LOCATION, MANAGED_IDENTITY_OPERATOR, kubeletOf, names } from "../cloud.mjs";

export const stories = {
    "a cluster is created with the service's defaults": async (azure) => {
        const group = await azure.group();
        const made = await azure.cluster(group);
        assert.equal(made.provisioningState, "Succeeded");
        assert.equal(made.nodeResourceGroup, `MC_${group}_dev_${LOCATION}`);
        assert.ok(made.fqdn.endsWith(`.hcp.${LOCATION}.azmk8s.io`));
        assert.equal(made.servicePrincipalProfile.clientId, "msi");
        assert.equal(made.enableRbac, true);
        assert.ok(made.identity.principalId);
        assert.notEqual(kubeletOf(made), made.identity.principalId);
        const [pool] = made.agentPoolProfiles;
        assert.deepEqual([pool.name, pool.count, pool.provisioningState], ["nodepool1", 1, "Succeeded"]);
        assert.ok(pool.vmSize);
        assert.deepEqual(await azure.clusters().get(group, "dev"), made);
    },

    "clusters are listed by group and by subscription": async (azure) => {
        const [group, other] = [await azure.group(), await azure.group("other")];
        await azure.cluster(group, "near");
        await azure.cluster(other, "far");
        assert.deepEqual(await names(azure.clusters().listByResourceGroup(group)), ["near"]);
        assert.deepEqual(await names(azure.clusters().list()), ["far", "near"]);
    },

    "a second PUT keeps the identity of the nodes": async (azure) => {
        const group = await azure.group();
        const before = await azure.cluster(group);
        const changed = { ...(await azure.clusters().get(group, "dev")), tags: { team: "blue" } };
        const after = await azure.clusters().beginCreateOrUpdateAndWait(group, "dev", changed);
        assert.deepEqual(after.tags, { team: "blue" });
        assert.equal(kubeletOf(after), kubeletOf(before));
    },

    "credentials are a kubeconfig of the cluster": async (azure) => {
        const group = await azure.group();
        const cluster = await azure.cluster(group);
        const told = {
            clusterUser: await azure.clusters().listClusterUserCredentials(group, "dev"),
            clusterAdmin: await azure.clusters().listClusterAdminCredentials(group, "dev"),
        };
        for (const [name, { kubeconfigs }] of Object.entries(told)) {
            assert.deepEqual(kubeconfigs.map((one) => one.name), [name]);
            const config = new KubeConfig();
            config.loadFromString(Buffer.from(kubeconfigs[0].value).toString());
            assert.ok(config.getCurrentCluster().server.startsWith(`https://${cluster.fqdn}`));
            assert.ok(config.getCurrentCluster().caData);
        }
    },

    "a command runs in the cluster": async (azure) => {
        const group = await azure.group();
        await azure.cluster(group);
        const done = await azure.clusters().beginRunCommandAndWait(group, "dev", { command: "kubectl get nodes" });
        assert.equal(done.exitCode, 0);
        assert.match(done.logs, /aks-nodepool1-\S+ +Ready/);
    },

    "a deleted cluster is not found": async (azure) => {
        const group = await azure.group();
        await azure.cluster(group);
        await azure.clusters().beginDeleteAndWait(group, "dev");
        await assert.rejects(azure.clusters().get(group, "dev"), { statusCode: 404, code: "ResourceNotFound" });
        assert.deepEqual(await names(azure.clusters().list()), []);
    },

    "an identity is made, listed and deleted": async (azure) => {
        const group = await azure.group();
        const make = () => azure.identities().createOrUpdate(group, "kubelet", { location: LOCATION });
        const made = await make();
        assert.ok(made.principalId && made.clientId);
        assert.notEqual(made.principalId, made.clientId);
        assert.equal((await make()).principalId, made.principalId);
        assert.deepEqual(await names(azure.identities().listByResourceGroup(group)), ["kubelet"]);
        await azure.identities().delete(group, "kubelet");
        await assert.rejects(azure.identities().get(group, "kubelet"), { statusCode: 404 });
    },

    "a cluster takes a kubelet identity that its control plane may assign": async (azure) => {
        const group = await azure.group();
        const make = (name) => azure.identities().createOrUpdate(group, name, { location: LOCATION });
        const [control, kubelet] = [await make("control"), await make("kubelet")];
        const own = {
            identity: { type: "UserAssigned", userAssignedIdentities: { [control.id]: {} } },
            identityProfile: {
                kubeletidentity: {
                    resourceId: kubelet.id,
                    clientId: kubelet.clientId,
                    objectId: kubelet.principalId,
                },
            },
        };
        await assert.rejects(azure.cluster(group, "own", own), { code: "CustomKubeletIdentityMissingPermissionError" });
        await azure.assign(kubelet.id, control.principalId, MANAGED_IDENTITY_OPERATOR);
        assert.equal(kubeletOf(await azure.cluster(group, "own", own)), kubelet.principalId);
    },
};
