// Results read as the lines of core (each of them: stories.test.mjs), and errors speak of options by the names that Node has for them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { customRoleJson, requiredRights } from 'aks-acr';
import { Emulator, EmulatorError } from 'aks-acr-emulator';
import { SCENE, azureFor, clientOf } from './azure.mjs';

const clusters = ['dev', 'other'].map((name) => ({ group: 'group', name }));
const azure = azureFor({ ...SCENE, clusters });

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
