// From an image in Docker Hub to running pods, and what happens without the grant: `node quickstart.mjs`, on the emulator.
//
// It creates a registry and a cluster, imports nginx, and shows the pods fail to pull; then it attaches the registry and shows them
// run, detaches it and shows the next pod fail.

import { readFile } from 'node:fs/promises';
import { AksAcrError, Client } from 'aks-acr';
import { Emulator } from 'aks-acr-emulator';

const manifest = await readFile(new URL('../acr-nginx.yaml', import.meta.url), 'utf8');
const [cluster, registry, deployment] = ['group/dev', 'myregistry', 'nginx0-deployment'];

/** @type {(client: Client, azure: Emulator) => Promise<void>} */
async function tell(client, azure) {
  console.log('registry', (await client.createRegistry('group', registry)).registry.loginServer);
  const run = client.follow.createCluster(cluster, { nodeCount: 1 });
  for await (const event of run) if (event.kind === 'polling') console.log('        ', event.status);
  const { state, kubernetesVersion } = (await run.result).cluster;
  console.log('cluster ', state, 'with Kubernetes', kubernetesVersion);

  const { proof } = await client.importImage(registry, 'nginx', { target: 'nginx:v1' });
  console.log('import  ', 'digest' in proof ? proof.digest : proof.reason, proof.kind);
  for (const { kind, name } of await client.apply(cluster, manifest, { registry })) console.log('deploy  ', `${kind}/${name}`);
  await waitForRollout(client);

  console.log('plan    ', (await client.planAttach(cluster, registry)).action.kind);
  console.log('attach  ', (await client.attach(cluster, registry)).outcome.kind);
  console.log('again   ', (await client.attach(cluster, registry)).outcome.kind);
  await waitForRollout(client);

  console.log('detach  ', (await client.detach(cluster, registry)).outcome);
  // A node uses its cached credential for up to an hour; this advances the emulator's clock past that.
  await azure.advance(61 * 60);
  // Without this a node would start the image that it has.
  const fresh = manifest.replace('- name: nginx', '- imagePullPolicy: Always\n          name: nginx');
  await client.apply(cluster, fresh, { registry });
  await waitForRollout(client);
  console.log(String(await client.pods(cluster, { labels: 'app=nginx0' })));
}

/** @param {Client} client */
async function waitForRollout(client) {
  console.log('rollout', 'waiting for the pods (a few seconds if they cannot pull)');
  try {
    const { ready, wanted } = await client.waitForRollout(cluster, deployment);
    console.log('rollout', `${ready}/${wanted} ready`);
  } catch (err) {
    if (!(err instanceof AksAcrError && err.pullFailure)) throw err;
    // It ends at once where waiting does not help.
    console.log('rollout', err.message);
  }
}

const images = [{ name: 'docker.io/library/nginx:latest', platforms: ['linux/amd64'] }];
const azure = await Emulator.start({ scene: { groups: [{ name: 'group' }], images }, clock: 20 });
const client = new Client({ credential: azure.credential(), subscriptionId: azure.subscriptionId, ...azure.clientOptions() });
await tell(client, azure);
await azure.stop();
