// What the SDK for JavaScript does when Azure refuses, makes it wait, or hands out lists piece by piece.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { READER, all, kubeletOf, names } from "../cloud.mjs";

export const stories = {
    "who only reads is told what right is missing": async (azure) => {
        const group = await azure.group();
        const [cluster, registry] = [await azure.cluster(group), await azure.registry(group)];
        const { objectId } = await azure.principal("reader");
        const assignments = azure.assignments(await azure.reader());
        const found = await all(assignments.listForScope(registry.id, { filter: `principalId eq '${objectId}'` }));
        assert.deepEqual(found.map((one) => one.roleDefinitionId.split("/").at(-1)), [READER]);
        const body = azure.assignment(kubeletOf(cluster));
        await assert.rejects(assignments.create(registry.id, randomUUID(), body), (fault) => {
            assert.deepEqual([fault.statusCode, fault.code], [403, "AuthorizationFailed"]);
            for (const part of [objectId, "Microsoft.Authorization/roleAssignments/write", registry.id]) {
                assert.ok(fault.message.toLowerCase().includes(part.toLowerCase()), fault.message);
            }
            return true;
        });
    },

    "lists are followed from page to page": async (azure) => {
        const group = await azure.group();
        const wanted = ["registry0", "registry1", "registry2", "registry3", "registry4"];
        for (const name of wanted) await azure.registry(group, name);
        await azure.order("paging", { size: 2, emptyFirst: true });
        const start = await azure.mark();
        assert.deepEqual(await names(azure.registries().listByResourceGroup(group)), wanted);
        assert.ok((await azure.asked(start)).filter((line) => line.endsWith("/registries -> 200")).length >= 3);
    },

    "a throttled request is sent again when Azure says": async (azure) => {
        const group = await azure.group();
        const { name } = await azure.registry(group);
        const headers = { "retry-after": "1" };
        await azure.order("fault", { method: "GET", part: `/registries/${name}`, status: 429, headers, times: 1 });
        const [start, begun] = [await azure.mark(), Date.now()];
        assert.equal((await azure.registries().get(group, name)).name, name);
        assert.ok(Date.now() - begun >= 1000);
        const answers = (await azure.asked(start)).filter((line) => line.includes("/registries/"));
        assert.deepEqual(answers.map((line) => line.split(" ").at(-1)), ["429", "200"]);
    },

    "work that takes time is polled to its end": async (azure) => {
        const group = await azure.group();
        const registry = await azure.registry(group);
        await azure.order("timing", { import: 1.5 });
        const start = await azure.mark();
        const poller = azure.registries().importImage(
            group,
            registry.name,
            { source: { sourceImage: "library/nginx:latest", registryUri: "docker.io" }, targetTags: ["nginx:v1"] },
            { updateIntervalInMs: 500 },
        );
        await poller.submitted();
        assert.deepEqual(await azure.tags(registry, "nginx"), []);
        await poller.pollUntilDone();
        assert.deepEqual(await azure.tags(registry, "nginx"), ["v1"]);
        const polls = (await azure.asked(start)).filter((line) => line.startsWith("GET /subscriptions/"));
        assert.ok(polls.length > 1);
        assert.match(polls[0], /-> 202$/);
        assert.match(polls.at(-1), /-> 200$/);
    },

    "a cluster that somebody changed is not overwritten": async (azure) => {
        const group = await azure.group();
        const { eTag } = await azure.cluster(group);
        const changed = { ...(await azure.cluster(group)), tags: { team: "blue" } };
        const written = azure.clusters().beginCreateOrUpdateAndWait(group, "dev", changed, { ifMatch: eTag });
        await assert.rejects(written, { statusCode: 412 });
        assert.equal((await azure.clusters().get(group, "dev")).tags?.team, undefined);
    },

    "a token for somebody else is refused": async (azure) => {
        const own = azure.credential();
        const borrowed = { getToken: () => own.getToken("https://graph.microsoft.com/.default") };
        await assert.rejects(names(azure.registries(borrowed).list()), { statusCode: 401 });
    },

    "sixteen clusters are attached side by side": async (azure) => {
        const group = await azure.group();
        const registry = await azure.registry(group);
        const credential = azure.credential();
        const [clusters, assignments] = [azure.clusters(credential), azure.assignments(credential)];
        const attach = async (_, number) => {
            const made = await azure.cluster(group, `dev${number}`, {}, clusters);
            return assignments.create(registry.id, randomUUID(), azure.assignment(kubeletOf(made)));
        };
        const made = await Promise.all(Array.from({ length: 16 }, attach));
        assert.equal(new Set(made.map(({ principalId }) => principalId)).size, 16);
        const found = await all(assignments.listForScope(registry.id, { filter: "atScope()" }));
        const own = found.filter((one) => one.scope === registry.id).map(({ name }) => name);
        assert.deepEqual(own.sort(), made.map(({ name }) => name).sort());
    },
};
