// What the README shows is run: as one program, word for word, as the public cloud through the emulator's proxy.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { azureFor } from './azure.mjs';

const azure = azureFor(
  {
    clusters: [{ group: 'my-group', name: 'my-cluster' }],
    registries: [{ group: 'my-group', name: 'myregistry' }],
    images: [{ name: 'docker.io/library/nginx:latest', platforms: ['linux/amd64'] }],
  },
  { clock: 50 },
);
const first = azureFor({
  clusters: [{ group: 'my-group', name: 'my-cluster' }],
  registries: [{ group: 'my-group', name: 'myregistry' }],
});

/** What a program finds around it that takes the emulator for the public cloud. */
function environment(emulator) {
  return {
    PATH: process.env.PATH,
    AZURE_SUBSCRIPTION_ID: emulator.subscriptionId,
    AZURE_TENANT_ID: emulator.tenantId,
    AZURE_CLIENT_ID: emulator.clientId,
    AZURE_CLIENT_SECRET: emulator.clientSecret,
    HTTPS_PROXY: emulator.proxy,
    NODE_EXTRA_CA_CERTS: emulator.caFile,
    SSL_CERT_FILE: emulator.caFile,
  };
}

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

test("the emulator's front page is true of this package", async () => {
  const blocks = [...read('../emulator/node/README.md').matchAll(/^```js aks-acr\n(.*?)^```/gms)].map(([, text]) => text);
  assert.equal(blocks.length, 1);
  const program = new URL('front_page.generated.mjs', import.meta.url);
  writeFileSync(program, blocks[0]);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program.pathname], { timeout: 60_000 });
    assert.equal(stdout, '1\n');
  } finally {
    rmSync(program);
  }
});

for (const [page, fence] of [['../../bindings-node/README.md', 'js emulator'], ['../../docs/testing.md', 'js']]) {
  test(`the test in ${page} passes`, async () => {
    const [, text] = read(page).match(new RegExp(`^\`\`\`${fence}\n(.*?)^\`\`\``, 'ms'));
    const program = new URL(`${page.replace(/\W/g, '')}.generated.mjs`, import.meta.url);
    writeFileSync(program, text);
    try {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      await promisify(execFile)(process.execPath, [program.pathname], { env, timeout: 60_000 });
    } finally {
      rmSync(program);
    }
  });
}

test('the program on the first page runs', async () => {
  const [, text] = read('../../README.md').match(/^```js\n(.*?)^```/ms);
  const program = new URL('first_page.generated.mjs', import.meta.url);
  writeFileSync(program, text);
  try {
    const env = environment(first.emulator);
    const { stdout } = await promisify(execFile)(process.execPath, [program.pathname], { env, timeout: 60_000 });
    assert.match(stdout, /^\+ AcrPull on myregistry for my-group\/my-cluster/);
    assert.match(stdout, /^granted$/m);
  } finally {
    rmSync(program);
  }
});

test("the README's program runs, and prints what it says", async () => {
  const { emulator } = azure;
  const readme = read('../../bindings-node/README.md');
  const blocks = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, text]) => text);
  assert.ok(blocks.length >= 5);
  const program = new URL('readme.generated.mjs', import.meta.url);
  writeFileSync(program, blocks.join('\n'));
  const env = environment(emulator);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program.pathname], { env, timeout: 120_000 });
    const promised = [...readme.matchAll(/console\.log\(.*\); \/\/ (\S+)/g)].map(([, word]) => word);
    const words = ['+', 'granted', 'already_granted', '1', 'true', 'Succeeded', 'not_found'];
    assert.deepEqual(
      promised.filter((word) => words.includes(word)),
      words,
    );
    const lines = stdout.split('\n').map((line) => line.split(' ')[0]);
    for (const word of words) assert.ok(lines.includes(word), `${word} in\n${stdout}`);
    assert.match(stdout, /^NAME +READY +STATUS/m);
    assert.match(stdout, /^Rollout \(2\/2 ready\) \{ ready: 2, wanted: 2 \}$/m);
  } finally {
    rmSync(program);
  }
});
