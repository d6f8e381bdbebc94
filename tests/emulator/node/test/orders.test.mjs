// What an emulator starts with, and what a test changes and looks at while it runs.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { Emulator, EmulatorError } from 'aks-acr-emulator';
import { Wire } from './wire.mjs';

const IMAGE = 'myregistry.azurecr.io/app:1';

let azure;
beforeEach(async () => {
  azure = await Emulator.start({
    scene: {
      registries: [{ group: 'group', name: 'myregistry' }],
      clusters: [{ group: 'group', name: 'dev' }],
      images: [{ name: IMAGE }],
    },
    callers: [{ name: 'ci', secret: 'hush' }],
  });
});
afterEach(() => azure.stop());

test('a scene is there at the start', async () => {
  assert.equal(azure.clientOf('ci').clientSecret, 'hush');
  assert.ok(azure.kubeletObjectId('group', 'dev'));
  assert.ok(azure.digest(IMAGE));
  assert.equal(azure.digest('docker.io/library/nginx:latest'), undefined);
});

test('a registry outside lets in whom the scene names', async () => {
  const scene = {
    upstreams: [{ host: 'ghcr.io', users: [{ name: 'robot', password: 'word' }], challenge: 'both' }],
    images: [{ name: 'ghcr.io/team/app:1' }],
  };
  const own = await Emulator.start({ scene });
  assert.ok(own.digest('ghcr.io/team/app:1'));
  await own.stop();
});

test('what is not understood is named', async () => {
  for (const [options, named] of [
    [{ scene: { registrys: [] } }, /^scene\.registrys: unknown field/],
    [{ scene: { registries: [{ group: 'g', name: 'n', skew: 'x' }] } }, /^scene\.registries\[0\]\.skew/],
    [{ scene: { upstreams: [{ host: 'ghcr.io', challenge: 'riddle' }] } }, /challenge of ghcr\.io/],
    [{ callers: [{ name: 'ci', roles: [{ role: 'Sorcerer' }] }] }, /role Sorcerer does not exist/],
    [{ timing: { propagatoin: 1 } }, /propagatoin/],
    [{ latency: 5 }, /latency/],
    [{ clock: 0 }, /1 to 100000/],
  ]) {
    await assert.rejects(Emulator.start(options), (fault) => {
      assert.ok(fault instanceof EmulatorError && fault instanceof Error);
      assert.match(fault.message, named);
      return fault.code === 'Invalid';
    });
  }
  assert.throws(() => new Emulator(), TypeError);
});

test('a fault is met as often as it was said and then no more', async () => {
  const wire = await Wire.of(azure);
  azure.fault('resourcegroups', { method: 'GET', status: 429, headers: { 'retry-after': '2' }, times: 2 });
  const met = [];
  for (let at = 0; at < 3; at += 1) met.push(await wire.groups());
  assert.deepEqual(met, [429, 429, 200]);
  azure.fault('resourcegroups', { reset: true });
  await assert.rejects(wire.groups());
  assert.equal(await wire.groups(), 200);
});

test('requests that are late overlap', async () => {
  const wire = await Wire.of(azure);
  const since = azure.mark();
  azure.fault('resourcegroups', { delayMs: 300 });
  const late = wire.groups();
  while (azure.mark() === since) await new Promise(setImmediate);
  await wire.groups();
  await late;
  const [first, second] = azure.requests({ since });
  assert.ok(first.ended > second.ended);
  assert.equal(azure.summary({ since }).depth, 1);
});

test('the log says who asked for what', async () => {
  const wire = await Wire.of(azure);
  const since = azure.mark();
  const made = `/subscriptions/${azure.subscriptionId}/resourceGroups/made`;
  await wire.arm('PUT', made, { body: { location: 'westeurope' }, version: '2022-09-01' });
  const [{ started, ended, ...request }] = azure.requests({ since });
  assert.ok(started < ended);
  assert.deepEqual(request, {
    service: 'arm',
    method: 'PUT',
    host: 'management.azure.com',
    path: made,
    query: 'api-version=2022-09-01',
    status: 201,
    caller: 'owner',
    sender: 'client',
    write: true,
    fault: null,
  });
  assert.deepEqual(azure.summary({ since }), { count: 1, depth: 1, writes: 1, tokens: 0 });
});

