// A test of code that uses @azure/arm-* and @azure/identity, without an account and without aks-acr.
//
//     npm install aks-acr-emulator @azure/identity @azure/arm-containerregistry @azure/arm-authorization
//     node --test test_with_azure_arm.test.mjs
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ClientSecretCredential } from '@azure/identity';
import { Emulator } from 'aks-acr-emulator';

const ACR_PULL = '7f951dda-4ed3-4680-a7ca-43fe172d538d';

// The code under test: it takes its clients, and does not know where they lead.
/** @typedef {{ registries: ContainerRegistryManagementClient, roles: AuthorizationManagementClient }} Clients */
/** @type {(clients: Clients, registry: string, principalId: string) => Promise<{ name?: string }>} */
async function pullFor({ registries, roles }, registry, principalId) {
  const { id = '' } = await registries.registries.get('group', registry);
  const roleDefinitionId = `/subscriptions/${roles.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${ACR_PULL}`;
  const body = { principalId, principalType: 'ServicePrincipal', roleDefinitionId };
  return roles.roleAssignments.create(id, randomUUID(), body);
}

/** @type {Emulator} */
let azure;
before(async () => {
  azure = await Emulator.start({
    scene: {
      registries: [{ group: 'group', name: 'myregistry' }],
      clusters: [{ group: 'group', name: 'dev' }],
      callers: [{ name: 'reader', roles: [{ role: 'Reader' }] }],
    },
  });
});
after(() => azure.stop());

function clients(caller = 'owner') {
  const { clientId, clientSecret } = azure.clientOf(caller);
  const credential = new ClientSecretCredential(azure.tenantId, clientId, clientSecret, azure.identityOptions());
  return {
    registries: new ContainerRegistryManagementClient(credential, azure.subscriptionId, azure.armOptions()),
    roles: new AuthorizationManagementClient(credential, azure.subscriptionId, azure.armOptions()),
  };
}

test('the nodes may pull', async () => {
  const { name } = await pullFor(clients(), 'myregistry', azure.kubeletObjectId('group', 'dev'));
  assert.ok(azure.state().roleAssignments.some((/** @type {{ name: string }} */ one) => one.name === name));
});

test('a reader may not grant', async () => {
  const refused = pullFor(clients('reader'), 'myregistry', azure.objectId('reader'));
  await assert.rejects(refused, { code: 'AuthorizationFailed', statusCode: 403 });
  assert.equal(azure.requests().at(-1)?.caller, 'reader');
});
