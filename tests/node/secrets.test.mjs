// No secret is shown: a run with failures, of which everything is asked that it can be asked to show.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect, promisify } from 'node:util';
import { Client, RegistryToken } from 'aks-acr';
import { Emulator } from 'aks-acr-emulator';
import { SCENE } from './azure.mjs';

const MANIFESTS = `
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: secret-of-a-manifest}
`;

/** What must be seen nowhere, in each form in which it could be shown. */
class Secrets {
  forms = new Set();

  add(secret) {
    const parts = secret.includes('.') ? secret.split('.').filter((part) => part.length > 9) : [];
    for (const part of [secret, ...parts]) {
      const encoded = Buffer.from(part).toString('base64').replace(/=+$/, '');
      for (const form of [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1), encoded]) this.forms.add(form);
    }
  }

  addKubeconfig(text) {
    for (const [, secret] of text.matchAll(/(?:client-key-data|token|password): (\S+)/g)) this.add(secret);
  }

  foundIn(text) {
    return [...this.forms].filter((form) => text.includes(form));
  }
}

/** A credential that remembers what it gave, and shows it. */
class Careless {
  given = [];
  #inner;
  #secrets;

  constructor(inner, secrets) {
    this.#inner = inner;
    this.#secrets = secrets;
  }

  async getToken(...asked) {
    const token = await this.#inner.getToken(...asked);
    this.#secrets.add(token.token);
    this.given.push(token.token);
    return token;
  }
}

/** Everything that a value can be asked to show. */
function shown(value) {
  const parts = [inspect(value, { depth: 12, showHidden: true, getters: true }), String(value)];
  if (value instanceof Error) {
    parts.push(value.stack, JSON.stringify(value), JSON.stringify(Object.getOwnPropertyNames(value).map((name) => String(value[name]))));
    if (value.cause) parts.push(shown(value.cause));
  }
  return parts.join('\n');
}

/** An image pull secret, with its plan. */
async function pullSecret(client, password) {
  const credentials = [{ registry: 'ghcr.io', username: 'robot', password }];
  const plan = await client.planPullSecret('group/dev', 'ghcr', credentials);
  return { plan, json: JSON.stringify(plan), done: await client.applyPullSecret(plan, credentials) };
}

async function story(client, secrets, folder) {
  const told = [shown(client)];
  const [password, token] = ['password-of-the-source', 'eyJhIjoibm9uZSJ9.eyJ0b2tlbiI6Im9mIHRoZSBzb3VyY2UifQ.bm90aGluZw'];
  for (const secret of [password, token, 'secret-of-a-manifest']) secrets.add(secret);
  const works = [
    () => client.registry('myregistry'),
    () => client.attach('group/dev', 'myregistry'),
    () => client.registryToken('myregistry'),
    () => client.importImage('myregistry', 'nginx', { target: 'nginx:v3' }),
    () => client.importImage('myregistry', 'nginx', { target: 'nginx:v4', username: 'reader', password, deadlineMs: 3000 }),
    () => client.importImage('myregistry', 'nginx', { target: 'nginx:v4', password: token, deadlineMs: 3000 }),
    () => client.kubeconfig('group/dev', { access: 'admin' }),
    () => client.mergeKubeconfig('group/dev', { file: join(folder, 'config') }),
    () => client.apply('group/dev', MANIFESTS),
    () => pullSecret(client, password),
    () => client.pods('group/dev'),
    () => client.explain('group/dev'),
    () => client.identities('group/absent'),
    () => client.detach('group/dev', 'myregistry'),
  ];
  for (const work of works) {
    try {
      const result = await work();
      told.push(shown(result));
      if (result instanceof RegistryToken) secrets.add(result.password());
      if (result?.text?.includes?.('kind: Config')) {
        // A kubeconfig's text is the secret itself: only that may show it.
        secrets.addKubeconfig(result.text);
        told.splice(-1, 1, inspect(result));
      }
    } catch (err) {
      told.push(shown(err));
    }
  }
  return told;
}

