// Making things and importing: what is Node's own in it.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AksAcrError, ImportHandle } from 'aks-acr';
import { SCENE, azureFor, clientOf, lines } from './azure.mjs';

const azure = azureFor(SCENE, { clock: 50 });
const wrong = (call, message) => assert.rejects(call, { name: 'AksAcrError', code: 'invalid_input', message });

test('a list of images takes names and objects, and gives each its result', async () => {
  const client = clientOf(azure.emulator);
  const images = ['nginx', { source: 'nginx', target: 'web:v1', additionalTags: ['web:v2'] }, 'nosuch/image:v1'];
  const [first, second, third] = await client.importImages('myregistry', images, { concurrency: 2 });
  assert.equal(first.import.target, 'myregistry.azurecr.io/library/nginx:latest');
  assert.deepEqual(second.import.additionalTags, ['myregistry.azurecr.io/web:v2']);
  assert.equal(first.error, undefined);
  assert.ok(third.error instanceof AksAcrError);
  assert.equal(third.error.code, 'not_found');
  assert.equal(third.error.failedSide, 'source');
  assert.ok(Object.isFrozen(first) && Object.isFrozen(second.import.additionalTags) && Object.isFrozen(third));
});

test('what the credential threw is the cause of an error in a list, the very object', async () => {
  const inner = azure.emulator.credential();
  const thrown = new RangeError('signed out');
  let asked = 0;
  const credential = {
    async getToken(scopes) {
      // The registry is found; by then the token has ended, and there is no other.
      if (asked++ > 0) throw thrown;
      return { ...(await inner.getToken(scopes)), expiresOnTimestamp: Date.now() + 1000 };
    },
  };
  const [{ error }] = await clientOf(azure.emulator, { credential }).importImages('myregistry', [
    { source: 'nginx', target: 'signed-out:v1' },
  ]);
  assert.equal(error.code, 'unauthenticated');
  assert.strictEqual(error.cause, thrown);
});

test('a list that is cancelled says so of each image that was not done', async () => {
  const { emulator } = azure;
  await emulator.fault('/importImage', { delayMs: 3_000 });
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = () => controller.abort(reason);
  const images = [{ source: 'nginx', target: 'late:v1' }];
  const { signal } = controller;
  const [{ error }] = await clientOf(emulator).importImages('myregistry', images, { signal, onProgress });
  assert.equal(error.code, 'cancelled');
  assert.strictEqual(error.cause, reason);
});

test('a handle shows no link, survives being stored, and goes on from each look', async () => {
  const { emulator } = azure;
  emulator.timing({ import: 10_000 });
  const client = clientOf(emulator);
  const options = { target: 'some_repo/nginx:V_1' };
  const started = await client.startImport('myregistry', 'nginx', options);
  assert.equal(started.kind, 'started');
  const { handle } = started;
  assert.ok(handle instanceof ImportHandle && Object.isFrozen(started));
  assert.deepEqual(handle.targets, ['some_repo/nginx:V_1']);
  assert.match(handle.registry, /\/registries\/myregistry$/);
  assert.match(handle.correlationId, /^[0-9a-f-]{36}$/);
  const { link } = handle.toJSON();
  for (const shown of [inspect(handle, { showHidden: true }), String(handle), inspect(started, { depth: 9 })]) {
    assert.ok(!shown.includes(link) && !shown.includes('https:'), shown);
  }

  const again = new ImportHandle(JSON.parse(JSON.stringify(handle)));
  const status = await client.pollImport(again);
  assert.equal(status.kind, 'running');
  // The names of tags stay what they are.
  for (const tag of Object.keys(status.tags)) assert.equal(tag, 'some_repo/nginx:V_1');
  assert.ok(Object.isFrozen(status.tags));
  assert.ok(again.waitMs === null || again.waitMs > 0);
  assert.equal((await client.pollImport(JSON.parse(JSON.stringify(handle)))).kind, 'running');
  assert.equal((await client.pollImport(JSON.parse(JSON.stringify(started)))).kind, 'running');
  for (const copy of [structuredClone(handle), { ...handle }, structuredClone(started)]) {
    await wrong(client.pollImport(copy), /^handle: .*link.*JSON\.stringify\(handle\)/);
  }
  assert.throws(() => new ImportHandle(structuredClone(handle)), { code: 'invalid_input', message: /JSON\.stringify\(handle\)/ });
  assert.equal((await client.pollImport(started)).kind, 'running');
  assert.notEqual(handle.toJSON().link, link, 'the handle of what was begun goes on from the look');
  emulator.advance(20_000);
  assert.deepEqual(await client.pollImport(again), { kind: 'succeeded' });
  emulator.timing('none');
  const there = await client.startImport('myregistry', 'nginx', options);
  assert.equal(there.kind, 'already_exists');
  assert.equal(there.import.isNew, false);
  await wrong(client.pollImport(there), /^handle: .*already had the image/);
});

