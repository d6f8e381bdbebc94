// Arguments and results on their way over the border.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import * as aksAcr from 'aks-acr';
import { AksAcrError, Client, VERSION } from 'aks-acr';
import { azureFor, clientOf, lines } from './azure.mjs';

const azure = azureFor();
const CLUSTER = 'group/dev';
const GUID = /^[0-9a-f-]{36}$/;

test('a result has names in camel case and cannot be changed', async () => {
  const identities = await clientOf(azure.emulator).identities(CLUSTER);
  assert.match(identities.kubelet.objectId, GUID);
  assert.equal(identities.localAccountsDisabled, false);
  assert.equal(identities.entra, null);
  assert.ok(Object.isFrozen(identities) && Object.isFrozen(identities.kubelet) && Object.isFrozen(identities.addOns));
  assert.throws(() => (identities.kubelet.objectId = ''), TypeError);
});

test('a plan has a date, reads as a line and what is below it, and survives being stored', async () => {
  const client = clientOf(azure.emulator);
  const plan = await client.planAttach(CLUSTER, 'myregistry');
  assert.ok(plan.expires instanceof Date && plan.expires > new Date());
  const [line, ...below] = String(plan).split('\n');
  assert.equal(line, `+ AcrPull on myregistry for group/dev (kubelet ${plan.principalId.slice(0, 8)}…)`);
  assert.ok(below.includes(`    principal: ${plan.principalId} (the cluster's kubelet identity)`), below.join('\n'));
  assert.ok(below.includes(`    scope: ${plan.registry}`), below.join('\n'));
  assert.deepEqual(plan.action, { kind: 'grant' });
  const text = JSON.stringify(plan);
  assert.equal(JSON.parse(text).principal_id, plan.principalId);
  const attachment = await client.applyAttach(JSON.parse(text));
  assert.deepEqual(attachment.outcome, { kind: 'granted' });
  const again = await client.applyAttach(plan);
  assert.deepEqual(again.outcome, { kind: 'already_granted' });
});

test('a stored plan is read again to be reviewed', async () => {
  const client = clientOf(azure.emulator);
  const plans = { AttachPlan: await client.planAttach(CLUSTER, 'myregistry'), DetachPlan: await client.planDetach(CLUSTER, 'myregistry') };
  for (const [type, plan] of Object.entries(plans)) {
    const read = aksAcr[type].fromJSON(JSON.parse(JSON.stringify(plan)));
    assert.equal(String(read), String(plan));
    assert.deepEqual(read, plan);
    assert.ok(Object.isFrozen(read));
  }
  const wrong = { code: 'invalid_input', message: /^stored: not a plan of type AttachPlan: / };
  for (const stored of [undefined, {}, JSON.parse(JSON.stringify(plans.DetachPlan))]) {
    assert.throws(() => aksAcr.AttachPlan.fromJSON(stored), wrong);
  }
});

test('a copy of a plan, which is only fields, is taken like the plan', async () => {
  const client = clientOf(azure.emulator);
  const plan = await client.planAttach(CLUSTER, 'myregistry', { principalId: '11111111-2222-4333-8444-555555555555' });
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(plan);
  const [sent] = await once(port2, 'message');
  port1.close();
  const copies = [sent, structuredClone(plan), { ...plan }, { ...plan, action: { ...plan.action } }];
  for (const copy of copies) {
    const { principalId } = await client.applyAttach(copy);
    assert.equal(principalId, '11111111-2222-4333-8444-555555555555');
  }
  const { principalId } = plan;
  const back = await client.planDetach(CLUSTER, 'myregistry', { principalId });
  assert.equal(back.remove[0].principalId, principalId);
  assert.equal((await client.applyDetach(structuredClone(back))).removed.length, 1);
  assert.equal((await client.applyDetach({ ...back })).outcome, 'nothing_to_remove');
  await assert.rejects(client.applyDetach({ ...back, expires: new Date(0) }), { code: 'conflict', message: /expired/ });
});

test('what is no plan is refused, and the part is named', async () => {
  const client = clientOf(azure.emulator);
  const stored = (await client.planAttach(CLUSTER, 'myregistry')).toJSON();
  for (const [plan, part] of [
    [undefined, /^plan: .*undefined/],
    ['{}', /^plan: .*string/],
    [{}, /^plan: missing field `version`/],
    [{ ...stored, expires: 'soon' }, /^plan\.expires: /],
    [{ ...stored, cluster: { group: 'a/b', name: 'dev' } }, /^plan\.cluster: /],
  ]) {
    await assert.rejects(client.applyAttach(plan), { code: 'invalid_input', message: part });
  }
});

test('a registry that is not there is null', async () => {
  assert.equal(await clientOf(azure.emulator).registry('otherregistry'), null);
});

test('pods are the table of kubectl, and values', async () => {
  const client = clientOf(azure.emulator);
  const manifest = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: nginx}]}';
  const [applied] = await client.apply(CLUSTER, manifest);
  assert.deepEqual(applied, { kind: 'Pod', name: 'web', namespace: 'default', isNew: true, warnings: [] });
  const pods = await client.pods(CLUSTER);
  assert.ok(pods.at instanceof Date);
  assert.ok(pods.pods[0].created instanceof Date);
  assert.match(String(pods), /^NAME +READY +STATUS +RESTARTS +AGE\nweb /);
  assert.equal(pods.pods[0].name, 'web');
});

