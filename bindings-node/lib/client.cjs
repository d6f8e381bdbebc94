'use strict';

const { inspect } = require('node:util');
const native = require('../native.cjs');
const { failure, perform } = require('./call.cjs');
const { getter } = require('./credential.cjs');
const { AksAcrError } = require('./error.cjs');
const { Kubeconfig } = require('./kubeconfig.cjs');
const { Run } = require('./run.cjs');
const { plan, shown, view } = require('./view.cjs');

/** Every operation: how many arguments come before its options, and what its result becomes. */
const OPERATIONS = {
  identities: [1, view],
  attach: [2, view],
  planAttach: [2, plan],
  applyAttach: [1, view],
  registry: [1, view],
  createRegistry: [2, view],
  importImage: [2, view],
  kubeconfig: [1, (value) => new Kubeconfig(value)],
  apply: [2, view],
  rollOut: [2, view],
  pods: [1, shown],
};

class Client {
  #native;
  #shown;
  #follow;

  constructor(settings) {
    if (settings === null || typeof settings !== 'object') throw AksAcrError.invalidInput('settings: wanted an object');
    const { credential, ...rest } = settings;
    try {
      this.#native = new native.Client(getter(credential), rest);
    } catch (refusal) {
      throw failure(refusal);
    }
    const { subscriptionId, cloud = 'public' } = rest;
    this.#shown = { subscriptionId, cloud };
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

/** Makes the call of an operation. A plan among its arguments goes back in the form that it is stored in. */
async function make(client, name, given, stop) {
  const [count, toResult] = OPERATIONS[name];
  const values = firsts(given, count).map((value) => (typeof value?.toJSON === 'function' ? value.toJSON() : value));
  return toResult(await perform(given[count], async (call, options) => client[name](call, ...values, options), stop));
}

const firsts = (given, count) => Array.from({ length: count }, (_, index) => given[index]);

function define(prototype, name, method) {
  Object.defineProperty(method, 'name', { value: name });
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
}

module.exports = { Client };