test('what is no handle is refused', async () => {
  const client = clientOf(azure.emulator);
  assert.throws(() => new ImportHandle({}), { name: 'AksAcrError', code: 'invalid_input' });
  assert.throws(() => new ImportHandle(), { name: 'AksAcrError', code: 'invalid_input' });
  await wrong(client.pollImport(), /^handle: must be an object/);
  await wrong(client.pollImport({ registry: '/x' }), /^handle/);
});

test('a wrong list or option is refused before the first request, and its place named', async () => {
  const client = clientOf(azure.emulator);
  const mark = await azure.emulator.mark();
  await wrong(client.importImages('myregistry', 'nginx'), /^images: must be an array, not a string/);
  await wrong(client.importImages('myregistry', {}), /^images: must be an array, not an object/);
  await wrong(client.importImages('myregistry', ['nginx', 5]), /^images\[1\]: .*an image, or an object/);
  await wrong(client.importImages('myregistry', [{ target: 'a:1' }]), /^images\[0\]: .*source/);
  await wrong(client.importImages('myregistry', [{ source: 'nginx', onProgress() {} }]), /^images\[0\].*onProgress/);
  await wrong(client.importImages('myregistry', [{ source: 'nginx', onExistingTag: 'x' }]), /^images\[0\]\.onExistingTag: /);
  await wrong(client.importImages('myregistry', ['nginx'], { concurrency: 0 }), /concurrency/);
  await wrong(client.importImages('myregistry', ['nginx'], { target: 'a:1' }), /target/);
  await wrong(client.importImage('myregistry', 'nginx', { source: 'nginx' }), /^options.*source/);
  await wrong(client.importImage('myregistry', 'nginx', { additionalTags: 'a:1' }), /^options\.additionalTags: /);
  await wrong(client.importImage('myregistry', 'nginx', { username: 'u' }), /^options\.username: needs a password/);
  await wrong(client.createCluster('group/new', { nodeCount: 1.5 }), /^options\.nodeCount: /);
  await wrong(client.createCluster('group/new', { registries: ['x'] }), /^options\.registries\[0\]: .*registry name: x/);
  await wrong(client.createCluster('group/new', { sshKey: 'a', sshKeyFile: 'b' }), /^options\.sshKeyFile: /);
  await wrong(client.createRegistry('group', 'new00', { domainNameLabelScope: 'x' }), /^options\.domainNameLabelScope: .*TenantReuse/);
  assert.deepEqual(await lines(azure.emulator, mark), []);
});

test('a password is in no error, even where it is no text', async () => {
  const client = clientOf(azure.emulator);
  for (const password of [48151623, ['48151623'], { is: '48151623' }]) {
    const err = await client.importImage('myregistry', 'nginx', { password }).catch((err) => err);
    assert.equal(err.code, 'invalid_input');
    assert.match(err.message, /^options\.password: must be a string/);
    assert.ok(!inspect(err).includes('48151623'));
  }
});

test('the keys of a cluster are made where a file is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aks-acr-'));
  try {
    const sshKeyFile = join(folder, 'id_rsa');
    const made = await clientOf(azure.emulator).createCluster('group/keyed', { sshKeyFile, nodeCount: 1 });
    assert.ok(made.isNew);
    assert.equal(made.cluster.nodeCount, 1);
    assert.ok(existsSync(`${sshKeyFile}.pub`));
    if (process.platform !== 'win32') assert.equal(statSync(sshKeyFile).mode & 0o777, 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
