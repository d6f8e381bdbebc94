'use strict';

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

module.exports = { watch };
