// Credentials: the emulator's own, and real ones of @azure/identity.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import {
  ChainedTokenCredential, ClientAssertionCredential, ClientSecretCredential, EnvironmentCredential, WorkloadIdentityCredential,
} from '@azure/identity';
import { Emulator } from 'aks-acr-emulator';

const ARM = 'https://management.azure.com/.default';

let azure;
before(async () => {
  azure = await Emulator.start({ scene: { registries: [{ group: 'group', name: 'myregistry' }] } });
});
after(() => azure.stop());

const real = (secret = azure.clientSecret) =>
  new ClientSecretCredential(azure.tenantId, azure.clientId, secret, azure.identityOptions());

async function registries(credential) {
  const client = new ContainerRegistryManagementClient(credential, azure.subscriptionId, azure.armOptions());
  const names = [];
  for await (const { name } of client.registries.list()) names.push(name);
  return names;
}

test('every token is asked for anew and is in the log', async () => {
  const since = azure.mark();
  const { token, expiresOnTimestamp } = await azure.credential().getToken(ARM);
  await azure.credential().getToken([ARM], { claims: '{}' });
  assert.ok(token && expiresOnTimestamp > Date.now());
  assert.deepEqual(azure.requests({ since }).map(({ service, caller }) => [service, caller]), [['entra', 'owner'], ['entra', 'owner']]);
});

test('many wait for tokens at once, and nothing else waits for them', async () => {
  azure.fault('/oauth2/', { delayMs: 100, times: 20 });
  let turns = 0;
  const tokens = Promise.all(Array.from({ length: 20 }, () => azure.credential().getToken(ARM)));
  // As many as the process's threads could not do one after the other while a file is read.
  const { readFile } = await import('node:fs/promises');
  let done = false;
  tokens.finally(() => { done = true; });
  while (!done) {
    await readFile(azure.caFile);
    turns += 1;
  }
  assert.equal((await tokens).length, 20);
  assert.ok(turns > 20, `${turns}`);
});

test('what Entra refuses is told in its words', async () => {
  await assert.rejects(azure.credential().getToken('https://nowhere.example/.default'), { code: 'NoToken', message: /AADSTS500011/ });
  await assert.rejects(azure.credential().getToken([]), { code: 'Invalid' });
  await assert.rejects(azure.credential().getToken(ARM, { abortSignal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('the SDK takes the emulator’s credential and real ones', async () => {
  for (const credential of [azure.credential(), real(), new ChainedTokenCredential(new EnvironmentCredential(), real())]) {
    assert.deepEqual(await registries(credential), ['myregistry']);
  }
});

test('a wrong secret is refused by the real credential', async () => {
  await assert.rejects(real('wrong').getToken(ARM), /AADSTS7000215/);
});

test('real credentials sign in by an assertion', async (t) => {
  const [issuer, subject] = ['https://issuer.example', 'system:serviceaccount:default:app'];
  const token = azure.federatedToken(issuer, subject, { seconds: 600 });
  const folder = await mkdtemp(join(tmpdir(), 'assertion-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFilePath = join(folder, 'token');
  await writeFile(tokenFilePath, token);
  const { tenantId, clientId } = azure;
  const asserting = () => new ClientAssertionCredential(tenantId, clientId, async () => token, azure.identityOptions());
  await assert.rejects(asserting().getToken(ARM), /AADSTS700211/);
  azure.federate(issuer, subject);
  const workload = new WorkloadIdentityCredential({ ...azure.identityOptions(), tenantId, clientId, tokenFilePath });
  for (const credential of [asserting(), workload]) assert.deepEqual(await registries(credential), ['myregistry']);
  assert.throws(() => azure.federate(issuer, subject, { caller: 'nobody' }), { code: 'Missing' });
});
