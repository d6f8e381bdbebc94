'use strict';

const { AksAcrError } = require('./error.cjs');

/**
 * How long a request for a token is kept that no call waits for any more. Calls at the same time share one request, and the one that made it
 * may be the one that ends: what waits with it asks at once, and takes the request over.
 */
const KEPT_MS = 250;

/** The last time that is written with a year of four digits. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * `getToken` of a credential as the native half calls it: always a promise, and always of a token; given the number of a request alone,
 * nobody waits for that one any more. None if there is no credential.
 */
function getter(credential) {
  if (credential === undefined) return undefined;
  if (typeof credential?.getToken !== 'function') {
    throw AksAcrError.invalidInput('credential: wanted an object with getToken, such as those of @azure/identity');
  }
  const awaited = new Map();
  const left = new Map();

  async function ask(number, scopes) {
    const key = scopes.join(' ');
    const request = left.get(key) ?? begin(credential, scopes);
    left.delete(key);
    request.isLeft = false;
    clearTimeout(request.end);
    awaited.set(number, { key, request });
    try {
      return await request.token;
    } finally {
      awaited.delete(number);
    }
  }

  function leave(number) {
    const found = awaited.get(number);
    if (!found) return;
    const { key, request } = found;
    awaited.delete(number);
    left.set(key, request);
    request.isLeft = true;
    const end = () => {
      if (!request.isLeft) return;
      if (left.get(key) === request) left.delete(key);
      request.controller.abort();
    };
    // Where the thread was busy, a call that takes over is heard before the time is up.
    request.end = setTimeout(() => setImmediate(end), KEPT_MS);
  }

  return (number, scopes) => (scopes ? ask(number, scopes) : leave(number));
}

function begin(credential, scopes) {
  const controller = new AbortController();
  return { controller, token: tokenOf(credential, scopes, controller.signal), isLeft: false, end: undefined };
}

async function tokenOf(credential, scopes, abortSignal) {
  const { token, expiresOnTimestamp } = (await credential.getToken(scopes, { abortSignal })) ?? {};
  if (typeof token !== 'string' || expiresOnTimestamp === undefined) {
    throw new TypeError('getToken of the credential gave no { token, expiresOnTimestamp }');
  }
  if (!(typeof expiresOnTimestamp === 'number' && expiresOnTimestamp >= 0 && expiresOnTimestamp <= LATEST)) {
    const given = typeof expiresOnTimestamp === 'number' ? expiresOnTimestamp : `of type ${typeof expiresOnTimestamp}`;
    const wanted = 'milliseconds since 1970, before the year 10000';
    throw new TypeError(`getToken of the credential gave an expiresOnTimestamp that is ${given}; wanted ${wanted}`);
  }
  return { token, expiresOnTimestamp };
}

module.exports = { getter };
