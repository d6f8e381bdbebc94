'use strict';

const { AksAcrError } = require('./error.cjs');

/**
 * How long a request for a token is kept after the last call that waits for it has ended. Concurrent calls share one request, and
 * the call that made it may end first: the others ask again at once, and take the request over.
 */
const KEPT_MS = 250;

/** The last time that is written with a year of four digits. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * `getToken` of a credential as the native half calls it: it always returns a promise of a token. A call with only the number of
 * a request means that no call waits for that request any longer. `undefined` if there is no credential.
 */
function getter(credential) {
  if (credential === undefined) return undefined;
  if (typeof credential?.getToken !== 'function') {
    throw AksAcrError.invalidInput('credential: must be an object with getToken, such as those of @azure/identity');
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
    } catch (thrown) {
      throw new Thrown(thrown);
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

/** So many errors behind one are read, and so deep: an error may be its own cause. */
const MOST_CAUSES = 8;
const DEEPEST = 4;

/** What a credential threw, in an error whose text describes it for core, which judges it. */
class Thrown extends Error {
  constructor(value) {
    super(JSON.stringify(described(value)));
    this.value = value;
  }
}

/** What an error says, and its causes, as `CredentialFailure` of core. What cannot be read is passed over: it must not hide the error. */
function described(value, depth = 0) {
  const get = (of, name) => attempt(() => of?.[name]);
  const texts = (values) => values.filter((one) => typeof one === 'string' && one !== '');
  const response = get(value, 'response');
  const numbers = ['statusCode', 'status'].flatMap((name) => [get(value, name), get(response, name)]);
  const listed = get(value, 'errors');
  const cause = get(value, 'cause');
  const causes = Array.isArray(listed) ? listed : cause === undefined || cause === null ? [] : [cause];
  return {
    classes: texts([get(value, 'name'), ...classes(value)]),
    message: attempt(() => String(value instanceof Error ? value.message : value)) ?? '',
    codes: texts([get(value, 'code'), get(get(value, 'errorResponse'), 'error')]),
    status: numbers.find((one) => Number.isInteger(one) && one >= 100 && one <= 599) ?? null,
    headers: attempt(() => pairs(get(response, 'headers'))) ?? [],
    causes: depth < DEEPEST ? causes.slice(0, MOST_CAUSES).map((one) => described(one, depth + 1)) : [],
  };
}

function classes(value) {
  const names = [];
  for (let at = value; typeof at === 'object' && at !== null; at = attempt(() => Object.getPrototypeOf(at))) {
    names.push(attempt(() => at.constructor.name));
    if (names.length === MOST_CAUSES) break;
  }
  return names;
}

/** Of `Headers` of the web, of those of `@azure/core-rest-pipeline`, or of a plain object. */
function pairs(headers) {
  const entries = typeof headers?.[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers ?? {});
  return entries.filter((pair) => pair.every((one) => typeof one === 'string'));
}

function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function tokenOf(credential, scopes, abortSignal) {
  const { token, expiresOnTimestamp } = (await credential.getToken(scopes, { abortSignal })) ?? {};
  if (typeof token !== 'string' || expiresOnTimestamp === undefined) {
    throw new TypeError('getToken of the credential returned no { token, expiresOnTimestamp }');
  }
  if (!(typeof expiresOnTimestamp === 'number' && expiresOnTimestamp >= 0 && expiresOnTimestamp <= LATEST)) {
    const given = typeof expiresOnTimestamp === 'number' ? expiresOnTimestamp : `of type ${typeof expiresOnTimestamp}`;
    const wanted = 'milliseconds since 1970, before the year 10000';
    throw new TypeError(`getToken of the credential returned an expiresOnTimestamp that is ${given}; it must be ${wanted}`);
  }
  return { token, expiresOnTimestamp };
}

module.exports = { getter, Thrown };
