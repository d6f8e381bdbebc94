'use strict';

// From core's JSON form to what a program in JavaScript expects: names in camel case, times as Date, everything frozen.

const TIMES = new Set(['at', 'created', 'expires', 'last_restart']);

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

function view(value) {
  if (Array.isArray(value)) return Object.freeze(value.map(view));
  if (value === null || typeof value !== 'object') return value;
  return Object.freeze(fields(value));
}

function fields(value) {
  const entry = ([name, one]) => [camelCase(name), TIMES.has(name) && one !== null ? new Date(one) : view(one)];
  return Object.fromEntries(Object.entries(value).map(entry));
}

/** The same, of a value that core has a text for: `String(…)` gives it. */
function shown({ value, text }, more = {}) {
  const methods = { toString: () => text, ...more };
  const hidden = Object.entries(methods).map(([name, method]) => [name, { value: method }]);
  return Object.freeze(Object.defineProperties(fields(value), Object.fromEntries(hidden)));
}

/** A plan; its JSON is core's own, which every language reads. */
const plan = (given) => shown(given, { toJSON: () => given.value });

module.exports = { view, shown, plan };
