// Creates a cluster whose nodes can pull from the first minute: its kubelet identity is in an Entra group before it exists.
//
// `node own_identity.mjs` on the emulator; on Azure, with a group and a registry that exist:
// `node own_identity.mjs --azure SUBSCRIPTION RESOURCE_GROUP ENTRA_GROUP REGISTRY`.

import { DefaultAzureCredential } from '@azure/identity';
import { Client } from 'aks-acr';

/**
 * @param {Client} client
 * @param {string} group
 * @param {string} pullers
 * @param {string} registry
 */
async function ownIdentity(client, group, pullers, registry) {
  // Needs read rights only, and writes nothing. Keep the plan: removeKubeletIdentity takes back what was created from it.
  const plan = await client.planKubeletIdentity(group, 'kubelet', { entraGroup: pullers, registries: [registry] });
  console.log(`plan\n${plan}`);

  const setup = await client.applyKubeletIdentity(plan);
  console.log(`setup\n${setup}`);

  const { cluster } = await client.createCluster(`${group}/own`, {
    controlPlaneIdentity: setup.controlPlane.id,
    kubeletIdentity: setup.kubelet.id,
  });
  console.log(`cluster ${cluster.id.split('/').pop()} is ${cluster.state}`);
}

const [way, subscriptionId, group, pullers, registry] = process.argv.slice(2);
if (way === '--azure' && registry) {
  const client = new Client({ credential: new DefaultAzureCredential(), subscriptionId });
  await ownIdentity(client, group, pullers, registry);
} else if (way === undefined) {
  const { Emulator } = await import('aks-acr-emulator');
  const azure = await Emulator.start({
    scene: {
      registries: [{ group: 'group', name: 'myregistry' }],
      entraGroups: [{ name: 'acr-pullers' }],
      owner: { directory: true },
    },
  });
  const { subscriptionId } = azure;
  const client = new Client({ credential: azure.credential(), subscriptionId, ...azure.clientOptions() });
  await ownIdentity(client, 'group', 'acr-pullers', 'myregistry');
  await azure.stop();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION RESOURCE_GROUP ENTRA_GROUP REGISTRY');
}
