// Progress: by callback, and by iteration.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { azureFor, clientOf } from './azure.mjs';

const azure = azureFor(undefined, { clock: 20 });

const MANIFEST = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx' }] } },
  },
});

test('every event is heard before the promise settles, in order', async () => {
  const client = clientOf(azure.emulator);
  await client.apply('group/dev', MANIFEST);
  const heard = [];
  const onProgress = (event) => heard.push(event);
  await client.rollOut('group/dev', 'web', { onProgress });
  assert.deepEqual(heard.at(-1), { kind: 'rolling_out', ready: 2, wanted: 2, cause: null });
  assert.equal(String(heard.at(-1)), '2/2 ready');
  assert.ok(heard.every(Object.isFrozen));
});

test('a listener that throws is an uncaught exception, and the work goes on', async () => {
  // The runner of tests listens too.
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const uncaught = once(process, 'uncaughtException');
  const fault = new Error('listener');
  let told = 0;
  const onProgress = () => {
    if (told++ === 0) throw fault;
  };
  const attachment = await clientOf(azure.emulator).attach('group/dev', 'myregistry', { onProgress });
  const [thrown] = await uncaught;
  for (const listener of listeners) process.on('uncaughtException', listener);
  assert.strictEqual(thrown, fault);
  assert.equal(attachment.outcome.kind, 'granted');
});

test('a run is iterated to its end, and then has its result', async () => {
  const run = clientOf(azure.emulator).follow.importImage('myregistry', 'nginx', { target: 'nginx:v3' });
  const kinds = [];
  for await (const event of run) kinds.push(event.kind);
  assert.equal(kinds.at(0), 'started');
  assert.equal(kinds.at(-1), 'finished');
  assert.equal((await run.result).isNew, true);
});

test('the end of the iteration throws the error of the work', async () => {
  const run = clientOf(azure.emulator).follow.rollOut('group/dev', 'nope');
  await assert.rejects(
    async () => {
      for await (const _ of run);
    },
    { code: 'not_found' },
  );
  await assert.rejects(run.result, { code: 'not_found' });
});

test('leaving the loop early cancels the work', async () => {
  await azure.emulator.fault('/importImage', { delayMs: 5_000 });
  const run = clientOf(azure.emulator).follow.importImage('myregistry', 'nginx', { target: 'nginx:v4' });
  for await (const event of run) {
    assert.equal(event.kind, 'started');
    break;
  }
  await assert.rejects(run.result, { code: 'cancelled' });
});

test('a run may be awaited without being iterated, and hears its options', async () => {
  const heard = [];
  const onProgress = (event) => heard.push(event.kind);
  const run = clientOf(azure.emulator).follow.attach('group/dev', 'myregistry', { onProgress });
  assert.equal((await run.result).outcome.kind, 'already_granted');
  assert.equal(heard[0], 'started');
  const aborted = clientOf(azure.emulator).follow.attach('group/dev', 'myregistry', { signal: AbortSignal.abort() });
  await assert.rejects(aborted.result, { code: 'cancelled' });
});

test('a run with a wrong argument is rejected, not thrown', async () => {
  const run = clientOf(azure.emulator).follow.attach('group/dev');
  await assert.rejects(run.result, { code: 'invalid_input' });
});

test('a run whose result nobody waits for has no unhandled rejection', async () => {
  const unhandled = [];
  const listener = (reason) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  try {
    const run = clientOf(azure.emulator).follow.rollOut('group/dev', 'nope');
    await assert.rejects(
      async () => {
        for await (const _ of run);
      },
      { code: 'not_found' },
    );
    const left = clientOf(azure.emulator).follow.rollOut('group/dev', 'nope');
    await left.result.catch(() => {});
    clientOf(azure.emulator).follow.attach('group/dev');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  } finally {
    process.off('unhandledRejection', listener);
  }
  assert.deepEqual(unhandled, []);
});

test('a deadline of nothing has passed before a request is sent', async () => {
  const mark = await azure.emulator.mark();
  await assert.rejects(clientOf(azure.emulator).identities('group/dev', { deadlineMs: 0 }), { code: 'deadline_exceeded' });
  assert.deepEqual(await azure.emulator.requests({ since: mark }), []);
});