test('a storm lets requests meet faults by chance, until it ends', async () => {
  const wire = await Wire.of(azure);
  // Some faults are silence.
  const look = () => {
    const signal = AbortSignal.timeout(500);
    return wire.arm('GET', azure.registryId('group', 'myregistry'), { signal }).catch((err) => err);
  };
  const since = azure.mark();
  azure.storm(1, { seed: 7 });
  for (let at = 0; at < 5; at += 1) await look();
  azure.storm(0);
  // The token may be one of those that expired in the storm.
  const calm = await Wire.of(azure);
  assert.equal((await calm.arm('GET', azure.registryId('group', 'myregistry'))).status, 200);
  const faults = azure.requests({ since }).map((one) => one.fault);
  assert.equal(faults.at(-1), null);
  assert.ok(faults.some((fault) => fault !== null), String(faults));
});

test('what may be asked in an hour is limited as in Azure, on request', async () => {
  const wire = await Wire.of(azure);
  const look = () => wire.arm('GET', azure.registryId('group', 'myregistry'));
  azure.throttle();
  let last = await look();
  for (let at = 0; at < 3000 && last.status === 200; at += 1) last = await look();
  azure.throttle(false);
  assert.equal(last.status, 429);
  assert.equal((await look()).status, 200);
});

test('a grant has its effect and loses it', async () => {
  const wire = await Wire.of(azure, 'ci');
  const registry = azure.registryId('group', 'myregistry');
  const status = async () => (await wire.arm('GET', registry)).status;
  assert.equal(await status(), 403);
  const name = azure.grant('Reader', registry, { caller: 'ci' });
  assert.equal(await status(), 200);
  assert.ok(azure.state().roleAssignments.some((one) => one.name === name));
  azure.revoke(name);
  assert.equal(await status(), 403);
  azure.grant('Reader', registry, { principal: azure.objectId('ci') });
  assert.equal(await status(), 200);
});

test('policies, deny assignments and conditional access refuse', async () => {
  const wire = await Wire.of(azure, 'owner');
  const scope = `/subscriptions/${azure.subscriptionId}`;
  azure.policy('no-registries', 'Microsoft.ContainerRegistry/registries', scope);
  const body = { location: 'westeurope', sku: { name: 'Basic' } };
  assert.equal((await wire.arm('PUT', azure.registryId('group', 'other'), { body })).status, 403);
  azure.denyAssignment('stack', ['*/delete'], scope, { butFor: ['ci'] });
  assert.equal((await wire.arm('DELETE', azure.registryId('group', 'myregistry'))).status, 403);
  azure.signIn('owner', { blocked: true });
  await assert.rejects(azure.credential().getToken('https://graph.microsoft.com/.default'), { code: 'NoToken' });
  azure.signIn('owner', { blocked: false });
  assert.ok(await azure.credential().getToken('https://graph.microsoft.com/.default'));
});

test('a provider may be unregistered', async () => {
  const scene = { unregistered: ['Microsoft.ContainerRegistry'], groups: [{ name: 'group', location: 'westeurope' }] };
  const own = await Emulator.start({ scene });
  try {
    const body = { location: 'westeurope', sku: { name: 'Basic' } };
    const wire = await Wire.of(own, 'owner');
    assert.equal((await wire.arm('PUT', own.registryId('group', 'other'), { body })).status, 409);
  } finally {
    await own.stop();
  }
});

