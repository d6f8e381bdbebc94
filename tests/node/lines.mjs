// Every result reads as a line or a table of core's.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';

const require = createRequire(import.meta.url);
const { TYPES } = require(join(dirname(require.resolve('aks-acr/package.json')), 'lib/surface.cjs'));

/** A value, and all objects in it. */
function* within(value, path) {
  if (value instanceof Date || value === null || typeof value !== 'object') return;
  // By the words of others: names of tags and of arguments. The facts of a report are plain JSON.
  if (/\.(tags|arguments|facts)$/.test(path)) return;
  if (!Array.isArray(value)) yield [value, path];
  for (const [name, one] of Object.entries(value)) yield* within(one, `${path}.${name}`);
}

export class Lines {
  #seen = new Set();

  /** Checks a result, and whatever is in it. */
  check(result, place) {
    for (const [value, path] of within(result, place)) {
      const text = String(value);
      assert.doesNotMatch(text, /\[object|undefined|null/, path);
      if (value instanceof Error) continue;
      assert.ok(text.length > 3 && !text.startsWith('{'), `${path}: ${text}`);
      const shown = inspect(value, { depth: -1 });
      const type = /^(\w+)[ (\n]/.exec(shown)?.[1];
      if (!Object.hasOwn(TYPES, type)) continue;
      this.#seen.add(type);
      assert.ok(shown.includes(text), shown);
      // Its fields are there as before, and nothing else.
      assert.deepEqual(Object.keys(structuredClone(value)), Object.keys(value));
      assert.ok(!JSON.stringify(value).includes('toString'));
    }
  }

  /** The types of which no value was checked. */
  unseen() {
    return Object.keys(TYPES).filter((type) => !this.#seen.has(type));
  }
}
