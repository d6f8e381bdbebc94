'use strict';

/** A call whose events are iterated. */
class Run {
  #events = [];
  #ended = false;
  #wake = () => {};
  #controller = new AbortController();

  /** @param {(options: object) => Promise<unknown>} start makes the call */
  constructor(given, start) {
    const { signal, onProgress } = given ?? {};
    const signals = signal instanceof AbortSignal ? [signal, this.#controller.signal] : [this.#controller.signal];
    const hear = (event) => {
      this.#events.push(event);
      this.#wake();
      if (typeof onProgress === 'function') onProgress(event);
    };
    this.result = start({ ...given, signal: AbortSignal.any(signals), onProgress: hear });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    this.result.then(end, end);
    Object.defineProperty(this, 'result', { writable: false, enumerable: true });
  }

  /** Ends with the work's error, if it fails. Leaving early cancels the work. */
  async *[Symbol.asyncIterator]() {
    try {
      while (!this.#ended || this.#events.length > 0) {
        if (this.#events.length > 0) yield this.#events.shift();
        else await new Promise((resolve) => (this.#wake = resolve));
      }
      await this.result;
    } finally {
      this.#controller.abort();
      // Whoever iterates has had the error already, or left before it came.
      await this.result.catch(() => {});
    }
  }
}

module.exports = { Run };
