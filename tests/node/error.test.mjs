// Errors as they arrive in JavaScript.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AksAcrError, Report } from 'aks-acr';
import { azureFor, clientOf } from './azure.mjs';

const azure = azureFor();

test('a refusal tells what is missing, where, and which role has it', async () => {
  const client = clientOf(azure.emulator, { caller: 'reader' });
  const err = await client.attach('group/dev', 'myregistry').catch((err) => err);
  assert.ok(err instanceof AksAcrError && err instanceof Error);
  assert.equal(err.code, 'forbidden');
  assert.equal(err.status, 403);
  assert.equal(err.serviceCode, 'AuthorizationFailed');
  assert.equal(err.missingAction, 'Microsoft.Authorization/roleAssignments/write');
  assert.match(err.scope, /\/registries\/myregistry$/);
  assert.equal(err.smallestRole, 'Role Based Access Control Administrator');
  assert.match(err.requestId, /^[0-9a-f-]{36}$/);
  assert.match(err.correlationId, /^[0-9a-f-]{36}$/);
});

test('an error reads well, and holds no field that nobody knows', async () => {
  const err = await clientOf(azure.emulator)
    .identities('group/nope')
    .catch((err) => err);
  assert.equal(err.name, 'AksAcrError');
  assert.deepEqual(Object.keys(err), ['code', 'isTransient', 'correlationId', 'requestId', 'serviceCode', 'status']);
  const text = inspect(err);
  assert.match(text, /^AksAcrError: no such cluster .*nope/);
  assert.match(text, /code: 'not_found',\n {2}isTransient: false,\n {2}correlationId: /);
  assert.match(text, /error\.test\.mjs/, 'the stack leads to the caller');
});

test('one class serves both kinds of modules', async () => {
  const required = createRequire(import.meta.url)('aks-acr');
  assert.equal(required.AksAcrError, AksAcrError);
  const client = new required.Client({
    credential: azure.emulator.credential(),
    subscriptionId: azure.emulator.subscriptionId,
    ...azure.emulator.clientOptions(),
  });
  await assert.rejects(client.identities('group/nope'), AksAcrError);
});

test('a pull that fails comes with its cause', async () => {
  const client = clientOf(azure.emulator);
  const manifest = JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'myregistry.azurecr.io/nginx:v1' }] },
      },
    },
  });
  await client.apply('group/dev', manifest);
  const err = await client.waitForRollout('group/dev', 'web').catch((err) => err);
  assert.equal(err.code, 'pull_failed');
  const { id, retry, nextStep, host, retryAt } = err.pullFailure.finding;
  assert.deepEqual([id, retry, host, retryAt], ['grant.missing', 'never', 'myregistry.azurecr.io', null]);
  assert.equal(nextStep.operation, 'attach');
  assert.match(String(err.pullFailure.finding), /it lacks AcrPull \[grant\.missing\]$/);
  assert.equal(err.pullFailure.image, 'myregistry.azurecr.io/nginx:v1');
  const [pod] = (await client.pods('group/dev')).pods;
  assert.equal(pod.pullFailure.reason, err.pullFailure.reason);
});

test('a report is a gate, and can be shown to others', async () => {
  const client = clientOf(azure.emulator);
  const report = await client.check('group/dev', 'myregistry', { image: 'nginx:v1' });
  assert.throws(
    () => report.require(),
    (err) => {
      assert.ok(err instanceof AksAcrError);
      assert.equal(err.code, 'pull_failed');
      assert.deepEqual([err.finding, err.report], [report.findings[0], report]);
      assert.match(err.finding.docs, /\/docs\/findings\/grant\.missing\.md$/);
      assert.ok(err.message.includes(err.finding.docs) && String(report).includes(err.finding.docs));
      return true;
    },
  );
  const redacted = report.redacted();
  assert.deepEqual([redacted.verdict, redacted.rootCause], [report.verdict, 'grant.missing']);
  for (const form of [JSON.stringify(redacted), String(redacted), redacted.toHTML(), redacted.redacted().toHTML()]) {
    assert.ok(!form.includes('myregistry') && !form.includes(report.cluster.split('/')[2]), form);
  }
  assert.match(redacted.toHTML(), /^<table>.*<\/table>$/);
  const explanation = (await client.explain('group/dev')).redacted();
  assert.equal(explanation.rootCause, 'grant.missing');
  assert.ok(!JSON.stringify(explanation).includes('myregistry') && !explanation.toHTML().includes('myregistry'));
  await client.attach('group/dev', 'myregistry');
  assert.equal((await client.check('group/dev', 'myregistry')).require(), undefined);
});

test('a stored report is diagnosed again without a request, wherever it was stored', async () => {
  const report = await clientOf(azure.emulator).check('group/dev', 'myregistry', { image: 'nginx:v1', kubernetes: 'always' });
  const mark = azure.emulator.mark();
  assert.deepEqual(report.replayed(), report);
  const stored = Report.fromJSON(JSON.parse(JSON.stringify(report)));
  assert.deepEqual(stored, report);
  assert.deepEqual(stored.replayed(), report);
  assert.equal(String(stored), String(report));
  assert.deepEqual(azure.emulator.requests({ since: mark }), []);
  for (const version of [0, 2, 99]) {
    const other = { ...JSON.parse(JSON.stringify(report)), version };
    assert.throws(() => Report.fromJSON(other), { code: 'invalid_input', message: new RegExp(`version ${version} is unknown`) });
  }
  assert.throws(() => Report.fromJSON({ verdict: 'can_pull' }), { code: 'invalid_input', message: /not a result of type Report/ });
  assert.throws(() => Report.fromJSON({ ...JSON.parse(JSON.stringify(report)), facts: null }).replayed(), {
    code: 'invalid_input',
    message: /facts/,
  });
});

test('a wait beyond the deadline is told in milliseconds', async () => {
  const trouble = { status: 429, headers: { 'retry-after': '600' }, times: 9 };
  await azure.emulator.fault('/managedClusters/dev', trouble);
  const err = await clientOf(azure.emulator)
    .identities('group/dev', { deadlineMs: 60_000 })
    .catch((err) => err);
  assert.equal(err.code, 'rate_limited');
  assert.equal(err.retryAfterMs, 600_000);
});
