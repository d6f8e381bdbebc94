// Processes and threads: Node exits by itself, and the addon works in each of them.

import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SCENE, azureFor } from './azure.mjs';

// A cluster whose answer does not come, for each call that is left in the middle.
const SILENT = ['aborted', 'exited', 'ended'];
const azure = azureFor({ ...SCENE, clusters: ['dev', ...SILENT].map((name) => ({ group: 'group', name })) });
const silence = (name) => azure.emulator.fault(`/managedClusters/${name}`, { delayMs: 5_000 });

const run = promisify(execFile);
const OWN = new URL('one_call.mjs', import.meta.url);

/** What a program has to know to make a client: one JSON text. */
async function settings(more) {
  const { emulator } = azure;
  const { token } = await emulator.credential().getToken([`${emulator.origin}/.default`]);
  return JSON.stringify({ token, subscriptionId: emulator.subscriptionId, ...emulator.clientOptions(), ...more });
}

/** Runs a program and says how long it lived after its last word. */
async function lives(more) {
  const { stdout } = await run(process.execPath, [OWN.pathname, await settings(more)], { timeout: 20_000 });
  return { text: stdout.trim(), after: Date.now() - Number(/at (\d+)/.exec(stdout)[1]) };
}

test('Node exits by itself while a client is alive', async () => {
  const { text, after } = await lives({ then: 'keep' });
  assert.match(text, /^Succeeded at/);
  assert.ok(after < 2000, `${after} ms`);
});

test('Node exits by itself after a call was aborted', async () => {
  await silence('aborted');
  const { text, after } = await lives({ cluster: 'aborted', abortAfterMs: 50, then: 'keep' });
  assert.match(text, /^cancelled at/);
  assert.ok(after < 2000, `${after} ms`);
});

test('a program may end with process.exit in the middle of a call', async () => {
  await silence('exited');
  const { text, after } = await lives({ cluster: 'exited', exitAfterMs: 50 });
  assert.match(text, /^exit at/);
  assert.ok(after < 2000, `${after} ms`);
});

test('threads have clients of their own, side by side with this one', async () => {
  const argv = [await settings()];
  const answers = Array.from({ length: 4 }, async () => {
    const worker = new Worker(OWN, { argv, stdout: true });
    let text = '';
    worker.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    const [code] = await once(worker, 'exit');
    return [code, text.split(' ')[0]];
  });
  assert.deepEqual(await Promise.all(answers), Array(4).fill([0, 'Succeeded']));
});

test('a thread may be ended in the middle of a call', async () => {
  await silence('ended');
  const worker = new Worker(OWN, { argv: [await settings({ cluster: 'ended', tell: true })] });
  await once(worker, 'message');
  assert.equal(await worker.terminate(), 1);
});

test('a forked process works', async () => {
  const child = fork(OWN, [await settings()], { stdio: 'pipe' });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.match(text, /^Succeeded/);
});
