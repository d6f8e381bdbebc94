// Tests your own program against a separate emulated Azure: no account, milliseconds. `node emulate.mjs`, or `node --test`.
//
// This example has no `--azure`: it shows faults that cannot be caused in the real Azure.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AksAcrError, Client } from 'aks-acr';
import { Emulator } from 'aks-acr-emulator';

/**
 * The program: attaches a registry and reports the result as text.
 *
 * @param {Client} client
 */
async function report(client) {
  try {
    const { outcome } = await client.attach('group/dev', 'myregistry');
    return outcome.kind === 'granted' ? 'attached' : 'was attached';
  } catch (err) {
    if (err instanceof AksAcrError && err.code === 'forbidden') return `ask for ${err.smallestRole}`;
    throw err;
  }
}

/** @type {Emulator} */
let azure;
/** @param {string} [caller] */
const client = (caller) => {
  const { subscriptionId } = azure;
  return new Client({ credential: azure.credential(caller), subscriptionId, ...azure.clientOptions() });
};

before(async () => {
  const scene = {
    clusters: [{ group: 'group', name: 'dev' }],
    registries: [{ group: 'group', name: 'myregistry' }],
    callers: [{ name: 'reader', roles: [{ role: 'Reader' }] }],
  };
  azure = await Emulator.start({ scene });
});
after(() => azure.stop());

test('a caller without the permission gets the role to ask for', async () => {
  assert.equal(await report(client('reader')), 'ask for Role Based Access Control Administrator');
});

test('a lost response does no harm: the grant exists once', async () => {
  const mark = azure.mark();
  azure.fault('/roleAssignments/', { method: 'PUT', afterEffect: true, reset: true });
  assert.match(await report(client()), /attached$/);
  const writes = azure.requests({ since: mark }).filter(({ method, status }) => method === 'PUT' && status === 201);
  assert.ok(writes.length <= 1);
  assert.equal(await report(client()), 'was attached');
});
