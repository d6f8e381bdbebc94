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
  await client.waitForRollout('group/dev', 'web', { onProgress });
  assert.deepEqual(heard.at(-1), { kind: 'rollout', ready: 2, wanted: 2, cause: null });
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
  const run = clientOf(azure.emulator).follow.waitForRollout('group/dev', 'nope');
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

/** A call that tells its first event and then has long to wait. */
async function slow() {
  await azure.emulator.fault('/managedClusters/slow', { delayMs: 60_000 });
  return clientOf(azure.emulator).follow.attach('group/slow', 'myregistry');
}

test('an iterator that is left while it waits for an event stops the work at once', async () => {
  for (const leave of ['return', 'throw']) {
    const run = await slow();
    const events = run[Symbol.asyncIterator]();
    assert.equal((await events.next()).value.kind, 'started');
    const waiting = [events.next(), events.next()];
    const left = events[leave](new Error('enough'));
    if (leave === 'throw') await assert.rejects(left, /enough/);
    else assert.equal((await left).done, true);
    for (const next of waiting) assert.deepEqual(await next, { value: undefined, done: true });
    await assert.rejects(run.result, { code: 'cancelled' });
    assert.deepEqual(await events.next(), { value: undefined, done: true });
  }
});

test('every loop over a run has all its events, and ends', async () => {
  const run = clientOf(azure.emulator).follow.createRegistry('group', 'loopregistry');
  const read = async () => {
    const events = [];
    for await (const event of run) events.push(event);
    return events;
  };
  const [first, second] = await Promise.all([read(), read()]);
  assert.ok(first.length > 1);
  assert.deepEqual(second, first);
  assert.deepEqual(await read(), first, 'also one that begins when all is over');
});

test('every loop over a run throws its error, and what is left in one is cancelled in all', async () => {
  const absent = clientOf(azure.emulator).follow.waitForRollout('group/dev', 'nope');
  const read = async (run) => {
    for await (const _ of run);
  };
  for (const one of [read(absent), read(absent)]) await assert.rejects(one, { code: 'not_found' });
  const run = await slow();
  const other = read(run);
  for await (const _ of run) break;
  await assert.rejects(other, { code: 'cancelled' });
});

test('who asks for several events at a time has them in order, and the error once', async () => {
  const events = clientOf(azure.emulator).follow.attach('group/absent', 'myregistry')[Symbol.asyncIterator]();
  const asked = await Promise.allSettled(Array.from({ length: 64 }, () => events.next()));
  assert.equal(asked[0].value.value.kind, 'started');
  assert.deepEqual(asked.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.code), ['not_found']);
  assert.deepEqual(asked.at(-1).value, { value: undefined, done: true });
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
    const run = clientOf(azure.emulator).follow.waitForRollout('group/dev', 'nope');
    await assert.rejects(
      async () => {
        for await (const _ of run);
      },
      { code: 'not_found' },
    );
    const left = clientOf(azure.emulator).follow.waitForRollout('group/dev', 'nope');
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
