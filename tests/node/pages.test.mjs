// The examples of the pages below `docs/` run, each on its own Azure.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Report } from 'aks-acr';
import { Emulator } from 'aks-acr-emulator';
import { clientOf } from './azure.mjs';
import * as examples from '../docs/examples.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const OPERATIONS = JSON.parse(read('../contract/operations.json'));
const MANIFESTS = read('../../examples/acr-nginx.yaml');
const WEB = MANIFESTS.replaceAll(/nginx0-deployment|nginx0/g, 'web');
const sceneFor = (operation) => ({
  clusters: [{ group: 'my-group', name: 'my-cluster' }],
  registries: [{ group: 'my-group', name: 'myregistry' }],
  images: ['docker.io/library/nginx:latest', 'myregistry.azurecr.io/app:v1', ...(/^(apply|explain|waitForRollout|pods)$/.test(operation) ? ['myregistry.azurecr.io/nginx:v1'] : [])].map((name) => ({
    name,
    platforms: ['linux/amd64'],
  })),
});

/** A client of an Azure whose roles are effective at once: the example of a page does not wait for them. */
const atOnce = (client) =>
  new Proxy(client, {
    get(target, name) {
      if (name === 'applyModeChange') return (plan, options) => target.applyModeChange(plan, { propagationTimeMs: 0, ...options });
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

for (const node of [...OPERATIONS.map((one) => one.node), 'checkPrincipal', 'checkAddresses', 'storedReport']) {
  test(`the example of ${node} runs`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aks-acr-pages-'));
    const emulator = await Emulator.start({ scene: sceneFor(node), clock: 50 });
    try {
      const client = clientOf(emulator);
      if (!/^(attach|planAttach|applyAttach)$/.test(node)) await client.attach('my-group/my-cluster', 'myregistry');
      if (/^(explain|waitForRollout|pods)$/.test(node)) await client.apply('my-group/my-cluster', WEB, { registry: 'myregistry' });
      const mark = await emulator.mark();
      const more = { apply: [WEB], mergeKubeconfig: [join(folder, 'config')], storedReport: [{ Report }] }[node] ?? [];
      await examples[node](atOnce(client), ...more);
      assert.notEqual((await emulator.requests({ since: mark })).length, 0);
    } finally {
      await emulator.stop();
      rmSync(folder, { recursive: true });
    }
  });
}
