// Applies a manifest with an image from the registry, waits until it runs, and reports why if it does not.
//
// `node deploy.mjs` on the emulator; on Azure, with an image `nginx:v1` in a registry that exists:
// `node deploy.mjs --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY`.

import { readFile } from 'node:fs/promises';
import { DefaultAzureCredential } from '@azure/identity';
import { AksAcrError, Client } from 'aks-acr';
import { Presets, SingleBar } from 'cli-progress';

/**
 * @param {Client} client
 * @param {string} cluster
 * @param {string} registry
 */
async function deploy(client, cluster, registry) {
  const manifests = await readFile(new URL('../acr-nginx.yaml', import.meta.url), 'utf8');
  for (const { kind, name } of await client.apply(cluster, manifests, { registry }))
    console.log(`apply   ${kind}/${name}`);

  const deployment = 'nginx0-deployment';
  try {
    await client.waitForRollout(cluster, deployment);
  } catch (err) {
    if (!(err instanceof AksAcrError && err.code === 'pull_failed')) throw err;
    // It ends at once where waiting does not help.
    console.log(`failed  ${err.message}`);
    await client.attach(cluster, registry);
    const bar = new SingleBar({ format: '{bar} {value}/{total} ready' }, Presets.shades_classic);
    bar.start(1, 0);
    for await (const event of client.follow.waitForRollout(cluster, deployment)) {
      if (event.kind !== 'rollout') continue;
      bar.setTotal(event.wanted);
      bar.update(event.ready);
    }
    bar.stop();
  }
  console.log(String(await client.pods(cluster, { labels: 'app=nginx0' })));
}

const [way, subscriptionId, cluster, registry] = process.argv.slice(2);
if (way === '--azure' && registry) {
  await deploy(new Client({ credential: new DefaultAzureCredential(), subscriptionId }), cluster, registry);
} else if (way === undefined) {
  const { Emulator } = await import('aks-acr-emulator');
  const scene = {
    clusters: [{ group: 'group', name: 'dev' }],
    registries: [{ group: 'group', name: 'myregistry' }],
    images: [{ name: 'myregistry.azurecr.io/nginx:v1', platforms: ['linux/amd64'] }],
  };
  // What pods wait for takes minutes in Azure.
  const azure = await Emulator.start({ scene, clock: 50 });
  const { subscriptionId } = azure;
  const client = new Client({ credential: azure.credential(), subscriptionId, ...azure.clientOptions() });
  await deploy(client, 'group/dev', 'myregistry');
  await azure.stop();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY');
}
