// Six workloads do not run, each for another reason: finds out why, and carries out the next step of each.
//
// `node diagnose.mjs` on the emulator; on Azure: `node diagnose.mjs --azure SUBSCRIPTION GROUP/CLUSTER NAMESPACE`.

import { readFile } from 'node:fs/promises';
import { DefaultAzureCredential } from '@azure/identity';
import { Client } from 'aks-acr';

/**
 * @param {Client} client
 * @param {string} cluster
 * @param {string} namespace
 */
async function diagnose(client, cluster, namespace) {
  const explanation = await client.explain(cluster, null, { namespace });
  console.log(`${explanation}\n`); // a line for each cause, with the next step
  for (const { report } of explanation.groups) {
    const step = report.findings[0].nextStep;
    if (step.operation === 'attach') {
      console.log(String(await client.attach(step.arguments.cluster, step.arguments.registry)));
    } else {
      console.log(`by hand: ${step}`);
    }
  }
}

async function incident() {
  const { Emulator } = await import('aks-acr-emulator');
  const names = ['web', 'api', 'job', 'cart', 'shop', 'mail'].map((workload) => `${workload}registry`);
  const registries = names.map((name) => ({ group: 'group', name, abac: name === 'apiregistry', sku: 'Premium' }));
  const azure = await Emulator.start({ scene: { clusters: [{ group: 'group', name: 'dev' }], registries } });
  for (const name of names) azure.pushImage(`${name}.azurecr.io/app:v1`);
  const { subscriptionId } = azure;
  const client = new Client({ credential: azure.credential(), subscriptionId, ...azure.clientOptions() });
  const { controlPlane } = await client.identities('group/dev');
  const kubelet = azure.kubeletObjectId('group', 'dev');
  azure.grant('AcrPull', azure.registryId('group', 'apiregistry'), { principal: kubelet });
  azure.grant('AcrPull', azure.registryId('group', 'jobregistry'), { principal: controlPlane[0] });
  await client.apply('group/dev', await readFile(new URL('../incident.yaml', import.meta.url), 'utf8'));
  azure.advance(30);
  await client.attach('group/dev', 'mailregistry');
  await diagnose(client, 'group/dev', 'default');
  azure.advance(400);
  await diagnose(client, 'group/dev', 'default');
  await azure.stop();
}

const [way, subscriptionId, cluster, namespace] = process.argv.slice(2);
if (way === '--azure' && namespace) {
  await diagnose(new Client({ credential: new DefaultAzureCredential(), subscriptionId }), cluster, namespace);
} else if (way === undefined) {
  await incident();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER NAMESPACE');
}
