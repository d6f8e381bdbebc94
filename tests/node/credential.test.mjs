// Credentials: those of @azure/identity, and whatever else has getToken.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  ChainedTokenCredential,
  ClientAssertionCredential,
  ClientSecretCredential,
  CredentialUnavailableError,
  EnvironmentCredential,
} from '@azure/identity';
import { Emulator } from 'aks-acr-emulator';
import { azureFor, clientOf, SCENE } from './azure.mjs';

const azure = azureFor();

const secret = (emulator, given = emulator.clientSecret) =>
  new ClientSecretCredential(emulator.tenantId, emulator.clientId, given, emulator.identityOptions());

test('a secret of @azure/identity signs in', async () => {
  const client = clientOf(azure.emulator, { credential: secret(azure.emulator) });
  assert.equal((await client.identities('group/dev')).state, 'Succeeded');
});

test('a chain of @azure/identity signs in with the first that can', async () => {
  const chain = new ChainedTokenCredential(new EnvironmentCredential(), secret(azure.emulator));
  const client = clientOf(azure.emulator, { credential: chain });
  assert.equal((await client.registry('myregistry')).loginServer, 'myregistry.azurecr.io');
});

test('what the credential threw is the cause, the very object', async () => {
  for (const thrown of [
    new CredentialUnavailableError('nobody is signed in'),
    new RangeError('x'),
    'a text',
    null,
    5,
  ]) {
    for (const credential of [
      { getToken: () => Promise.reject(thrown) },
      {
        getToken() {
          throw thrown;
        },
      },
    ]) {
      const err = await clientOf(azure.emulator, { credential })
        .identities('group/dev')
        .catch((err) => err);
      assert.equal(err.code, 'unauthenticated');
      assert.strictEqual(err.cause, thrown);
      if (thrown instanceof Error) assert.match(err.message, new RegExp(thrown.message));
    }
  }
});

test('a wrong secret of @azure/identity is told by its own error', async () => {
  const client = clientOf(azure.emulator, { credential: secret(azure.emulator, 'wrong') });
  const err = await client.identities('group/dev').catch((err) => err);
  assert.equal(err.code, 'unauthenticated');
  assert.equal(err.cause.name, 'AuthenticationRequiredError');
  assert.match(err.cause.message, /AADSTS7000215/);
});

/** The error of a call with this credential. */
const failing = (credential) =>
  clientOf(azure.emulator, { credential })
    .identities('group/dev')
    .then(() => assert.fail('it signed in'), (err) => err);

test('what @azure/identity throws has the kind of its cause', async () => {
  const refusal = (code) => ({ error: 'invalid_grant', error_description: `AADSTS${code}: no.`, error_codes: [code] });
  for (const [fault, code] of [
    [{ status: 503, body: { error: 'temporarily_unavailable' } }, 'unavailable'],
    [{ status: 502, page: true }, 'unavailable'],
    [{ status: 200, page: true }, 'unavailable'],
    [{ reset: true }, 'unavailable'],
    [{ status: 429, body: { error: 'temporarily_throttled' } }, 'rate_limited'],
    [{ status: 401, body: refusal(7000215) }, 'unauthenticated'],
    [{ status: 400, body: refusal(53003) }, 'unauthenticated'],
  ]) {
    const emulator = await Emulator.start({ scene: SCENE });
    try {
      await emulator.fault('/oauth2/v2.0/token', { times: 100, ...fault });
      const options = { ...emulator.identityOptions(), retryOptions: { maxRetries: 0 } };
      const credential = new ClientSecretCredential(emulator.tenantId, emulator.clientId, emulator.clientSecret, options);
      const err = await failing(credential);
      assert.equal(err.code, code, `${JSON.stringify(fault)}: ${err}`);
      assert.equal(err.isTransient, code !== 'unauthenticated', `${err}`);
      assert.equal(err.refusal, JSON.stringify(fault).includes('53003') ? 'conditional_access' : undefined, `${err}`);
      assert.equal(err.cause.name, 'AuthenticationRequiredError');
    } finally {
      await emulator.stop();
    }
  }
});

