'use strict';

const { AksAcrError } = require('./error.cjs');
const { shown } = require('./view.cjs');

/** What hooks threw, by the numbers of the calls that they were asked for. */
const thrown = new Map();

/** The hook as the native half calls it: why a write must not be sent, or nothing. None if there is none. */
function hook(onWrite) {
  if (onWrite === undefined) return undefined;
  if (typeof onWrite !== 'function') throw AksAcrError.invalidInput('onWrite: must be a function');
  return (write) => {
    try {
      const given = onWrite(shown(write, 'Write'));
      if (given === false) return 'onWrite returned false';
      if (typeof given?.then !== 'function') return undefined;
      // What a promise comes to would be too late, so it may not pass for a yes.
      Promise.resolve(given).catch(() => {});
      return 'onWrite returned a promise; it must be synchronous';
    } catch (fault) {
      if (write.call !== null) thrown.set(write.call, fault);
      return fault instanceof Error ? fault.message : String(fault);
    }
  };
}

module.exports = { hook, thrown };
