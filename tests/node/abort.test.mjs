// Cancelling.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { AksAcrError } from 'aks-acr';
import { azureFor, clientOf, lines } from './azure.mjs';

const azure = azureFor();
const CLUSTER = 'group/dev';

const slow = () => azure.emulator.fault('/managedClusters/dev', { delayMs: 5_000, times: 1 });

test('a signal that is aborted already lets no request out', async () => {
  const mark = await azure.emulator.mark();
  const reason = new Error('no longer wanted');
  const err = await clientOf(azure.emulator)
    .attach(CLUSTER, 'myregistry', { signal: AbortSignal.abort(reason) })
    .catch((err) => err);
  assert.equal(err.code, 'cancelled');
  assert.strictEqual(err.cause, reason);
  assert.deepEqual(await lines(azure.emulator, mark), []);
});

test('what was cancelled has the name that all know, and every other error that of its class', async () => {
  const client = clientOf(azure.emulator);
  const run = client.follow.identities(CLUSTER);
  run.cancel();
  for (const make of [() => client.identities(CLUSTER, { signal: AbortSignal.abort() }), () => run.result]) {
    const err = await make().catch((err) => err);
    assert.ok(err instanceof AksAcrError);
    assert.equal(err.name, 'AbortError');
    assert.equal(err.code, 'cancelled');
    assert.match(String(err), /^AbortError: /);
    assert.match(inspect(err), /AbortError/);
    assert.ok(!Object.keys(err).includes('name'));
  }
  await assert.rejects(client.identities('group/absent'), { code: 'not_found', name: 'AksAcrError' });
  await assert.rejects(client.identities(CLUSTER, { deadlineMs: 0 }), { code: 'deadline_exceeded', name: 'AksAcrError' });
});

test('an abort ends a wait at once', { timeout: 20_000 }, async () => {
  await slow();
  const mark = await azure.emulator.mark();
  const controller = new AbortController();
  const call = clientOf(azure.emulator).identities(CLUSTER, { signal: controller.signal });
  const settled = call.catch((err) => err);
  // The request has arrived, and its answer takes its time.
  while (!(await lines(azure.emulator, mark)).some((line) => line.endsWith('/managedClusters/dev'))) await setImmediate();
  const started = performance.now();
  controller.abort();
  const err = await settled;
  const took = performance.now() - started;
  assert.equal(err.code, 'cancelled');
  assert.equal(err.cause.name, 'AbortError');
  assert.ok(took < 1000, `${took} ms`);
});

test('a time limit of the platform is a signal like any other', async () => {
  await slow();
  const err = await clientOf(azure.emulator)
    .identities(CLUSTER, { signal: AbortSignal.timeout(50) })
    .catch((err) => err);
  assert.equal(err.code, 'cancelled');
  assert.equal(err.cause.name, 'TimeoutError');
});

test('a deadline is in milliseconds', async () => {
  await slow();
  const started = performance.now();
  await assert.rejects(clientOf(azure.emulator).identities(CLUSTER, { deadlineMs: 100 }), {
    code: 'deadline_exceeded',
  });
  assert.ok(performance.now() - started < 1000);
});

test('calls may share a signal, and leave nothing on it', async (context) => {
  const warned = context.mock.fn();
  process.on('warning', warned);
  const client = clientOf(azure.emulator);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 64 }, () => client.identities(CLUSTER, { signal })));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  await setImmediate();
  process.off('warning', warned);
  assert.deepEqual(warned.mock.calls, []);
});

test('one abort ends all calls that share it', async () => {
  const client = clientOf(azure.emulator);
  const controller = new AbortController();
  const calls = Array.from({ length: 8 }, () => client.identities(CLUSTER, { signal: controller.signal }));
  controller.abort();
  const codes = (await Promise.allSettled(calls)).map(({ reason }) => reason?.code);
  assert.deepEqual(codes, Array(8).fill('cancelled'));
});
