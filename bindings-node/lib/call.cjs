'use strict';

const native = require('../native.cjs');
const { Thrown } = require('./credential.cjs');
const { AksAcrError } = require('./error.cjs');
const { shown, view } = require('./view.cjs');
const { TYPES } = require('./surface.cjs');
const { thrown } = require('./write.cjs');

/**
 * Makes one call: `make` is given the native call and the options that are for core, `toResult` what came of it. `stop` is a signal
 * besides the caller's own.
 */
async function perform(given, make, toResult, stop) {
  const { signal, onProgress, ...options } = read(given);
  const call = new native.Call(onProgress && listener(onProgress));
  const signals = [signal, stop].filter(Boolean);
  const unwatch = signals.map((one) => watch(one, () => call.cancel()));
  try {
    return toResult(await make(call, options), (refusal) => failure(refusal, signals));
  } catch (refusal) {
    throw withCause(failure(refusal, signals), call.number);
  } finally {
    thrown.delete(call.number);
    for (const end of unwatch) end();
  }
}

/** The same error, caused by what the hook of its call threw, if it did. */
function withCause(error, number) {
  if (error.refusal !== 'write_hook' || !thrown.has(number)) return error;
  return Object.defineProperty(error, 'cause', { value: thrown.get(number), writable: true, configurable: true });
}

/** The options as an object, those checked that do not go to core. */
function read(given) {
  const options = given ?? {};
  if (typeof options !== 'object' || Array.isArray(options)) {
    throw AksAcrError.invalidInput('options: must be an object');
  }
  const { signal, onProgress } = options;
  if (isGiven(signal) && (typeof signal.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')) {
    throw AksAcrError.invalidInput('options.signal: must be an AbortSignal');
  }
  if (isGiven(onProgress) && typeof onProgress !== 'function') {
    throw AksAcrError.invalidInput('options.onProgress: must be a function');
  }
  return options;
}

/** `null` is no option, as is `undefined`. */
const isGiven = (option) => option !== undefined && option !== null;

/** A listener for native events; `null` comes after the last. */
const listener = (onProgress) => (event) => {
  if (event === null) return;
  try {
    onProgress(shown(event, 'Event'));
  } catch (thrown) {
    // The work continues. An exception of the listener is uncaught, as with any event listener.
    process.nextTick(() => {
      throw thrown;
    });
  }
};

/** What a native refusal is to the caller. */
function failure(refusal, signals = []) {
  const fields = refusal.fields;
  if (fields === undefined) return refusal;
  const aborted = fields.code === 'cancelled' ? signals.find((signal) => signal.aborted) : undefined;
  const cause = refusal.cause instanceof Thrown ? refusal.cause.value : refusal.cause;
  // The fields themselves are named as here; what is in them is in core's form.
  const inside = Object.entries(fields).map(([name, fact]) => [name, view(fact, TYPES.AksAcrError[name])]);
  return new AksAcrError(refusal.message, { ...Object.fromEntries(inside), cause: aborted ? aborted.reason : cause });
}

/** Who waits for a signal. However many calls share one, there is one listener on it, and none when all have ended. */
const waiting = new WeakMap();

/** Calls `abort` when the signal is aborted, or at once if it is. What it returns ends that. */
function watch(signal, abort) {
  if (signal.aborted) {
    abort();
    return () => {};
  }
  let watched = waiting.get(signal);
  if (!watched) {
    const all = new Set();
    const listener = () => all.forEach((one) => one());
    signal.addEventListener('abort', listener, { once: true });
    watched = { all, listener };
    waiting.set(signal, watched);
  }
  watched.all.add(abort);
  return () => {
    watched.all.delete(abort);
    if (watched.all.size > 0) return;
    signal.removeEventListener('abort', watched.listener);
    if (waiting.get(signal) === watched) waiting.delete(signal);
  };
}

module.exports = { perform, failure, isGiven };