test('a kubeconfig tells where it leads and shows its text to who asks for it only', async () => {
  const kubeconfig = await clientOf(azure.emulator).kubeconfig(CLUSTER, { access: 'admin' });
  assert.match(kubeconfig.server, /^https:\/\//);
  assert.match(kubeconfig.context, /^dev/);
  assert.match(kubeconfig.text(), /client-key-data/);
  for (const shown of [inspect(kubeconfig, { showHidden: true }), JSON.stringify(kubeconfig), String(kubeconfig)]) {
    assert.doesNotMatch(shown, /client-key-data|users/);
  }
});

test('a client shows its subscription and its cloud, and nothing of its credential or proxy', () => {
  const credential = { getToken: async () => null, secret: 'hush' };
  const subscriptionId = azure.emulator.subscriptionId;
  const client = new Client({ credential, subscriptionId, proxy: 'http://user:hush@proxy.example:3128' });
  assert.equal(
    inspect(client, { breakLength: 120 }),
    `Client { subscriptionId: '${subscriptionId}', cloud: 'public' }`,
  );
  assert.doesNotMatch(inspect(client, { showHidden: true, depth: 9 }) + JSON.stringify(client), /hush/);
});

test('a wrong argument or option is refused before the first request, and named', async () => {
  const client = clientOf(azure.emulator);
  const mark = await azure.emulator.mark();
  const wrong = (call, message) => assert.rejects(call, { name: 'AksAcrError', code: 'invalid_input', message });
  await wrong(client.attach(), /^cluster: must be a string, not undefined/);
  await wrong(client.attach(CLUSTER, { signal: null }), /^registry: must be a string, not an object/);
  await wrong(client.attach('dev', 'myregistry'), /dev/);
  await wrong(client.attach(CLUSTER, 'x'), /registry name: x/);
  await wrong(client.attach(CLUSTER, 'myregistry', 'fast'), /^options: must be an object/);
  await wrong(client.attach(CLUSTER, 'myregistry', ['fast']), /^options: must be an object/);
  await wrong(client.attach(CLUSTER, 'myregistry', { deadline: 5 }), /deadline.*deadlineMs/);
  await wrong(client.attach(CLUSTER, 'myregistry', { deadlineMs: '5' }), /^options\.deadlineMs: .*string/);
  await wrong(client.attach(CLUSTER, 'myregistry', { deadlineMs: -5 }), /^options\.deadlineMs: .*-5/);
  await wrong(client.attach(CLUSTER, 'myregistry', { deadlineMs: NaN }), /^options\.deadlineMs: .*NaN/);
  await wrong(client.attach(CLUSTER, 'myregistry', { principalId: 'me' }), /^options\.principalId: .*00000000/);
  await wrong(
    client.attach(CLUSTER, 'myregistry', { onInheritedGrant: 'no' }),
    /^options\.onInheritedGrant: .*suffices, grant_directly/,
  );
  await wrong(client.attach(CLUSTER, 'myregistry', { signal: {} }), /^options.signal: /);
  await wrong(client.attach(CLUSTER, 'myregistry', { onProgress: 'log' }), /^options.onProgress: /);
  await wrong(client.apply(CLUSTER, 'a: b', { force: 1 }), /document 1|manifest/);
  await wrong(
    client.apply(CLUSTER, '{apiVersion: v1, kind: Pod, metadata: {name: a}}', { force: 'yes' }),
    /^options\.force: /,
  );
  await wrong(client.waitForRollout(CLUSTER, 'web', { propagation_timeout: 1 }), /propagation_timeout.*propagationTimeoutMs/);
  await wrong(client.createRegistry('group', 'other', { sku: 'basic' }), /^options\.sku: .*Basic, Standard, Premium/);
  assert.deepEqual(await lines(azure.emulator, mark), []);
});

test('what was wanted is said in the words of JavaScript, and no text that was given is repeated', async () => {
  const client = clientOf(azure.emulator);
  const wrong = (call, message) => assert.rejects(call, { name: 'AksAcrError', code: 'invalid_input', message });
  for (const [deadlineMs, found] of [
    ['secret-text', 'a string'],
    [true, 'a boolean'],
    [new Date(), 'an object'],
    [['5'], 'an array'],
  ]) {
    await wrong(client.registry('myregistry', { deadlineMs }), `options.deadlineMs: must be a number, not ${found}`);
  }
  await wrong(client.registry('myregistry', { deadlineMs: () => 5 }), 'options.deadlineMs: must be data, not a function');
  for (const concurrency of [-1, 1.5, NaN, Infinity]) {
    const message = `options.concurrency: must be a whole number from 0, not ${concurrency}`;
    await wrong(client.importImages('myregistry', ['nginx'], { concurrency }), message);
  }
  await wrong(client.createCluster('group/new', { nodeCount: 1.5 }), /^options\.nodeCount: must be a whole number from 0 to 4\d+, not 1\.5$/);
  await wrong(client.importImage('myregistry', 'nginx', { additionalTags: 5 }), 'options.additionalTags: must be an array, not a number');
  await wrong(client.mergeKubeconfig(CLUSTER, { file: 5 }), 'options.file: must be a string, not a number');
  const stored = (await client.planAttach(CLUSTER, 'myregistry')).toJSON();
  for (const [part, message] of [
    [{ expires: 5 }, 'plan.expires: must be a string, not a number'],
    [{ cluster: 'a, expected b' }, 'plan.cluster: must be an object, not a string'],
    [{ action: 'grant' }, 'plan.action: must be an object, not a string'],
    [{ action: { kind: 5 } }, 'plan.action.kind: must be a string, not a number'],
    [{ role: null }, 'plan.role: must be a string, not null'],
    [{ role: 5 }, 'plan.role: must be a string, not a number'],
    [{ role: {} }, 'plan.role: must be a string, not an object'],
    [{ registry: undefined }, 'plan.registry: must be a string, not null or undefined'],
  ]) {
    await wrong(client.applyAttach({ ...stored, ...part }), message);
  }
});

test('an option that is null is none', async () => {
  const client = clientOf(azure.emulator, { proxy: null, readOnly: null, cloud: azure.emulator.clientOptions().cloud });
  const none = { deadlineMs: null, signal: null, onProgress: null };
  assert.equal((await client.registry('myregistry', none)).loginServer, 'myregistry.azurecr.io');
  const run = client.follow.registry('myregistry', none);
  for await (const _ of run);
  assert.equal((await run.result).loginServer, 'myregistry.azurecr.io');
  const detach = { ...none, principalId: null, onlyCreatedByAksAcr: null };
  assert.equal((await client.detach(CLUSTER, 'myregistry', detach)).remaining.length, 0);
  const cluster = { ...none, registries: null, location: null, nodeCount: null, tier: null, sshKey: null, registerProviders: null };
  assert.equal((await client.createCluster(CLUSTER, cluster)).isNew, false);
  assert.deepEqual((await client.attachmentsOfCluster(CLUSTER, { ...none, subscriptions: null })).subscriptions, [azure.emulator.subscriptionId]);
  const many = { ...none, concurrency: null, signal: AbortSignal.abort() };
  const call = client.importImages('myregistry', [{ source: 'nginx', target: null, additionalTags: null }], many);
  await assert.rejects(call, { code: 'cancelled' });
});

test('what an option says arrives', async () => {
  const client = clientOf(azure.emulator);
  const options = { sku: 'Premium', mode: 'AbacRepositoryPermissions', location: 'northeurope', deadlineMs: Infinity };
  const { registry, isNew } = await client.createRegistry('group', 'abacregistry', options);
  const { sku, mode, location } = registry;
  const wanted = { sku: 'Premium', mode: 'AbacRepositoryPermissions', location: 'northeurope', isNew: true };
  assert.deepEqual({ sku, mode, location, isNew }, wanted);
  const attachment = await client.attach(CLUSTER, 'abacregistry', {});
  assert.equal(attachment.role, 'Container Registry Repository Reader');
});

test('a client without what it needs is not made', () => {
  const { subscriptionId } = azure.emulator;
  const credential = azure.emulator.credential();
  const wrong = (settings, message) =>
    assert.throws(
      () => new Client(settings),
      (err) => {
        assert.ok(err instanceof AksAcrError, err);
        assert.equal(err.code, 'invalid_input');
        assert.match(err.message, message);
        return true;
      },
    );
  wrong(undefined, /^settings: /);
  wrong({ credential }, /subscription/);
  wrong({ credential, subscriptionId: 'mine' }, /subscription: mine/);
  wrong({ credential: 'hush', subscriptionId }, /^credential: /);
  wrong({ credential, subscriptionId, cloud: 'moon' }, /cloud: .*public, china, us_government, bleu/);
  wrong(
    { credential, subscriptionId, cloud: { resourceManager: 'http://plain', registrySuffix: '.azurecr.io' } },
    /https/,
  );
  wrong({ credential, subscriptionId, cloud: 5 }, /^settings\.cloud: must be a cloud/);
  const cloud = { resourceManager: 'https://localhost:1', registrySuffix: '.azurecr.io' };
  wrong({ credential, subscriptionId, cloud: { ...cloud, authorityHost: 'https://a' } }, /^settings\.cloud: .*authority/);
  wrong({ credential, subscriptionId, cloud: { ...cloud, authority: 'http://a' } }, /authority/);
  wrong({ credential: null, subscriptionId }, /^credential: /);
  wrong({ credential, subscription: subscriptionId }, /subscription.*subscriptionId/);
  assert.throws(() => Client({ credential, subscriptionId }), TypeError);
});

test('the version is that of the package', async () => {
  const { default: manifest } = await import('aks-acr/package.json', { with: { type: 'json' } });
  assert.equal(VERSION, manifest.version);
});
