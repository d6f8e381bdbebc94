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
    this.#follow = new Follow(this);
  }

  get follow() {
    return this.#follow;
  }

  /** Nothing of the credential, nothing of a proxy's password. */
  [inspect.custom](depth, options) {
    return `Client ${inspect(this.#shown, options)}`;
  }

  static {
    for (const [name, [count, toResult]] of Object.entries(OPERATIONS)) {
      define(Client.prototype, name, async function (...given) {
        const client = this.#native;
        const values = Array.from({ length: count }, (_, index) => plain(given[index]));
        return toResult(await perform(given[count], (call, options) => client[name](call, ...values, options)));
      });
    }
  }
}

/** Every operation again, as a run to be iterated. */
class Follow {
  #client;

  constructor(client) {
    this.#client = client;
  }

  static {
    for (const [name, [count]] of Object.entries(OPERATIONS)) {
      define(Follow.prototype, name, function (...given) {
        const values = Array.from({ length: count }, (_, index) => given[index]);
        return new Run(given[count], (options) => this.#client[name](...values, options));
      });
    }
  }
}

/** A plan goes back in the form that it is stored in. */
const plain = (value) => (typeof value?.toJSON === 'function' ? value.toJSON() : value);

function define(prototype, name, method) {
  Object.defineProperty(method, 'name', { value: name });
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
}

module.exports = { Client, OPERATIONS };