test('what is not there is told from what is no order', () => {
  const scope = azure.registryId('group', 'myregistry');
  for (const missing of [
    () => azure.grant('Sorcerer', scope, { caller: 'ci' }),
    () => azure.revoke('nothing'),
    () => azure.denyAssignment('stack', ['*'], scope, { butFor: ['nobody'] }),
    () => azure.signIn('nobody', { blocked: true }),
    () => azure.deleteImage('myregistry.azurecr.io/none:1'),
    () => azure.node('group', 'none', 'aks-0'),
    () => azure.egress('group', 'none', '*.blob.core.windows.net', { allowed: false }),
    () => azure.disk('group', 'dev', 'none', 0),
    () => azure.inspection('group', 'none', '*.azurecr.io', { inspected: true }),
    () => azure.loseContent('group', 'dev', 'aks-nodepool1-0', 'myregistry.azurecr.io/none:1'),
    () => azure.key('group', 'none', { accessible: false }),
    () => azure.load('group', 'none', 'x', { readsPerMinute: 1, seconds: 1 }),
    () => azure.credential('nobody'),
    () => azure.objectId('nobody'),
    () => azure.kubeletObjectId('group', 'none'),
    () => azure.timing('slow'),
  ]) {
    assert.throws(missing, { name: 'EmulatorError', code: 'Missing' }, String(missing));
  }
  for (const unclear of [
    () => azure.grant('Reader', scope),
    () => azure.advance(-1),
    () => azure.clock(0),
    () => azure.fault('x', { tims: 1 }),
    () => azure.timing({ propagatoin: 1 }),
  ]) {
    assert.throws(unclear, { name: 'EmulatorError', code: 'Invalid' }, String(unclear));
  }
});

test('what takes minutes ends by a clock that is put forward, or is fast', async () => {
  const wire = await Wire.of(azure);
  azure.timing('typical', { latency: 0, registry: 300 });
  const wait = async (name, pass) => {
    const body = { location: 'westeurope', sku: { name: 'Basic' } };
    assert.equal((await wire.arm('PUT', azure.registryId('group', name), { body })).status, 201);
    const state = async () => (await wire.arm('GET', azure.registryId('group', name))).body.properties.provisioningState;
    assert.notEqual(await state(), 'Succeeded');
    pass();
    // Each look takes a millisecond at least, and so ten seconds of the fast clock.
    for (let looks = 0; (await state()) !== 'Succeeded'; looks += 1) assert.ok(looks < 100, 'the clock stands still');
  };
  await wait('firstregistry', () => azure.advance(300));
  await wait('secondregistry', () => azure.clock(10_000));
});

test('images are pushed and deleted, nodes join, lists come in pages', async () => {
  const before = azure.digest(IMAGE);
  const pushed = azure.pushImage(IMAGE, { platforms: ['linux/arm64'] });
  assert.ok(pushed === azure.digest(IMAGE) && pushed !== before);
  azure.deleteImage(IMAGE);
  assert.equal(azure.digest(IMAGE), undefined);
  azure.node('group', 'dev', 'aks-arm-0', { architecture: 'arm64' });
  azure.egress('group', 'dev', '*.blob.core.windows.net', { allowed: false });
  azure.disk('group', 'dev', 'nodepool1', 0);
  azure.inspection('group', 'dev', '*.azurecr.io', { inspected: true });
  azure.pushImage('myregistry.azurecr.io/lost:1');
  azure.loseContent('group', 'dev', 'aks-nodepool1-0', 'myregistry.azurecr.io/lost:1');
  azure.key('group', 'myregistry', { accessible: true });
  azure.load('group', 'myregistry', azure.kubeletObjectId('group', 'dev'), { readsPerMinute: 1, seconds: 1 });
  azure.paging({ size: 1, emptyFirst: true });
  const list = `/subscriptions/${azure.subscriptionId}/providers/Microsoft.ContainerRegistry/registries`;
  const { body } = await (await Wire.of(azure)).arm('GET', list);
  assert.deepEqual(body.value, []);
  assert.ok(body.nextLink.startsWith(azure.origin));
});

test('another program finds it by its environment', () => {
  assert.equal(azure.environment.HTTPS_PROXY, azure.proxy);
  assert.equal(azure.environment.NODE_EXTRA_CA_CERTS, azure.caFile);
  assert.throws(() => { azure.environment.HTTPS_PROXY = ''; }, TypeError);
});
