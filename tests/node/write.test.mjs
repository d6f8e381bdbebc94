// Who may write: clients that change nothing, the write hook, and the rights that it takes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Client, customRoleJson, requiredRights } from 'aks-acr';
import { SCENE, azureFor, clientOf, lines } from './azure.mjs';

const clusters = ['dev', 'asked', 'refused', 'promised', 'odd', 'many'].map((name) => ({ group: 'group', name }));
const azure = azureFor({ ...SCENE, clusters });

test('a read-only client reads, and sends no write', async () => {
  const client = clientOf(azure.emulator, { readOnly: true });
  const plan = await client.planAttach('group/dev', 'myregistry');
  const mark = await azure.emulator.mark();
  const err = await client.applyAttach(plan).catch((err) => err);
  assert.equal(err.code, 'forbidden');
  assert.equal(err.refusal, 'read_only_client');
  assert.ok((await lines(azure.emulator, mark)).every((line) => line.startsWith('GET ')));
  assert.match(inspect(client), /readOnly: true/);
});

test('the hook sees a write before it is sent', async () => {
  const seen = [];
  const client = clientOf(azure.emulator, { onWrite: (write) => void seen.push(write) });
  await client.attach('group/asked', 'myregistry');
  assert.equal(seen.length, 1);
  const [write] = seen;
  assert.equal(write.service, 'azure');
  assert.equal(write.method, 'PUT');
  assert.equal(write.action, 'Microsoft.Authorization/roleAssignments/write');
  assert.match(String(write), /^PUT \/subscriptions\//);
  // In the words of Azure.
  assert.equal(write.body.properties.principalType, 'ServicePrincipal');
  assert.ok(Object.isFrozen(write) && Object.isFrozen(write.body.properties));
  await client.attach('group/asked', 'myregistry');
  assert.equal(seen.length, 1, 'the second time nothing is written');
});

test('a hook that throws keeps the write from being sent', async () => {
  for (const [thrown, text] of [
    [new Error('not on a Friday'), /not on a Friday/],
    ['never', /never/],
    [Object.create(null), /./],
  ]) {
    const mark = await azure.emulator.mark();
    const onWrite = () => {
      throw thrown;
    };
    const client = clientOf(azure.emulator, { onWrite });
    const err = await client.attach('group/refused', 'myregistry').catch((err) => err);
    assert.equal(err.code, 'forbidden');
    assert.equal(err.refusal, 'write_hook');
    assert.match(err.message, text);
    assert.ok((await lines(azure.emulator, mark)).every((line) => line.startsWith('GET ')));
  }
});

test('a hook that gives false keeps the write from being sent, and whatever else it gives does not', async () => {
  const mark = await azure.emulator.mark();
  const client = clientOf(azure.emulator, { onWrite: ({ action }) => action === null });
  const err = await client.attach('group/refused', 'myregistry').catch((err) => err);
  assert.equal(err.code, 'forbidden');
  assert.equal(err.refusal, 'write_hook');
  assert.match(err.message, /false/);
  assert.ok((await lines(azure.emulator, mark)).every((line) => line.startsWith('GET ')));
  for (const given of [undefined, true, null, 0, '']) {
    const willing = clientOf(azure.emulator, { onWrite: () => given });
    const manifest = `{apiVersion: v1, kind: ConfigMap, metadata: {name: map-${typeof given}}}`;
    assert.equal((await willing.apply('group/many', manifest))[0].isNew, true, String(given));
  }
});

test('a promise is no yes', async () => {
  for (const onWrite of [async () => {}, () => Promise.reject(new Error('too late'))]) {
    const client = clientOf(azure.emulator, { onWrite });
    const err = await client.attach('group/promised', 'myregistry').catch((err) => err);
    assert.equal(err.refusal, 'write_hook');
    assert.match(err.message, /promise/);
  }
});

test('many calls ask the hook at once', async () => {
  let asked = 0;
  const client = clientOf(azure.emulator, { onWrite: () => void (asked += 1) });
  const manifest = (index) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: map${index}}}`;
  await Promise.all(Array.from({ length: 32 }, (_, index) => client.apply('group/many', manifest(index))));
  assert.equal(asked, 32);
});

test('what is no hook is refused', () => {
  const { subscriptionId } = azure.emulator;
  for (const settings of [{ onWrite: 'log' }, { onWrite: null }, { readOnly: 'yes' }]) {
    assert.throws(() => new Client({ subscriptionId, ...settings }), { name: 'AksAcrError', code: 'invalid_input' });
  }
});

test('the rights of operations are data, and a role', () => {
  const rights = requiredRights(['attach', 'planDetach']);
  const write = rights.find(({ action }) => action === 'Microsoft.Authorization/roleAssignments/write');
  assert.equal(write.at, 'registry');
  assert.equal(write.isRequired, true);
  assert.equal(write.smallestRole, 'Role Based Access Control Administrator');
  assert.ok(Object.isFrozen(rights) && Object.isFrozen(write));
  const role = JSON.parse(customRoleJson('attach', [write], ['/subscriptions/s']));
  assert.deepEqual(role.Actions, [write.action]);
  assert.deepEqual(role.AssignableScopes, ['/subscriptions/s']);
  const importing = JSON.parse(customRoleJson('import', requiredRights(['importImage']), ['/subscriptions/s']));
  assert.equal(importing.DataActions.length, 1);
});

test('rights of what is no operation, or that are none, are refused', () => {
  const wrong = (work, message) => assert.throws(work, { name: 'AksAcrError', code: 'invalid_input', message });
  wrong(() => requiredRights(['plan_attach']), /^operations: unknown operation plan_attach; known are .*planAttach/);
  wrong(() => requiredRights('attach'), /^operations: must be an array/);
  wrong(() => requiredRights([5]), /unknown operation 5;/);
  wrong(() => customRoleJson('x', [{ action: 'a/b', isDataAction: false }], []), /^rights: expected a permission that an operation needs \(right: a\/b\)$/);
  wrong(() => customRoleJson('x', [], 'all'), /^assignableScopes: must be an array/);
});

test('every operation has its rights', () => {
  for (const name of Object.getOwnPropertyNames(Client.prototype)) {
    if (['constructor', 'follow', 'pollImport'].includes(name)) continue;
    assert.ok(requiredRights([name]).length > 0, name);
  }
});

test('a detach is planned, stored, and done', async () => {
  const client = clientOf(azure.emulator);
  await client.attach('group/odd', 'myregistry');
  const plan = await client.planDetach('group/odd', 'myregistry');
  assert.match(String(plan), /^- AcrPull on myregistry for group\/odd \(kubelet [0-9a-f]{8}…\)\n {4}does: deletes \/subscriptions\//);
  assert.ok(plan.expires instanceof Date);
  const stored = JSON.parse(JSON.stringify(plan));
  assert.equal(stored.remove[0].principal_id, plan.principalId);
  const { outcome, removed } = await client.applyDetach(stored);
  assert.equal(outcome, 'removed');
  assert.equal(removed[0].role, 'AcrPull');
  assert.equal((await client.applyDetach(plan)).outcome, 'nothing_to_remove');
});
