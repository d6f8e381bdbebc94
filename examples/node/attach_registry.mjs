// Gives a cluster access to a registry: reads the state, then writes at most once.
//
// `node attach_registry.mjs` on the emulator; on Azure, with resources that exist:
// `node attach_registry.mjs --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY`.

import { DefaultAzureCredential } from '@azure/identity';
import { Client } from 'aks-acr';

/**
 * @param {Client} client
 * @param {string} cluster
 * @param {string} registry
 */
async function attachRegistry(client, cluster, registry) {
  // Needs read rights only, and writes nothing.
  const plan = await client.planAttach(cluster, registry);
  console.log(`plan    ${plan}`);

  const attachment = await client.applyAttach(plan);
  console.log(`attach  ${attachment.outcome.kind}: ${attachment.role} for ${attachment.principalId}`);
  for (const warning of attachment.warnings) console.log(String(warning)); // what keeps pods from pulling all the same

  // Everything can be run twice.
  const again = await client.attach(cluster, registry);
  console.log(`again   ${again.outcome.kind}`);
}

const [way, subscriptionId, cluster, registry] = process.argv.slice(2);
if (way === '--azure' && registry) {
  await attachRegistry(new Client({ credential: new DefaultAzureCredential(), subscriptionId }), cluster, registry);
} else if (way === undefined) {
  const { Emulator } = await import('aks-acr-emulator');
  const azure = await Emulator.start({
    scene: {
      clusters: [{ group: 'group', name: 'dev' }],
      registries: [{ group: 'group', name: 'myregistry' }],
    },
  });
  const { subscriptionId } = azure;
  const client = new Client({ credential: azure.credential(), subscriptionId, ...azure.clientOptions() });
  await attachRegistry(client, 'group/dev', 'myregistry');
  await azure.stop();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY');
}
