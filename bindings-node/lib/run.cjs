'use strict';

/** A call whose events are iterated. */
class Run {
  #events = [];
  #ended = false;
  #wake = () => {};
  #stop = new AbortController();

  /** `start` makes the call, with these options and a signal that stops it. */
  constructor(given, start) {
    const result = start(this.#listening(given), this.#stop.signal);
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    result.then(end, end);
    Object.defineProperty(this, 'result', { value: result, enumerable: true });
  }

  /** What is no object of options goes on as it is, to be refused. */
  #listening(given) {
    const { onProgress } = given ?? {};
    if (onProgress !== undefined && typeof onProgress !== 'function') return given;
    if (given !== undefined && given !== null && (typeof given !== 'object' || Array.isArray(given))) return given;
    const hear = (event) => {
      this.#events.push(event);
      this.#wake();
      onProgress?.(event);
    };
    return { ...given, onProgress: hear };
  }

  cancel() {
    this.#stop.abort();
  }

  async *[Symbol.asyncIterator]() {
    try {
      while (!this.#ended || this.#events.length > 0) {
        if (this.#events.length > 0) yield this.#events.shift();
        else await new Promise((resolve) => (this.#wake = resolve));
      }
      await this.result;
    } finally {
      // Left early, the work is stopped; whoever iterates has had its error, or wanted no more of it.
      this.#stop.abort();
      await this.result.catch(() => {});
    }
  }
}

module.exports = { Run };