test('@azure/identity without a network is not taken for a refusal', async () => {
  const { emulator } = azure;
  const options = { ...emulator.identityOptions(), authorityHost: 'https://127.0.0.1:1', retryOptions: { maxRetries: 0 } };
  const err = await failing(new ClientSecretCredential(emulator.tenantId, emulator.clientId, 'x', options));
  assert.deepEqual([err.code, err.isTransient], ['unavailable', true], `${err}`);
});

test('what another credential throws has the kind of its cause', async () => {
  const coded = (code) => Object.assign(new Error('x'), { code });
  const answered = (statusCode, headers = {}) => Object.assign(new Error('x'), { statusCode, response: { headers } });
  const own = new Error('mine');
  own.cause = own;
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('not to be read');
    },
  });
  for (const [thrown, code, isTransient] of [
    [coded('ENOTFOUND'), 'unavailable', true],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'unavailable', false],
    [new TypeError('fetch failed', { cause: coded('UND_ERR_SOCKET') }), 'unavailable', true],
    [new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]), 'unavailable', true],
    [new DOMException('x', 'TimeoutError'), 'unavailable', true],
    [answered(500), 'unavailable', true],
    [answered(403, new Headers({ 'content-type': 'text/html' })), 'unavailable', false],
    [answered(403), 'unauthenticated', false],
    [new CredentialUnavailableError('nobody is signed in'), 'unauthenticated', false],
    [coded('ENOENT'), 'unauthenticated', false],
    [new DOMException('x', 'AbortError'), 'unauthenticated', false],
    [own, 'unauthenticated', false],
    [hostile, 'unauthenticated', false],
  ]) {
    const err = await failing({ getToken: () => Promise.reject(thrown) });
    assert.deepEqual([err.code, err.isTransient], [code, isTransient], err.message);
    assert.strictEqual(err.cause, thrown);
  }
});

test("the wait that a credential's response asks for is kept", async () => {
  for (const headers of [{ 'Retry-After': '300' }, new Headers({ 'retry-after': '300' }), new Map([['retry-after', '300']])]) {
    const thrown = Object.assign(new Error('slowly'), { statusCode: 429, response: { headers } });
    const err = await failing({ getToken: () => Promise.reject(thrown) });
    assert.deepEqual([err.code, err.retryAfterMs, err.status], ['rate_limited', 300_000, 429]);
    assert.strictEqual(err.cause, thrown);
  }
});

test('an assertion of OIDC signs in without a secret, and is asked of its function', async () => {
  const { emulator } = azure;
  const [issuer, subject] = ['https://issuer.example', 'repo:my/repository:ref:refs/heads/main'];
  const { tenantId, clientId } = emulator;
  let asked = 0;
  const assertion = async () => {
    asked += 1;
    return emulator.federatedToken(issuer, subject);
  };
  const credential = new ClientAssertionCredential(tenantId, clientId, assertion, emulator.identityOptions());
  const client = clientOf(emulator, { credential });
  const err = await client.identities('group/dev').catch((err) => err);
  assert.equal(err.code, 'unauthenticated');
  assert.equal(err.cause.name, 'AuthenticationRequiredError');
  assert.match(err.cause.message, /AADSTS700211/);
  emulator.federate(issuer, subject);
  assert.equal((await client.identities('group/dev')).state, 'Succeeded');
  assert.ok(asked >= 2);
});

test('no token, or something else than one, is an error that says so', async () => {
  for (const given of [null, undefined, {}, { token: 5, expiresOnTimestamp: 5 }, { token: 'secret-text' }]) {
    const credential = { getToken: () => given };
    const err = await clientOf(azure.emulator, { credential })
      .identities('group/dev')
      .catch((err) => err);
    assert.equal(err.code, 'unauthenticated');
    assert.match(err.cause.message, /getToken/);
    assert.doesNotMatch(err.message, /secret-text/);
  }
});

