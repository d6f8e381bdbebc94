'use strict';

const { inspect } = require('node:util');
const native = require('../native.cjs');
const { failure, perform } = require('./call.cjs');
const { getter } = require('./credential.cjs');
const { AksAcrError } = require('./error.cjs');
const { ImportHandle, LOOKED, followed, storedHandle } = require('./handle.cjs');
const { Kubeconfig } = require('./kubeconfig.cjs');
const { Run } = require('./run.cjs');
const { plan, shown, stored, view } = require('./view.cjs');
const { hook } = require('./write.cjs');

/**
 * Every operation: how many arguments come before its options; what its result becomes, given it, a way to explain a refusal in it, and
 * the arguments; and what the first argument becomes for core, where that is more than a text.
 */
const OPERATIONS = {
  identities: [1, view],
  attach: [2, view],
  planAttach: [2, plan],
  applyAttach: [1, view, stored],
  detach: [2, view],
  planDetach: [2, plan],
  applyDetach: [1, view, stored],
  attachmentsOfCluster: [1, view],
  attachmentsOfRegistry: [1, view],
  registry: [1, view],
  createRegistry: [2, view],
  createCluster: [1, view],
  importImage: [2, view],
  importImages: [2, (results, explain) => Object.freeze(results.map((one) => ofList(one, explain)))],
  startImport: [2, started],
  pollImport: [1, looked, (given) => storedHandle(followed(given))],
  kubeconfig: [1, (value) => new Kubeconfig(value)],
  mergeKubeconfig: [1, view],
  apply: [2, view],
  rollOut: [2, view],
  pods: [1, (value) => shown(value)],
};

/** One result of a list: what came of it, or the error. */
const ofList = ({ error, ...rest }, explain) => (error ? Object.freeze({ error: explain(error) }) : view(rest));

function started({ value, handle, waitMs }) {
  return handle ? Object.freeze({ ...value, handle: new ImportHandle(handle, waitMs) }) : view(value);
}

/** The handle that was given goes on from here, as core's does; one that was read from its stored form has no such memory. */
function looked({ value, handle, waitMs }, explain, [given]) {
  const goingOn = followed(given);
  if (goingOn instanceof ImportHandle) goingOn[LOOKED](handle, waitMs);
  return view(value);
}

class Client {
  #native;
  #shown;
  #follow;

  constructor(settings) {
    if (settings === null || typeof settings !== 'object') throw AksAcrError.invalidInput('settings: wanted an object');
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
  const [count, toResult, toCore = (value) => value] = OPERATIONS[name];
  const first = firsts(given, count);
  const values = [toCore(first[0]), ...first.slice(1)];
  const call = (native, options) => client[name](native, ...values, options);
  return perform(given[count], call, (result, explain) => toResult(result, explain, first), stop);
}

const firsts = (given, count) => Array.from({ length: count }, (_, index) => given[index]);

function define(prototype, name, method) {
  Object.defineProperty(method, 'name', { value: name });
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
}

module.exports = { Client, OPERATIONS };
