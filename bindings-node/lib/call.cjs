'use strict';

const native = require('../native.cjs');
const { AksAcrError } = require('./error.cjs');
const { shown } = require('./view.cjs');

/** Makes one call: `make` is given the native call and the options that are not the call's own. */
async function perform(given, make) {
  const { signal, onProgress, ...options } = read(given);
  const heard = onProgress && listen(onProgress);
  const call = new native.Call(heard?.listener);
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await make(call, options).finally(() => heard?.ended);
  } catch (refusal) {
    throw failure(refusal, signal);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** The options as an object, those checked that do not go to core. */
function read(given) {
  const options = given ?? {};
  if (typeof options !== 'object' || Array.isArray(options))
    throw AksAcrError.invalidInput('options: wanted an object');
  const { signal, onProgress } = options;
  if (signal !== undefined && (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')) {
    throw AksAcrError.invalidInput('signal: wanted an AbortSignal');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw AksAcrError.invalidInput('onProgress: wanted a function');
  }
  return options;
}

/** A listener for native events. `ended` settles when the last event was told, which is before the call's promise does. */
function listen(onProgress) {
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  const listener = (event) => {
    if (event === null) return end();
    try {
      onProgress(shown(event));
    } catch (thrown) {
      // The work goes on; the fault of the listener is nobody's to catch, as with any event listener.
      process.nextTick(() => {
        throw thrown;
      });
    }
  };
  return { listener, ended };
}

/** What a native refusal is to the caller. */
function failure(refusal, signal) {
  const fields = refusal.fields;
  if (fields === undefined) return refusal;
  const cause = fields.code === 'cancelled' && signal?.aborted ? signal.reason : refusal.cause;
  return new AksAcrError(refusal.message, { ...fields, cause });
}

module.exports = { perform, failure };
