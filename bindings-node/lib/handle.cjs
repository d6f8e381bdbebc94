'use strict';

const native = require('../native.cjs');
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
    hasLink('stored', stored);
    this.#stored = stored;
    this.#waitMs = waitMs;
    this.registry = stored.registry;
    this.targets = Object.freeze([...stored.targets]);
    this.correlationId = stored.correlation_id ?? null;
    Object.freeze(this);
  }

  get waitMs() {
    return this.#waitMs;
  }

  toJSON() {
    return { ...this.#stored };
  }

  /** Nothing of its link. */
  toString() {
    return native.describe('ImportHandle', JSON.stringify(this.#stored));
  }

  /** Takes over what a look at the import gave: another link, and how long to wait for the next. */
  [LOOKED](stored, waitMs) {
    this.#stored = stored;
    this.#waitMs = waitMs;
  }
}

/** A copy of a handle, as `structuredClone`, a message to a worker or a spread makes it, is without the secret. */
function hasLink(name, given) {
  if (typeof given.link === 'string') return;
  const how = 'keep JSON.stringify(handle) instead, and go on with new ImportHandle(JSON.parse(text))';
  throw AksAcrError.invalidInput(`${name}: wanted a handle with its link, which a copy of one does not have: ${how}`);
}

/** The handle in what is to be looked at: a handle, its stored form, or the start that gave it. */
function followed(given) {
  if (given?.kind === 'already_exists') {
    throw AksAcrError.invalidInput('handle: wanted that of an import that was begun; the image was there already');
  }
  return given?.kind === 'started' ? given.handle : given;
}

/** The stored form of what {@link followed} gave. */
function storedHandle(handle) {
  if (handle instanceof ImportHandle) return handle.toJSON();
  if (typeof handle?.registry === 'string') hasLink('handle', handle);
  return handle;
}

module.exports = { ImportHandle, LOOKED, followed, storedHandle };
