'use strict';

const { inspect } = require('node:util');
const native = require('../native.cjs');
const { failure, perform } = require('./call.cjs');
const { getter } = require('./credential.cjs');
const { AksAcrError } = require('./error.cjs');
const { ImportHandle, POLLED, followed, storedHandle } = require('./handle.cjs');
const { Kubeconfig } = require('./kubeconfig.cjs');
const { RegistryToken } = require('./registry.cjs');
const { Run } = require('./run.cjs');
const { OPERATIONS } = require('./surface.cjs');
const { planOf, readable, stored, view, viewOf } = require('./view.cjs');
const { hook } = require('./write.cjs');

/** What becomes of results that are more than their fields: each is given the result, a way to explain an error in it, and the arguments. */
const RESULTS = {
  ImportResult: (results, explain) => Object.freeze(results.map((one) => ofList(one, explain))),
  StartedImport: started,
  ImportStatus: polled,
  Kubeconfig: (value) => new Kubeconfig(value),
  RegistryToken: (value) => new RegistryToken(value),
};

/** What becomes of first arguments that are more than text. */
const ARGUMENTS = { plan: stored, handle: (given) => storedHandle(followed(given)) };

/** One result of a list: what came of it, or the error. */
function ofList({ error, ...rest }, explain) {
  if (!error) return readableItem(rest);
  const explained = explain(error);
  return Object.freeze(readable({ error: explained }, 'ImportFailure', () => explained.message));
}

/** An import of a list; its text is that of the import. */
function readableItem({ import: done }) {
  const made = { import: view(done, 'Import') };
  return Object.freeze(readable(made, 'ImportSuccess', () => String(made.import)));
}

function started({ value, handle, waitMs }) {
  if (!handle) return view(value, 'StartedImport');
  const made = { ...value, handle: new ImportHandle(handle, waitMs) };
  return Object.freeze(readable(made, 'StartedImport', () => `started: ${made.handle}`));
}

/** The handle that was given goes on from here, as core's does; one that was read from its stored form has no such memory. */
function polled({ value, handle, waitMs }, explain, [given]) {
  const goingOn = followed(given);
  if (goingOn instanceof ImportHandle) goingOn[POLLED](handle, waitMs);
  return view(value, 'ImportStatus');
}

class Client {
  #native;
  #shown;
  #follow;

  constructor(settings) {
    if (settings === null || typeof settings !== 'object') throw AksAcrError.invalidInput('settings: must be an object');
    const { credential, onWrite, ...rest } = settings;
    try {
      this.#native = new native.Client(getter(credential), hook(onWrite), rest);
    } catch (refusal) {
      throw failure(refusal);
    }
    const { subscriptionId, cloud = 'public', readOnly } = rest;
    this.#shown = { subscriptionId, cloud, ...(readOnly && { readOnly }) };
    this.#follow = new Follow(this.#native);
  }

  get follow() {
    return this.#follow;
  }

  /** Nothing of the credential, nothing of a proxy's password. */
  [inspect.custom](depth, options) {
    return `Client ${inspect(this.#shown, options)}`;
  }

  static {
    for (const name of Object.keys(OPERATIONS)) {
      define(Client.prototype, name, async function (...given) {
        return make(this.#native, name, given);
      });
    }
  }
}

/** Every operation again, as a run to be iterated. */
class Follow {
  #native;

  constructor(client) {
    this.#native = client;
  }

  static {
    for (const [name, [count]] of Object.entries(OPERATIONS)) {
      define(Follow.prototype, name, function (...given) {
        const client = this.#native;
        const start = (options, stop) => make(client, name, [...firsts(given, count), options], stop);
        return new Run(given[count], start);
      });
    }
  }
}

/** Makes the call of an operation. */
async function make(client, name, given, stop) {
  const [count, type, kind] = OPERATIONS[name];
  const toResult = RESULTS[type] ?? (kind !== 'plan' && type.endsWith('Plan') ? planOf(type) : viewOf(type));
  const first = firsts(given, count);
  const values = kind ? [ARGUMENTS[kind](first[0]), ...first.slice(1)] : first;
  const call = (native, options) => client[name](native, ...values, options);
  return perform(given[count], call, (result, explain) => toResult(result, explain, first), stop);
}

const firsts = (given, count) => Array.from({ length: count }, (_, index) => given[index]);

function define(prototype, name, method) {
  Object.defineProperty(method, 'name', { value: name });
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
}

module.exports = { Client };
