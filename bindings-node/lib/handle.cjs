'use strict';

const native = require('../native.cjs');
const { AksAcrError } = require('./error.cjs');

const POLLED = Symbol('polled');

/** An import that was begun. Its link is a secret: `util.inspect` does not show it, only the stored form has it. */
class ImportHandle {
  #stored;
  #waitMs;

  constructor(stored, waitMs = null) {
    if (typeof stored?.registry !== 'string' || !Array.isArray(stored.targets)) {
      throw AksAcrError.invalidInput('stored: must be the stored form of an ImportHandle');
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

  toString() {
    return native.describe('ImportHandle', JSON.stringify(this.#stored));
  }

  /** Takes over what a poll returned: a new link, and how long to wait for the next. */
  [POLLED](stored, waitMs) {
    this.#stored = stored;
    this.#waitMs = waitMs;
  }
}

/** A copy of a handle, as `structuredClone`, a message to a worker or a spread makes it, is without the secret. */
function hasLink(name, given) {
  if (typeof given.link === 'string') return;
  const how = 'store JSON.stringify(handle), and restore it with new ImportHandle(JSON.parse(text))';
  throw AksAcrError.invalidInput(`${name}: the link is missing, because copies do not keep it: ${how}`);
}

/** The handle in what is to be looked at: a handle, its stored form, or the start that gave it. */
function followed(given) {
  if (given?.kind === 'already_exists') {
    throw AksAcrError.invalidInput('handle: there is none, because no import was started: the registry already had the image');
  }
  return given?.kind === 'started' ? given.handle : given;
}

/** The stored form of what {@link followed} gave. */
function storedHandle(handle) {
  if (handle instanceof ImportHandle) return handle.toJSON();
  if (typeof handle?.registry === 'string') hasLink('handle', handle);
  return handle;
}

module.exports = { ImportHandle, POLLED, followed, storedHandle };
