// Every result reads as a line or a table of core's, and errors speak of options by the names that Node has for them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { customRoleJson, requiredRights } from 'aks-acr';
import { Emulator, EmulatorError } from 'aks-acr-emulator';
import { SCENE, azureFor, clientOf } from './azure.mjs';

const { TYPES } = createRequire(import.meta.url)('../../bindings-node/lib/surface.cjs');

const clusters = ['dev', 'other'].map((name) => ({ group: 'group', name }));
const azure = azureFor({ ...SCENE, clusters });

const MANIFESTS = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: myregistry.azurecr.io/nginx:v1}]}
`;

/** A result of each operation, and what errors carry. */
async function* results(client, file) {
  yield client.identities('group/dev');
  yield client.planAttach('group/dev', 'myregistry');
  yield client.apply('group/dev', MANIFESTS);
  const failed = await client.waitForRollout('group/dev', 'web').catch((err) => err);
  assert.equal(failed.code, 'pull_failed');
  yield failed.pullFailure;
  yield client.pods('group/dev');
  yield client.attach('group/dev', 'myregistry');
  yield client.attach('group/dev', 'myregistry');
  yield client.planAttach('group/dev', 'myregistry');
  yield client.attachmentsOfCluster('group/dev');
  yield client.attachmentsOfRegistry('myregistry');
  yield client.importImage('myregistry', 'nginx', { target: 'nginx:v2' });
  yield client.importImages('myregistry', ['nginx', 'docker.io/library/absent:1']);
  const started = await client.startImport('myregistry', 'nginx', { target: 'nginx:v3' });
  yield started;
  yield client.pollImport(started);
  yield client.startImport('myregistry', 'nginx', { target: 'nginx:v2' });
  yield client.waitForRollout('group/dev', 'web');
  yield client.kubeconfig('group/dev');
  yield client.mergeKubeconfig('group/dev', { file });
  yield client.planDetach('group/dev', 'myregistry');
  yield client.detach('group/dev', 'myregistry');
  yield client.registry('myregistry');
  const another = '33333333-3333-3333-3333-333333333333';
  yield client.clusters({ names: ['dev'], subscriptions: ['2610ec15-0868-5475-814e-6fbb10da7636', another], allowPartial: true });
  yield client.registries({ tags: {} });
  yield client.createRegistry('group', 'myregistry', { location: 'northeurope', sku: 'Premium' });
  yield client.createCluster('group/dev', { location: 'northeurope', nodeCount: 7 });
  yield requiredRights(['attach']);
}

/** A value, and all objects in it. */
function* within(value, path) {
  if (value instanceof Date || value === null || typeof value !== 'object') return;
  // By the words of others: keys are images' tags.
  if (path.endsWith('.tags')) return;
  if (!Array.isArray(value)) yield [value, path];
  for (const [name, one] of Object.entries(value)) yield* within(one, `${path}.${name}`);
}

test('every result, and whatever is in one, reads as a line or a table', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lines-'));
  const seen = new Set();
  try {
    let count = 0;
    for await (const result of results(clientOf(azure.emulator), join(folder, 'config'))) {
      for (const [value, path] of within(result, `result ${count++}`)) {
        const text = String(value);
        assert.doesNotMatch(text, /\[object|undefined|null/, path);
        if (value instanceof Error) continue;
        assert.ok(text.length > 3 && !text.startsWith('{'), `${path}: ${text}`);
        const shown = inspect(value, { depth: -1 });
        const type = /^(\w+)[ (\n]/.exec(shown)?.[1];
        if (Object.hasOwn(TYPES, type)) {
          seen.add(type);
          assert.ok(shown.includes(text), shown);
          // Its fields are there as before, and nothing else.
          assert.deepEqual(Object.keys(structuredClone(value)), Object.keys(value));
          assert.ok(!JSON.stringify(value).includes('toString'));
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const rest = Object.keys(TYPES).filter((type) => !seen.has(type));
  // These need a scene of their own.
  const elsewhere = ['AksAcrError', 'Event', 'Write', 'AddOnIdentity', 'DenyingPolicy', 'EntraSettings', 'Import', 'RemovedGrant', 'CreatedCluster', 'Cluster', 'PullGrant'];
  assert.deepEqual(rest.filter((type) => !elsewhere.includes(type)), []);
});

test('the lines are those of core', async () => {
  const client = clientOf(azure.emulator);
  const attachment = await client.attach('group/other', 'myregistry');
  assert.match(`${attachment}`, /^AcrPull for [0-9a-f-]{36} on myregistry: granted$/);
  assert.equal(`${attachment.outcome}`, 'granted');
  const { grants } = await client.attachmentsOfCluster('group/other');
  assert.match(`${grants[0]}`, /^AcrPull for [0-9a-f-]{36} on myregistry$/);
  assert.match(inspect(attachment), /^Attachment \(AcrPull for .* granted\) \{/);
  assert.match(inspect(attachment), /registry: '\/subscriptions\//);
  const kubeconfig = await client.kubeconfig('group/other', { access: 'admin' });
  assert.match(`${kubeconfig}`, /^context \S+ at https:/);
  assert.doesNotMatch(`${kubeconfig}`, /client-key-data/);
});

test('an error names options as Node has them', async () => {
  const emulator = await Emulator.start({
    scene: { ...SCENE, clusters: [{ group: 'group', name: 'old', servicePrincipal: true }] },
  });
  try {
    const client = clientOf(emulator);
    const err = await client.attach('group/old', 'myregistry').catch((err) => err);
    assert.equal(err.code, 'unsupported');
    assert.match(err.message, /principalId/);
    assert.doesNotMatch(err.message, /principal_id/);
  } finally {
    await emulator.stop();
  }
});

test('an unknown option is told with all that are known', async () => {
  const client = clientOf(azure.emulator);
  for (const call of [
    (options) => client.attach('group/dev', 'myregistry', options),
    (options) => client.identities('group/dev', options),
    (options) => client.applyDetach({}, options),
  ]) {
    const err = await call({ nonsense: 1 }).catch((err) => err);
    assert.equal(err.code, 'invalid_input');
    if (!err.message.includes('nonsense')) continue;
    for (const name of ['deadlineMs', 'signal', 'onProgress']) assert.match(err.message, new RegExp(`\`${name}\``));
  }
});

