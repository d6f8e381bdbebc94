// A client that is given no credential.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { azureFor } from './azure.mjs';

const azure = azureFor();
const run = promisify(execFile);

const PROGRAM = `
import { Client } from 'aks-acr';
const client = new Client(JSON.parse(process.argv[1]));
try {
  console.log((await client.registry('myregistry')).loginServer);
} catch (err) {
  console.log(err.code, err.message);
}
`;

/** What a program says that has these variables, and these settings besides the emulator's. */
async function says(variables, more) {
  const { subscriptionId } = azure.emulator;
  const settings = JSON.stringify({ subscriptionId, ...azure.emulator.clientOptions(), ...more });
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential', ...variables };
  const cwd = new URL('.', import.meta.url);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', PROGRAM, settings], { env, cwd });
  return stdout.trim();
}

const principal = (secret = azure.emulator.clientSecret) => ({
  AZURE_TENANT_ID: azure.emulator.tenantId,
  AZURE_CLIENT_ID: azure.emulator.clientId,
  AZURE_CLIENT_SECRET: secret,
});

test('without a credential the one of the environment is taken', async () => {
  const mark = await azure.emulator.mark();
  assert.equal(await says(principal()), 'myregistry.azurecr.io');
  const requests = await azure.emulator.requests({ since: mark });
  assert.ok(requests.some(({ service, path }) => service === 'entra' && path.endsWith('/oauth2/v2.0/token')));
});

test('a wrong secret of the environment is an error, and is not shown', async () => {
  const said = await says(principal('hush-hush'));
  assert.match(said, /^unauthenticated .*AADSTS7000215/);
  assert.doesNotMatch(said, /hush/);
});

test('where nothing is configured, the error says so', async () => {
  assert.match(await says({}), /^unauthenticated .*AZURE_/);
});

test("a custom cloud's authority is where tokens come from, whatever the environment says", async () => {
  const { cloud } = azure.emulator.clientOptions();
  const elsewhere = { ...principal(), AZURE_AUTHORITY_HOST: 'https://127.0.0.1:1' };
  const said = await says(elsewhere, { cloud: { ...cloud, authority: azure.emulator.origin } });
  assert.equal(said, 'myregistry.azurecr.io');
});