test('an end of a token that is no time is refused by its name, once', async () => {
  for (const expiresOnTimestamp of [NaN, Infinity, -5, 1e300, Date.now() * 1000, null, new Date(), '5', 5n]) {
    let asked = 0;
    const getToken = async () => {
      asked += 1;
      return { token: 'secret-text', expiresOnTimestamp };
    };
    const err = await clientOf(azure.emulator, { credential: { getToken } })
      .identities('group/dev')
      .catch((err) => err);
    assert.equal(err.code, 'unauthenticated', String(expiresOnTimestamp));
    assert.match(err.message, /expiresOnTimestamp that is .*; it must be milliseconds since 1970/);
    assert.doesNotMatch(err.message, /secret-text/);
    assert.equal(asked, 1);
  }
});

test('getToken is a method of its object', async () => {
  class Mine {
    #inner = azure.emulator.credential();
    async getToken(scopes) {
      return this.#inner.getToken(scopes);
    }
  }
  const client = clientOf(azure.emulator, { credential: new Mine() });
  assert.equal((await client.identities('group/dev')).state, 'Succeeded');
});

test('64 calls at once share one request for a token', async () => {
  const inner = azure.emulator.credential();
  let asked = 0;
  const credential = {
    async getToken(scopes) {
      asked += 1;
      return inner.getToken(scopes);
    },
  };
  const client = clientOf(azure.emulator, { credential });
  await Promise.all(Array.from({ length: 64 }, () => client.identities('group/dev')));
  assert.equal(asked, 1);
});

/** A credential that gives no token until it is told to, and what it was asked. */
function waiting() {
  const asked = [];
  let begin;
  const begun = new Promise((resolve) => (begin = resolve));
  const getToken = (scopes, { abortSignal }) =>
    new Promise((resolve, reject) => {
      abortSignal.addEventListener('abort', () => reject(abortSignal.reason), { once: true });
      const give = async () => resolve(await azure.emulator.credential().getToken(scopes));
      asked.push({ abortSignal, give });
      begin(asked[0]);
    });
  return { credential: { getToken }, asked, begun };
}

test('a request for a token is aborted when its call is cancelled, or has come to its deadline', async () => {
  for (const deadlineMs of [undefined, 300]) {
    const { credential, begun } = waiting();
    const controller = new AbortController();
    const options = { signal: controller.signal, deadlineMs };
    const call = clientOf(azure.emulator, { credential }).identities('group/dev', options);
    const settled = assert.rejects(call, { code: deadlineMs ? 'deadline_exceeded' : 'cancelled' });
    const { abortSignal } = await begun;
    assert.equal(abortSignal.aborted, false);
    const aborted = once(abortSignal, 'abort');
    if (!deadlineMs) controller.abort();
    await settled;
    await aborted;
    assert.equal(abortSignal.reason.name, 'AbortError');
  }
});

test('a request for a token that another call waits for goes on, and is the only one', async () => {
  const { credential, asked, begun } = waiting();
  const client = clientOf(azure.emulator, { credential });
  const controller = new AbortController();
  const first = client.identities('group/dev', { signal: controller.signal });
  const { give, abortSignal } = await begun;
  const second = client.identities('group/dev');
  // It waits for the request of the first by the time that a call made after it has come to its end.
  await assert.rejects(client.identities('group/dev', { deadlineMs: 100 }), { code: 'deadline_exceeded' });
  controller.abort();
  await assert.rejects(first, { code: 'cancelled' });
  const third = new AbortController();
  setTimeout(() => third.abort(), 600);
  await assert.rejects(client.identities('group/dev', { signal: third.signal }), { code: 'cancelled' });
  assert.equal(abortSignal.aborted, false);
  give();
  assert.equal((await second).state, 'Succeeded');
  assert.equal(asked.length, 1);
  assert.equal(abortSignal.aborted, false);
});

test('a request for a token that came is never aborted', async () => {
  const { credential, begun } = waiting();
  const controller = new AbortController();
  const call = clientOf(azure.emulator, { credential }).identities('group/dev', { signal: controller.signal });
  const { give, abortSignal } = await begun;
  give();
  await call;
  controller.abort();
  await assert.rejects(clientOf(azure.emulator, { credential: waiting().credential }).identities('group/dev', { deadlineMs: 500 }));
  assert.equal(abortSignal.aborted, false);
});
