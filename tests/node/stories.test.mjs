// The stories that run in every language: the same results, error kinds, events and requests.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, requiredRights } from 'aks-acr';
import {
  camelCase,
  canonical,
  canonicalError,
  difference,
  differentLines,
  given,
  operations,
  stories,
} from './contract.mjs';
import { Emulator } from 'aks-acr-emulator';
import { Lines } from './lines.mjs';
import { Told } from './told.mjs';

const told = new Told();
const lines = new Lines();
after(() => told.write());

test('every operation of core is an operation here, and a run, and nothing else is', () => {
  const names = operations.map(({ node }) => node).sort();
  const methods = (prototype) =>
    Object.getOwnPropertyNames(prototype).filter((name) => !['constructor', 'follow'].includes(name));
  assert.deepEqual(methods(Client.prototype).sort(), names);
  const settings = { credential: { getToken() {} }, subscriptionId: '00000000-0000-0000-0000-000000000000' };
  assert.deepEqual(methods(Object.getPrototypeOf(new Client(settings).follow)).sort(), names);
});

for (const story of stories) {
  test(`${story.name}: ${story.about}`, async () => {
    const { scene, caller, timing, clock, faults = [], orders = [], steps } = story;
    const emulator = await Emulator.start({ scene, timing, clock });
    const folder = mkdtempSync(join(tmpdir(), 'aks-acr-story-'));
    try {
      for (const { part, ...fault } of faults) await emulator.fault(part, fault);
      for (const order of orders) obey(emulator, order);
      const settings = { credential: emulator.credential(caller), subscriptionId: emulator.subscriptionId };
      const client = new Client({ ...settings, ...emulator.clientOptions() });
      const kept = new Map();
      for (const [index, step] of steps.entries()) {
        const wrong = await tell(step, client, emulator, kept, folder);
        assert.equal(wrong, undefined, `step ${index + 1} (${step.call}): ${wrong}`);
      }
    } finally {
      await emulator.stop();
      rmSync(folder, { recursive: true });
    }
  });
}

test('every result, and whatever is in one, reads as a line or a table', () => {
  lines.check(requiredRights(['attach']), 'rights');
  // No story has one; the types of errors are those of error.test.mjs.
  const elsewhere = ['AddOnIdentity', 'AksAcrError', 'DenyingPolicy', 'EligibleRole', 'EntraSettings', 'ReplacedAssignment', 'Write'];
  assert.deepEqual(
    lines.unseen().filter((type) => !elsewhere.includes(type)),
    [],
  );
});

/** Orders what a story orders besides its faults. */
function obey(emulator, { order, ...told }) {
  if (order === 'policy') return emulator.policy(told.name, told.resourceType, told.scope);
  if (order === 'deny_assignment') return emulator.denyAssignment(told.name, told.actions, told.scope, { butFor: told.butFor });
  if (order === 'sign_in') return emulator.signIn(told.caller, { blocked: told.blocked });
  if (order === 'subnet') return emulator.subnet(told.group, told.network, told.name, told.prefix);
  if (order === 'capacity') return emulator.capacity(told.region, { cores: told.cores });
  if (order === 'timing') return emulator.timing(told);
  if (order === 'grant') return emulator.grant(told.role, told.scope, { caller: told.caller, principal: told.principal });
  if (order === 'egress') return emulator.egress(told.group, told.cluster, told.host, { allowed: told.allowed });
  if (order === 'inspection') return emulator.inspection(told.group, told.cluster, told.host, { inspected: told.inspected });
  if (order === 'lose_content') return emulator.loseContent(told.group, told.cluster, told.node, told.image);
  if (order === 'key') return emulator.key(told.group, told.registry, { accessible: told.accessible });
  if (order === 'disk') return emulator.disk(told.group, told.cluster, told.pool, told.bytes);
  if (order === 'push_image') return emulator.pushImage(told.name, { platforms: told.platforms });
  if (order === 'load') {
    return emulator.load(told.group, told.registry, told.principal, { readsPerMinute: told.readsPerMinute, seconds: told.seconds });
  }
  throw new Error(`there is no order ${order}`);
}

/** The IDs of all findings in a result. */
function foundIn(value) {
  if (value === null || typeof value !== 'object') return [];
  const own = 'next_step' in value && 'id' in value ? [value.id] : [];
  return own.concat(Object.values(value).flatMap(foundIn));
}

/** Makes the call of a step, and says what was not as the story has it. */
async function tell(step, client, emulator, kept, folder) {
  const mark = await emulator.mark();
  const { result, err, events } = await call(step, client, kept, folder);
  if (step.keep && !err) kept.set(step.keep, JSON.parse(JSON.stringify(result)));
  if (err) {
    if (!step.fails) return `failed: ${err.stack}`;
    if (err.pullFailure) lines.check(err.pullFailure, step.call);
    const wrong = difference('fails', step.fails, canonicalError(err), { more: true });
    if (wrong) return wrong;
    // Options are named as they are written in this language.
    const unsaid = (step.says ?? []).find((part) => !err.message.includes(part) && !err.message.includes(camelCase(part)));
    if (unsaid) return `does not say ${unsaid}, but ${err.message}`;
  } else {
    if (step.fails) return `gave ${JSON.stringify(result)}`;
    told.add(step.call, result, events);
    lines.check(result, step.call);
    lines.check(events, step.call);
    const missing = (step.finds ?? []).find((id) => !foundIn(canonical(result)).includes(id));
    if (missing !== undefined) return `does not find ${missing}: ${result}`;
    const wrong = 'gives' in step && difference('gives', step.gives, canonical(result));
    if (wrong) return wrong;
  }
  const wrong = step.events && difference('events', step.events, events.map(canonical));
  return wrong || (step.requests && differentLines(step.requests, await requests(emulator, mark))) || undefined;
}

async function call({ call, args, cancel, follow }, client, kept, folder) {
  const [first, options] = given(call, args, kept, folder);
  const controller = new AbortController();
  if (cancel === 'before') controller.abort();
  const events = [];
  const hear = (event) => {
    events.push(event);
    if (cancel === 'on_event') controller.abort();
  };
  const { signal } = controller;
  try {
    if (!follow)
      return { result: await client[camelCase(call)](...first, { ...options, signal, onProgress: hear }), events };
    const run = client.follow[camelCase(call)](...first, { ...options, signal });
    for await (const event of run) hear(event);
    return { result: await run.result, events };
  } catch (err) {
    return { err, events };
  }
}

/** What the client asked, Entra left out: each language brings its own credentials. */
async function requests(emulator, since) {
  const ours = (await emulator.requests({ since })).filter(
    ({ sender, service }) => sender === 'client' && service !== 'entra',
  );
  return ours.map(({ method, host, path, query, status }) => {
    return `${method} ${host}${path}${query === '' ? '' : `?${query}`} ${status ?? '-'}`;
  });
}
