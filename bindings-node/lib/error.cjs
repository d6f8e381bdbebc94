'use strict';

const named = { writable: true, configurable: true };

/** What went wrong. Its `code` is the kind, the same word in every language. */
class AksAcrError extends Error {
  constructor(message, { cause, ...fields }) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { code: fields.code, isTransient: false }, fields);
    // By this name any code recognizes that something was stopped on purpose.
    if (this.code === 'cancelled') Object.defineProperty(this, 'name', { ...named, value: 'AbortError' });
  }

  /** An argument that was refused here. */
  static invalidInput(message) {
    return new AksAcrError(message, { code: 'invalid_input' });
  }
}

// As with the errors of Node itself, the name is no field of each instance.
Object.defineProperty(AksAcrError.prototype, 'name', { ...named, value: 'AksAcrError' });

module.exports = { AksAcrError };
