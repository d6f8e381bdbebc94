'use strict';

// From core's JSON form to what a program in JavaScript expects: names in camel case, times as Date, everything frozen.

const TIMES = new Set(['at', 'created', 'expires', 'last_restart']);
// `at` is a place, too: where a right is needed.
const IS_TIME = /^\d{4}-\d\d-\d\dT/;

// What is not in core's words: images' tags as keys, a body in the words of Azure.
const OTHERS = new Set(['body', 'tags']);

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

function view(value) {
  if (Array.isArray(value)) return Object.freeze(value.map(view));
  if (value === null || typeof value !== 'object') return value;
  return Object.freeze(fields(value));
}

function fields(value) {
  const entry = ([name, one]) => [camelCase(name), field(name, one)];
  return Object.fromEntries(Object.entries(value).map(entry));
}

function field(name, one) {
  if (TIMES.has(name) && IS_TIME.test(one)) return new Date(one);
  return OTHERS.has(name) ? frozen(one) : view(one);
}

function frozen(value) {
  if (value === null || typeof value !== 'object') return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** The same, of a value that core has a text for: `String(…)` gives it. */
function shown({ value, text }, more = {}) {
  const methods = { toString: () => text, ...more };
  const hidden = Object.entries(methods).map(([name, method]) => [name, { value: method }]);
  return Object.freeze(Object.defineProperties(fields(value), Object.fromEntries(hidden)));
}

/** A plan; its JSON is core's own, which every language reads. */
const plan = (given) => shown(given, { toJSON: () => given.value });

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Core's JSON form of a value in that form already or in that of {@link view}, such as a copy of a plan, which is no plan any more. */
function stored(value) {
  if (typeof value?.toJSON === 'function') return value.toJSON();
  if (Array.isArray(value)) return value.map(stored);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [snakeCase(name), stored(one)]));
}

module.exports = { view, shown, plan, snakeCase, stored };
