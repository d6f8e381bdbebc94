// Memory: many calls leave it flat.

import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { azureFor, clientOf } from './azure.mjs';

const azure = azureFor();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** Makes calls of every sort, 50 at a time: good, refused, aborted, heard, iterated, with credentials that throw. */
async function calls(client, refused, count) {
  const { signal } = new AbortController();
  const all = [
    () => client.identities('group/dev', { signal }),
    () => client.attach('group/dev'),
    () => client.identities('group/dev', { signal: AbortSignal.abort() }),
    () => client.identities('group/dev', { onProgress() {} }),
    () => refused.registry('myregistry'),
    () => client.follow.attach('group/dev', 'x').result,
  ];
  for (let done = 0; done < count; done += 48) {
    const some = Array.from({ length: 48 }, (_, index) => all[index % all.length]().catch(() => {}));
    await Promise.all(some);
  }
}

const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20 };
};

test('10,000 calls leave memory flat', async () => {
  const client = clientOf(azure.emulator);
  const refused = clientOf(azure.emulator, { credential: { getToken: () => Promise.reject(new Error('no')) } });
  // The first calls fill caches, pools and the allocator's arenas; after that, memory stays where it is.
  await calls(client, refused, 20_000);
  const before = await settled();
  await calls(client, refused, 10_000);
  const after = await settled();
  const grown = { rss: after.rss - before.rss, heap: after.heap - before.heap };
  console.log(
    `10,000 calls: resident +${grown.rss.toFixed(1)} MB of ${before.rss.toFixed(0)}, heap +${grown.heap.toFixed(1)} MB`,
  );
  assert.ok(grown.heap < 2, `heap grew by ${grown.heap} MB`);
  assert.ok(grown.rss < 10, `resident memory grew by ${grown.rss} MB`);
});

test('clients that nobody keeps are let go', async () => {
  const registered = new Set();
  const registry = new FinalizationRegistry((id) => registered.delete(id));
  for (let id = 0; id < 50; id += 1) {
    const credential = azure.emulator.credential();
    registered.add(id);
    registry.register(credential, id);
    await clientOf(azure.emulator, { credential }).identities('group/dev');
  }
  for (let turn = 0; turn < 50 && registered.size > 5; turn += 1) await settled();
  assert.ok(registered.size <= 5, `${registered.size} credentials are still held`);
});
