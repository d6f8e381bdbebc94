// What the tests begin with.

import { after, before } from 'node:test';
import { Client } from 'aks-acr';
import { Emulator } from 'aks-acr-emulator';

/** A cluster, a registry, an image to import, and a caller who may only look. */
export const SCENE = {
  groups: [{ name: 'group', location: 'westeurope' }],
  registries: [{ group: 'group', name: 'myregistry' }],
  clusters: [{ group: 'group', name: 'dev' }],
  images: [
    { name: 'docker.io/library/nginx:latest', platforms: ['linux/amd64'] },
    { name: 'myregistry.azurecr.io/nginx:v1', platforms: ['linux/amd64'] },
  ],
  callers: [{ name: 'reader', secret: 'open-sesame', roles: [{ role: 'Reader' }] }],
};

/** An emulator for the tests of a file; it is there when they run. */
export function azureFor(scene = SCENE, options = {}) {
  const azure = {};
  before(async () => {
    azure.emulator = await Emulator.start({ scene, ...options });
  });
  after(() => azure.emulator.stop());
  return azure;
}

/** A client of the emulator, by default as the owner. */
export function clientOf(emulator, { caller, credential = emulator.credential(caller), ...more } = {}) {
  return new Client({ credential, subscriptionId: emulator.subscriptionId, ...emulator.clientOptions(), ...more });
}

/** Arm requests since a mark, as lines. */
export async function lines(emulator, since) {
  const requests = await emulator.requests({ since });
  return requests.filter(({ service }) => service !== 'entra').map(({ method, path }) => `${method} ${path}`);
}