test('what a hook throws is the cause of its call, the very object', async () => {
  for (const thrown of [new RangeError('not on a Friday'), 'never', 0, null]) {
    const onWrite = () => {
      throw thrown;
    };
    const client = clientOf(azure.emulator, { onWrite });
    const calls = ['dev', 'dev'].map((name) => client.detach(`group/${name}`, 'myregistry').catch((err) => err));
    const [first] = await Promise.all(calls);
    if (first.code === undefined) await clientOf(azure.emulator).attach('group/dev', 'myregistry');
    const err = await client.detach('group/dev', 'myregistry').catch((err) => err);
    assert.equal(err.refusal, 'write_hook');
    assert.strictEqual(err.cause, thrown);
  }
});

test('a signal that stops a call stops its credential', async () => {
  let signal;
  const credential = {
    getToken(_scopes, { abortSignal }) {
      signal = abortSignal;
      return new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(abortSignal.reason)));
    },
  };
  const controller = new AbortController();
  const call = clientOf(azure.emulator, { credential }).identities('group/dev', { signal: controller.signal });
  while (signal === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error('enough'));
  const err = await call.catch((err) => err);
  assert.equal(err.code, 'cancelled');
  assert.equal(err.cause.message, 'enough');
  for (let left = 400; !signal.aborted && left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(signal.aborted);
});

test('an import costs no wait, and a plan can expire', async () => {
  const client = clientOf(azure.emulator);
  const begun = performance.now();
  for (const tag of ['a', 'b', 'c', 'd']) await client.importImage('myregistry', 'nginx', { target: `quick:${tag}` });
  assert.ok(performance.now() - begun < 5_000);
  const plan = await client.planAttach('group/other', 'myregistry');
  const err = await client.applyAttach({ ...plan, expires: new Date(0) }).catch((err) => err);
  assert.equal(err.code, 'conflict');
  assert.match(err.message, /expired/);
});

test("a plan expires by the emulator's clock", async () => {
  const emulator = await Emulator.start({ scene: SCENE });
  try {
    const client = clientOf(emulator);
    const attach = await client.planAttach('group/dev', 'myregistry');
    emulator.advance(3500);
    await client.applyAttach(attach);
    const detach = await client.planDetach('group/dev', 'myregistry');
    emulator.advance(3700);
    for (const applying of [client, clientOf(emulator)]) {
      await assert.rejects(applying.applyDetach(detach), { code: 'conflict', message: /expired/ });
      await assert.rejects(applying.applyAttach(attach), { code: 'conflict', message: /expired/ });
    }
    const fresh = await client.planDetach('group/dev', 'myregistry');
    assert.equal((await clientOf(emulator).applyDetach(fresh)).removed.length, 1);
  } finally {
    await emulator.stop();
  }
});

test('the emulator takes a list of platforms, and refuses a word that it does not know', () => {
  const { emulator } = azure;
  const digests = [['linux/arm64'], { platforms: ['linux/arm64'] }, undefined].map((given) =>
    emulator.pushImage('docker.io/library/other:1', given),
  );
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[1], digests[2]);
  for (const wrong of [{ platform: ['linux/arm64'] }, 'linux/arm64', 5]) {
    assert.throws(() => emulator.pushImage('docker.io/library/other:1', wrong), EmulatorError);
  }
  assert.throws(() => emulator.summary({ mark: 1 }), /summary: .*mark/);
});

test('a custom role names its operations', () => {
  const role = JSON.parse(customRoleJson('role', requiredRights(['attach']), ['/subscriptions/s']));
  assert.match(role.Description, /\battach\b/);
});