const FAULTS = {
  'all goes well': undefined,
  'the sign-in is refused': ['/oauth2/', { method: 'POST', status: 401, times: 1000 }],
  'Azure knows no caller': ['/subscriptions/', { status: 401, times: 1000 }],
  'Azure refuses': ['/subscriptions/', { method: 'PUT', status: 403, times: 1000 }],
  'the cluster refuses': ['azmk8s.io', { status: 401, times: 1000 }],
};

for (const [name, fault] of Object.entries(FAULTS)) {
  test(`no result and no error shows a secret: ${name}`, async () => {
    const azure = await Emulator.start({ scene: SCENE });
    const folder = await mkdtemp(join(tmpdir(), 'aks-acr-secrets-'));
    try {
      if (fault) await azure.fault(...fault);
      const secrets = new Secrets();
      secrets.add(azure.clientSecret);
      const credential = new Careless(azure.credential(), secrets);
      const client = new Client({ credential, subscriptionId: azure.subscriptionId, ...azure.clientOptions() });
      const told = await story(client, secrets, folder);
      assert.equal(told.length, 15);
      assert.deepEqual(secrets.foundIn(told.join('\n')), []);
    } finally {
      await rm(folder, { recursive: true });
      await azure.stop();
    }
  });
}

const PROGRAM = `
import { inspect } from 'node:util';
import { Client } from 'aks-acr';
for (const settings of JSON.parse(process.env.SETTINGS)) {
  try {
    const client = new Client(settings);
    console.log(inspect(client, { depth: 9, showHidden: true }));
    await client.registry('myregistry', { deadlineMs: 2000 });
  } catch (err) {
    console.log(inspect(err, { depth: 9, showHidden: true }), err.stack);
  }
}
await new Client(JSON.parse(process.env.SETTINGS)[0]).registry('myregistry');
`;

test('a program that fails at the most verbose level shows no secret of its environment or its proxy', async () => {
  const azure = await Emulator.start({ scene: SCENE });
  try {
    const password = 'p@ss:word of a proxy';
    const secrets = new Secrets();
    for (const secret of [password, 'a-secret-that-is-wrong']) secrets.add(secret);
    const own = { subscriptionId: azure.subscriptionId, ...azure.clientOptions() };
    const settings = [own, { ...own, proxy: `http://user:${encodeURIComponent(password)}@127.0.0.1:1` }, { ...own, proxy: `ftp://user:${password}@host` }];
    const env = {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      // Whatever could make something talk.
      NODE_DEBUG: '*',
      RUST_LOG: 'trace',
      RUST_BACKTRACE: 'full',
      AZURE_LOG_LEVEL: 'verbose',
      AZURE_TENANT_ID: azure.tenantId,
      AZURE_CLIENT_ID: azure.clientId,
      AZURE_CLIENT_SECRET: 'a-secret-that-is-wrong',
      SETTINGS: JSON.stringify(settings),
    };
    const cwd = new URL('.', import.meta.url);
    const done = promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], { env, cwd, maxBuffer: 1 << 28 });
    const err = await done.then(() => assert.fail('the last call succeeded'), (err) => err);
    const told = err.stdout + err.stderr;
    assert.match(told, /AADSTS7000215/);
    assert.deepEqual(secrets.foundIn(told), []);
  } finally {
    await azure.stop();
  }
});

test('a leak that is made on purpose is found', () => {
  const secrets = new Secrets();
  secrets.add('eyJhbGciOiJub25l.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl');
  secrets.add('p@ss:word of a proxy');
  secrets.addKubeconfig('users:\n    token: kubeconfigs-own-token\n');
  for (const leak of ['payload eyJzdWIiOiJzb21lYm9keSJ9', 'http://user:p%40ss%3Aword%20of%20a%20proxy@host', 'kubeconfigs-own-token']) {
    assert.notDeepEqual(secrets.foundIn(shown(new Error('outer', { cause: new Error(leak) }))), [], leak);
  }
  assert.deepEqual(secrets.foundIn('Bearer [redacted]'), []);
});
