// @azure/arm-containerregistry: registries from their making to their end, and what is imported into them.

import assert from "node:assert/strict";
import { LOCATION, names } from "../cloud.mjs";

export const stories = {
    "a registry is created and read back": async (azure) => {
        const group = await azure.group();
        const made = await azure.registry(group, "teamregistry", { sku: { name: "Premium" } });
        assert.equal(made.provisioningState, "Succeeded");
        assert.equal(made.loginServer, "teamregistry.azurecr.io");
        assert.equal(made.location, LOCATION);
        assert.equal(made.sku.name, "Premium");
        assert.ok(made.creationDate instanceof Date);
        assert.deepEqual(await azure.registries().get(group, "teamregistry"), made);
    },

    "a taken name is not free": async (azure) => {
        const ask = () =>
            azure.registries().checkNameAvailability({
                name: "teamregistry",
                type: "Microsoft.ContainerRegistry/registries",
            });
        assert.equal((await ask()).nameAvailable, true);
        await azure.registry(await azure.group());
        const { nameAvailable, reason } = await ask();
        assert.deepEqual({ nameAvailable, reason }, { nameAvailable: false, reason: "AlreadyExists" });
    },

    "registries are listed by group and by subscription": async (azure) => {
        const [group, other] = [await azure.group(), await azure.group("other")];
        await azure.registry(group, "first1");
        await azure.registry(group, "second2");
        await azure.registry(other, "third3");
        assert.deepEqual(await names(azure.registries().listByResourceGroup(group)), ["first1", "second2"]);
        assert.deepEqual(await names(azure.registries().list()), ["first1", "second2", "third3"]);
    },

    "an update changes what it names and nothing else": async (azure) => {
        const group = await azure.group();
        const before = await azure.registry(group);
        const change = { tags: { team: "blue" }, adminUserEnabled: true };
        const after = await azure.registries().beginUpdateAndWait(group, before.name, change);
        assert.deepEqual(after.tags, { team: "blue" });
        assert.equal(after.adminUserEnabled, true);
        assert.deepEqual([after.sku.name, after.loginServer], [before.sku.name, before.loginServer]);
    },

    "an import brings the image under its new tag": async (azure) => {
        const group = await azure.group();
        const registry = await azure.registry(group);
        await azure.importImage(group, registry.name, "library/nginx:latest", "nginx:v1");
        assert.deepEqual(await azure.tags(registry, "nginx"), ["v1"]);
    },

    "an import into a taken tag is a conflict unless forced": async (azure) => {
        const group = await azure.group();
        const registry = await azure.registry(group);
        await azure.importImage(group, registry.name, "library/nginx:latest", "nginx:v1");
        const before = await azure.digest(registry, "nginx", "v1");
        const again = (mode) => azure.importImage(group, registry.name, "library/hello-world:latest", "nginx:v1", { mode });
        await assert.rejects(again("NoForce"), { statusCode: 409 });
        assert.equal(await azure.digest(registry, "nginx", "v1"), before);
        await again("Force");
        assert.notEqual(await azure.digest(registry, "nginx", "v1"), before);
    },

    "an import of an absent image fails": async (azure) => {
        const group = await azure.group();
        const registry = await azure.registry(group);
        await assert.rejects(azure.importImage(group, registry.name, "library/absent:latest", "absent:v1"), {
            message: /library\/absent/,
        });
        assert.deepEqual(await azure.tags(registry, "absent"), []);
    },

    "a deleted registry is not found": async (azure) => {
        const group = await azure.group();
        const { name } = await azure.registry(group);
        await azure.registries().beginDeleteAndWait(group, name);
        await assert.rejects(azure.registries().get(group, name), { statusCode: 404, code: "ResourceNotFound" });
        assert.deepEqual(await names(azure.registries().list()), []);
    },

    "a registry in an absent group is refused": async (azure) => {
        await assert.rejects(azure.registry("nowhere"), { statusCode: 404, code: "ResourceGroupNotFound" });
    },
};
