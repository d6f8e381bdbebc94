// @kubernetes/client-node, with the credentials that the SDK for Azure gets.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
    AppsV1Api,
    CoreV1Api,
    KubeConfig,
    Log,
    PatchStrategy,
    VersionApi,
    Watch,
    setHeaderOptions,
} from "@kubernetes/client-node";
import { PassThrough } from "node:stream";
import { kubeletOf } from "../cloud.mjs";

const PUBLIC = "mcr.microsoft.com/azuredocs/aks-helloworld:v1";
const PATIENCE = 20_000;
const namespace = "default";

/** A group with a cluster, and what speaks to it as its user. */
async function scene(azure) {
    const group = await azure.group();
    const cluster = await azure.cluster(group);
    const { kubeconfigs } = await azure.clusters().listClusterUserCredentials(group, cluster.name);
    const config = new KubeConfig();
    config.loadFromString(Buffer.from(kubeconfigs[0].value).toString());
    const [apps, core] = [config.makeApiClient(AppsV1Api), config.makeApiClient(CoreV1Api)];
    return { group, cluster, config, apps, core };
}

/** A deployment of one container. */
function deployment(image, replicas = 1) {
    const labels = { app: "web" };
    const spec = { containers: [{ name: "web", image, ports: [{ containerPort: 80 }] }] };
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web", labels },
        spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    };
}

/** Why the pod's container waits, or that it runs. */
function stateOf(pod) {
    const state = pod.status?.containerStatuses?.[0]?.state;
    return state?.running ? "Running" : state?.waiting?.reason;
}

/** Watches the pods until one's container is in the state; gives back the states in their order. */
async function watchUntil(config, wanted) {
    const seen = [];
    const path = `/api/v1/namespaces/${namespace}/pods`;
    await new Promise((resolve, reject) => {
        let request;
        const late = setTimeout(() => reject(new Error(`no pod became ${wanted}: ${seen}`)), PATIENCE);
        const look = (_, pod) => {
            const state = stateOf(pod);
            if (state && seen.at(-1) !== state) seen.push(state);
            if (state !== wanted) return;
            clearTimeout(late);
            resolve();
            request?.abort();
        };
        const started = new Watch(config).watch(path, {}, look, (fault) => fault && seen.at(-1) !== wanted && reject(fault));
        started.then((made) => {
            request = made;
            if (seen.at(-1) === wanted) request.abort();
        }, reject);
    });
    return seen;
}

/** What `look` finds, as soon as it finds something. */
async function eventually(look) {
    const end = Date.now() + PATIENCE;
    let found = await look();
    while (!found && Date.now() < end) {
        await sleep(100);
        found = await look();
    }
    return found;
}

/** What the API refuses, read from the body of its answer. */
async function refused(promise) {
    const fault = await promise.then(
        () => assert.fail("it was not refused"),
        (fault) => fault,
    );
    return { code: fault.code, ...JSON.parse(fault.body) };
}

