'use strict';

/** What went wrong. Its `code` is the kind, the same word in every language. */
class AksAcrError extends Error {
  constructor(message, { cause, ...fields }) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, fields);
    this.isTransient ??= false;
  }

  /** An argument that was refused here. */
  static invalidInput(message) {
    return new AksAcrError(message, { code: 'invalid_input' });
  }
}

// As with the errors of Node itself, the name is no field of each instance.
Object.defineProperty(AksAcrError.prototype, 'name', { value: 'AksAcrError', writable: true, configurable: true });

module.exports = { AksAcrError };
