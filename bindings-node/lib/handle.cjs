'use strict';

const { AksAcrError } = require('./error.cjs');

const LOOKED = Symbol('looked');

/** An import that was begun. Its link is a secret: `util.inspect` does not show it, only the stored form has it. */
class ImportHandle {
  #stored;
  #waitMs;

  constructor(stored, waitMs = null) {
    if (typeof stored?.registry !== 'string' || !Array.isArray(stored.targets)) {
      throw AksAcrError.invalidInput('stored: wanted what an ImportHandle was stored as');
    }
    this.#stored = stored;
    this.#waitMs = waitMs;
    this.registry = stored.registry;
    this.targets = Object.freeze([...stored.targets]);
    Object.freeze(this);
  }

  get waitMs() {
    return this.#waitMs;
  }

  toJSON() {
    return { ...this.#stored };
  }

  /** Takes over what a look at the import gave: another link, and how long to wait for the next. */
  [LOOKED](stored, waitMs) {
    this.#stored = stored;
    this.#waitMs = waitMs;
  }
}

module.exports = { ImportHandle, LOOKED };
