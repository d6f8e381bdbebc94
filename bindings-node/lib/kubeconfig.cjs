'use strict';

const native = require('../native.cjs');

/** A kubeconfig. It holds keys, so neither `util.inspect` nor `JSON.stringify` shows its text. */
class Kubeconfig {
  #text;

  constructor({ server, context, text }) {
    this.server = server;
    this.context = context;
    this.#text = text;
    Object.freeze(this);
  }

  /** Nothing of the text. The sentence is core's. */
  toString() {
    return native.describeKubeconfig(this.#text);
  }

  text() {
    return this.#text;
  }
}

module.exports = { Kubeconfig };