export const stories = {
    "a pod runs once the SDK has granted the pull": async (azure) => {
        const { group, cluster, config, apps } = await scene(azure);
        const registry = await azure.registry(group);
        await azure.importImage(group, registry.name, "library/nginx:latest", "nginx:v1");
        const image = `${registry.loginServer}/nginx:v1`;
        const made = await apps.createNamespacedDeployment({ namespace, body: deployment(image) });
        assert.ok(made.metadata.uid);
        assert.equal(made.spec.template.spec.containers[0].image, image);
        await watchUntil(config, "ImagePullBackOff");
        const read = () => apps.readNamespacedDeployment({ namespace, name: "web" });
        assert.ok(!(await read()).status.availableReplicas);
        await azure.assign(registry.id, kubeletOf(cluster));
        assert.equal((await watchUntil(config, "Running")).at(-1), "Running");
        assert.ok(await eventually(async () => (await read()).status.availableReplicas === 1));
    },

    "why a pull failed is told by an event": async (azure) => {
        const { group, apps, core } = await scene(azure);
        const registry = await azure.registry(group);
        await azure.importImage(group, registry.name, "library/nginx:latest", "nginx:v1");
        const image = `${registry.loginServer}/nginx:v1`;
        await apps.createNamespacedDeployment({ namespace, body: deployment(image) });
        const event = await eventually(async () => {
            const { items } = await core.listNamespacedEvent({ namespace });
            return items.find(({ reason, message }) => reason === "Failed" && message?.includes(image));
        });
        assert.equal(event.type, "Warning");
        assert.equal(event.involvedObject.kind, "Pod");
        assert.match(event.message, /40[13]/);
    },

    "server-side apply owns fields and guards them": async (azure) => {
        const { apps } = await scene(azure);
        const apply = (fieldManager, replicas, force) =>
            apps.patchNamespacedDeployment(
                { name: "web", namespace, body: deployment(PUBLIC, replicas), fieldManager, force },
                setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
            );
        const first = await apply("blue", 1);
        const [entry] = first.metadata.managedFields;
        assert.deepEqual([entry.manager, entry.operation], ["blue", "Apply"]);
        assert.equal((await apply("blue", 1)).metadata.generation, first.metadata.generation);
        const conflict = await refused(apply("green", 3));
        assert.equal(conflict.code, 409);
        assert.deepEqual(conflict.details.causes.map(({ field }) => field), [".spec.replicas"]);
        const forced = await apply("green", 3, true);
        assert.equal(forced.spec.replicas, 3);
        const managers = forced.metadata.managedFields.filter(({ operation }) => operation === "Apply");
        assert.deepEqual(managers.map(({ manager }) => manager).sort(), ["blue", "green"]);
    },

    "patches of three kinds change what they name": async (azure) => {
        const { apps } = await scene(azure);
        await apps.createNamespacedDeployment({ namespace, body: deployment(PUBLIC) });
        const patch = (body, kind) =>
            apps.patchNamespacedDeployment({ name: "web", namespace, body }, setHeaderOptions("Content-Type", kind));
        const containers = (one) => one.spec.template.spec.containers.map(({ name }) => name).sort();
        const side = { spec: { template: { spec: { containers: [{ name: "side", image: PUBLIC }] } } } };
        assert.deepEqual(containers(await patch(side, PatchStrategy.StrategicMergePatch)), ["side", "web"]);
        assert.deepEqual(containers(await patch(side, PatchStrategy.MergePatch)), ["side"]);
        const replace = [{ op: "replace", path: "/spec/replicas", value: 2 }];
        assert.equal((await patch(replace, PatchStrategy.JsonPatch)).spec.replicas, 2);
    },

    "scaling and deleting takes the pods along": async (azure) => {
        const { apps, core } = await scene(azure);
        const pods = async () => (await core.listNamespacedPod({ namespace, labelSelector: "app=web" })).items.length;
        await apps.createNamespacedDeployment({ namespace, body: deployment(PUBLIC, 2) });
        assert.ok(await eventually(async () => (await pods()) === 2));
        await apps.patchNamespacedDeploymentScale(
            { namespace, name: "web", body: { spec: { replicas: 3 } } },
            setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
        );
        assert.ok(await eventually(async () => (await pods()) === 3));
        await apps.deleteNamespacedDeployment({ namespace, name: "web" });
        assert.ok(await eventually(async () => (await pods()) === 0));
        assert.equal((await refused(apps.readNamespacedDeployment({ namespace, name: "web" }))).reason, "NotFound");
    },

    "a second creation is a conflict": async (azure) => {
        const { apps } = await scene(azure);
        const create = () => apps.createNamespacedDeployment({ namespace, body: deployment(PUBLIC) });
        await create();
        const { code, reason } = await refused(create());
        assert.deepEqual({ code, reason }, { code: 409, reason: "AlreadyExists" });
    },

    "a container that runs has logs": async (azure) => {
        const { config, apps, core } = await scene(azure);
        await apps.createNamespacedDeployment({ namespace, body: deployment(PUBLIC) });
        await watchUntil(config, "Running");
        const [{ metadata, status }] = (await core.listNamespacedPod({ namespace })).items;
        const read = await core.readNamespacedPodLog({ namespace, name: metadata.name });
        // The emulator runs no program: what is written says what was started.
        assert.ok(read.includes(status.containerStatuses[0].imageID.split("@").at(-1)));
        const stream = new PassThrough();
        await new Log(config).log(namespace, metadata.name, "web", stream, { follow: false });
        let streamed = "";
        for await (const chunk of stream) streamed += chunk;
        assert.equal(streamed, read);
    },

    "nodes and the server say the cluster's version": async (azure) => {
        const { cluster, config, core } = await scene(azure);
        const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
        assert.equal(gitVersion, `v${cluster.currentKubernetesVersion}`);
        const { items } = await core.listNode();
        assert.deepEqual(items.map((node) => node.status.nodeInfo.kubeletVersion), [gitVersion]);
    },
};
