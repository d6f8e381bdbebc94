// Moves a registry to repository permissions so that no principal loses access, and back.
//
// `node abac_migration.mjs` on the emulator; on Azure, where it changes the registry:
// `node abac_migration.mjs --azure SUBSCRIPTION REGISTRY`.

import { DefaultAzureCredential } from '@azure/identity';
import { Client } from 'aks-acr';

/**
 * @param {Client} client
 * @param {string} registry
 * @param {import('aks-acr').ApplyModeChangeOptions} options
 */
async function migrate(client, registry, options = {}) {
  // Needs read rights only, and writes nothing. Keep the plan: it also undoes the change.
  const plan = await client.planModeChange(registry, 'AbacRepositoryPermissions');
  console.log(`plan\n${plan}`);
  if (plan.lost.length > 0) return; // To be decided by a person: allowWider may keep it, acceptLoss gives it up.

  const change = await client.applyModeChange(plan, options);
  console.log(`changed\n${change}`);

  const back = await client.applyModeChange(plan, { ...options, reverse: true });
  console.log(`and back\n${back}`);
}

const [way, subscriptionId, registry] = process.argv.slice(2);
if (way === '--azure' && registry) {
  await migrate(new Client({ credential: new DefaultAzureCredential(), subscriptionId }), registry);
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
  await client.attach('group/dev', 'myregistry');
  await migrate(client, 'myregistry', { propagationTimeMs: 0 }); // On the emulator, a role is effective at once.
  await azure.stop();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION REGISTRY');
}
