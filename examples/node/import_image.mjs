// Imports an image from Docker Hub into a registry and shows the progress. Azure copies it.
//
// `node import_image.mjs` on the emulator; on Azure, into a registry that exists:
// `node import_image.mjs --azure SUBSCRIPTION REGISTRY`.

import { DefaultAzureCredential } from '@azure/identity';
import { Client } from 'aks-acr';
import { Presets, SingleBar } from 'cli-progress';

/**
 * @param {Client} client
 * @param {string} registry
 */
async function importImage(client, registry) {
  const bar = new SingleBar({ format: '{bar} {step}', clearOnComplete: true }, Presets.shades_classic);
  bar.start(1, 0, { step: '' });
  const run = client.follow.importImage(registry, 'nginx', { target: 'nginx:v1' });
  for await (const event of run) bar.update(event.kind === 'finished' ? 1 : 0, { step: String(event) });
  bar.stop();

  const { target, isNew, proof } = await run.result;
  console.log(`${target} ${isNew ? 'copied' : 'was there'}: ${'digest' in proof ? proof.digest : proof.reason}, ${proof.kind}`);
}

const [way, subscriptionId, registry] = process.argv.slice(2);
if (way === '--azure' && registry) {
  await importImage(new Client({ credential: new DefaultAzureCredential(), subscriptionId }), registry);
} else if (way === undefined) {
  const { Emulator } = await import('aks-acr-emulator');
  const azure = await Emulator.start({
    scene: {
      registries: [{ group: 'group', name: 'myregistry' }],
      images: [{ name: 'docker.io/library/nginx:latest', platforms: ['linux/amd64', 'linux/arm64'] }],
    },
    timing: 'typical',
    clock: 10,
  });
  const { subscriptionId } = azure;
  const client = new Client({ credential: azure.credential(), subscriptionId, ...azure.clientOptions() });
  await importImage(client, 'myregistry');
  await azure.stop();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION REGISTRY');
}
