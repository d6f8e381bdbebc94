'use strict';

/** A kubeconfig. It holds keys, so neither `util.inspect` nor `JSON.stringify` shows its text. */
class Kubeconfig {
  #text;

  constructor({ server, context, text }) {
    this.server = server;
    this.context = context;
    this.#text = text;
    Object.freeze(this);
  }

  text() {
    return this.#text;
  }
}

module.exports = { Kubeconfig };
