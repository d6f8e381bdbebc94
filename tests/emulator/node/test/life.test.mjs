// An emulator's start and end, and what shares a process with it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { Emulator } from 'aks-acr-emulator';
import { Wire } from './wire.mjs';

const run = promisify(execFile);

test('clients come by the origin and by a host’s own name', async () => {
  const azure = await Emulator.start({ scene: { registries: [{ group: 'group', name: 'myregistry' }] } });
  const wire = await Wire.of(azure);
  const list = `/subscriptions/${azure.subscriptionId}/providers/Microsoft.ContainerRegistry/registries`;
  assert.equal((await wire.arm('GET', list)).body.value[0].id, azure.registryId('group', 'myregistry'));
  assert.equal((await wire.host('https://myregistry.azurecr.io/v2/')).status, 401);
  await assert.rejects(wire.host('https://example.com/'), /502/);
  await azure.stop();
});

test('the certificate’s file is its owner’s and goes with the emulator', async () => {
  const azure = await Emulator.start();
  assert.equal(fs.readFileSync(azure.caFile, 'utf8'), azure.ca);
  assert.equal(fs.statSync(azure.caFile).mode & 0o777, 0o600);
  assert.equal(fs.statSync(path.dirname(azure.caFile)).mode & 0o777, 0o700);
  await Promise.all([azure.stop(), azure.stop()]);
  assert.ok(!fs.existsSync(path.dirname(azure.caFile)));
});

test('what it has seen can be read after its end', async () => {
  const azure = await Emulator.start();
  const credential = azure.credential();
  await credential.getToken('https://management.azure.com/.default');
  await azure.stop();
  assert.deepEqual(azure.requests().map(({ service }) => service), ['entra']);
  assert.equal(azure.state().tenant, azure.tenantId);
  await assert.rejects(credential.getToken('https://management.azure.com/.default'), { code: 'NoToken' });
});

test('it is disposed of', async () => {
  const azure = await Emulator.start();
  await azure[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
  assert.ok(!fs.existsSync(azure.caFile));
});

test('two in one process are two Azures', async () => {
  const [one, other] = await Promise.all([
    Emulator.start({ callers: [{ name: 'ci', roles: [{ role: 'Reader' }] }] }),
    Emulator.start(),
  ]);
  const stranger = await Wire.of(one, 'ci');
  assert.equal(await stranger.groups(), 200);
  assert.deepEqual(other.requests(), []);
  assert.throws(() => other.credential('ci'), { code: 'Missing' });
  // Neither takes the other's certificate or the other's tokens.
  stranger.azure = other;
  await assert.rejects(stranger.groups(), /certificate/);
  stranger.ca = other.ca;
  assert.equal(await stranger.groups(), 401);
  await Promise.all([one.stop(), other.stop()]);
});

test('a worker has its own, and ends it with itself', async () => {
  const azure = await Emulator.start();
  const story = `
    const { parentPort } = require('node:worker_threads');
    const { Emulator } = require('aks-acr-emulator');
    Emulator.start().then(async (azure) => {
      await azure.credential().getToken(azure.origin + '/.default');
      parentPort.postMessage({ caFile: azure.caFile, seen: azure.mark() });
    });`;
  // A worker's code has the folder of the process.
  const worker = new Worker(story, { eval: true });
  const [told] = await Promise.all([
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    new Promise((resolve) => worker.once('exit', resolve)),
  ]);
  assert.equal(told.seen, 1);
  assert.ok(!fs.existsSync(told.caFile));
  assert.equal(await (await Wire.of(azure)).groups(), 200);
  await azure.stop();
});

for (const end of ['', 'process.exit(0)', 'throw new Error("end")']) {
  test(`a process that forgets to stop it ends and leaves no file: ${end || 'end'}`, async () => {
    const story = `
      import { Emulator } from 'aks-acr-emulator';
      const azure = await Emulator.start();
      await azure.credential().getToken(azure.origin + '/.default');
      console.log(azure.caFile);
      ${end}`;
    const done = await run(process.execPath, ['--input-type=module', '-e', story], { timeout: 20_000 }).catch((done) => done);
    assert.ok(!done.killed, 'it does not end by itself');
    assert.match(done.stdout, /ca\.pem/);
    assert.ok(!fs.existsSync(done.stdout.trim()));
  });
}

test('200 starts leave memory and file descriptors as they were', { skip: !fs.existsSync('/proc/self/fd') }, async (t) => {
  const held = () => {
    globalThis.gc?.();
    return {
      files: fs.readdirSync('/proc/self/fd').length,
      threads: fs.readdirSync('/proc/self/task').length,
      memory: process.memoryUsage().rss,
    };
  };
  const times = [];
  const start = async (number) => {
    for (let at = 0; at < number; at += 1) {
      const begun = performance.now();
      const azure = await Emulator.start();
      times.push(performance.now() - begun);
      assert.equal(await (await Wire.of(azure)).groups(), 200);
      await azure.stop();
    }
  };
  await start(100);
  const before = held();
  await start(200);
  const after = held();
  times.sort((one, other) => one - other);
  const size = (bytes) => `${Math.round(bytes / 1024)} KiB`;
  t.diagnostic(`start: median ${times[150].toFixed(1)} ms, longest ${times.at(-1).toFixed(1)} ms`);
  t.diagnostic(`memory after 100 starts ${size(before.memory)}, after 300 ${size(after.memory)}`);
  assert.deepEqual([after.files, after.threads], [before.files, before.threads]);
  // A world is some 100 KiB: 200 of them kept would be seen.
  assert.ok(after.memory - before.memory < 16 * 1024 * 1024, `${before.memory} then ${after.memory}`);
});

test('it shows no secret', async () => {
  const { inspect } = await import('node:util');
  const azure = await Emulator.start({ callers: [{ name: 'ci', secret: 'hush-hush' }] });
  const { token } = await azure.credential('ci').getToken('https://management.azure.com/.default');
  const shown = inspect(azure) + inspect(azure.credential('ci')) + JSON.stringify([azure.requests(), azure.state()]);
  for (const secret of ['hush-hush', azure.clientSecret, token]) assert.ok(!shown.includes(secret));
  await azure.stop();
});
