'use strict';

const { isGiven } = require('./call.cjs');

/** A call whose events are iterated. All are kept, so that every iterator has them from the first. */
class Run {
  #events = [];
  #ended = false;
  #waiting = new Set();
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
    if (isGiven(onProgress) && typeof onProgress !== 'function') return given;
    if (isGiven(given) && (typeof given !== 'object' || Array.isArray(given))) return given;
    const hear = (event) => {
      this.#events.push(event);
      this.#wake();
      onProgress?.(event);
    };
    return { ...given, onProgress: hear };
  }

  #wake() {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  cancel() {
    this.#stop.abort();
  }

  /** No generator: one that waits for an event would be left only after that. */
  [Symbol.asyncIterator]() {
    let place = 0;
    // The loop was left, or has received the end of the call.
    let over = false;
    const next = async () => {
      const mine = place++;
      while (!over && !this.#ended && mine >= this.#events.length) {
        await new Promise((resolve) => this.#waiting.add(resolve));
      }
      if (!over && mine < this.#events.length) return { value: this.#events[mine], done: false };
      if (!over) {
        over = true;
        await this.result;
      }
      return { value: undefined, done: true };
    };
    // If the loop is left early, the work is stopped and ends before the loop does; its error is dropped.
    const leave = async (value) => {
      over = true;
      this.#stop.abort();
      this.#wake();
      await this.result.catch(() => {});
      return { value, done: true };
    };
    return {
      next,
      return: leave,
      async throw(thrown) {
        await leave();
        throw thrown;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

module.exports = { Run };
