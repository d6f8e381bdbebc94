// The examples, run as a reader runs them: on the emulator, from their folder.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = new URL('../../../examples/node/', import.meta.url);
const SHOWS = {
  'attach_registry.mjs': /^plan +\+ AcrPull on myregistry for group\/dev \(kubelet [0-9a-f]{8}…\)\n(?: {4}.*\n)+attach +granted: AcrPull for .*\nagain +already_granted\n$/,
  'import_image.mjs': /^myregistry\.azurecr\.io\/nginx:v1 copied: sha256:[0-9a-f]{64}, source_matched\n$/,
  'deploy.mjs':
    /^apply +Deployment\/nginx0-deployment\nfailed [^]*missing grant: AcrPull[^]*NAME +READY[^]*1\/1 +Running[^]*1\/1 +Running/,
  'abac_migration.mjs':
    /^plan\n~ registry myregistry from LegacyRegistryPermissions[^]*\+ Container Registry Repository Reader for ServicePrincipal \S+, the nodes of dev: keeps pull\n[^]*changed\nchanged myregistry to AbacRepositoryPermissions\n! until [^]*and back\nchanged myregistry to LegacyRegistryPermissions\n/,
  'diagnose.mjs':
    /^PODS +IMAGE +CAUSE +NEXT STEP\n(1 +\w+registry\.azurecr\.io\/app:v1 +\w+\.\w+ +\S[^]*?\n){6}group\/dev: 0 healthy, 0 starting, 6 without an image, 0 with another cause\n[^]*by hand: wait: [^]*\ngroup\/dev: 6 healthy, 0 starting, 0 without an image, 0 with another cause\n/,
  'external_registry.mjs':
    /^without [^]*image\.private_or_missing[^]*plan\n\+ pull secret outside in namespace default of dev\n[^]*applied [^]*with    runs\n$/,
  'own_identity.mjs':
    /^plan\nthe nodes' identity:\n\+ identity kubelet\n[^]*setup\n\+ identity kubelet \([^]*\+ AcrPull on myregistry for [^]*cluster own is Succeeded\n$/,
  'emulate.mjs': /^# pass 2$[^]*^# fail 0$/m,
  'quickstart.mjs':
    /^registry myregistry\.azurecr\.io\n[^]*\nattach +granted\nagain +already_granted\nrollout waiting .*\nrollout 2\/2 ready\ndetach +removed\nrollout waiting .*\nrollout kubelet identity \S+ of cluster dev has no role assignment that allows pulling from registry myregistry: it lacks AcrPull \[grant\.missing\] /,
  'test_with_azure_arm.test.mjs': /^# fail 0$/m,
};

test('every example is run, and is short', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  assert.deepEqual(files.sort(), Object.keys(SHOWS).sort());
  for (const file of files) assert.ok(readFileSync(new URL(file, folder), 'utf8').split('\n').length <= 60, file);
});

for (const [file, shows] of Object.entries(SHOWS)) {
  test(`${file} shows what it says`, async () => {
    const env = { PATH: process.env.PATH };
    const run = promisify(execFile)(process.execPath, [file], { cwd: fileURLToPath(folder), env, timeout: 120_000 });
    assert.match((await run).stdout, shows);
  });
}

test('a program with wrong words says which were wanted', async () => {
  const run = promisify(execFile)(process.execPath, ['deploy.mjs', '--azure'], { cwd: fileURLToPath(folder) });
  await assert.rejects(run, /expected no arguments, or --azure SUBSCRIPTION GROUP\/CLUSTER REGISTRY/);
});
