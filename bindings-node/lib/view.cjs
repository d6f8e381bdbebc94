'use strict';

const native = require('../native.cjs');
const { AksAcrError } = require('./error.cjs');
const { METHODS, TYPES } = require('./surface.cjs');

/* From core's JSON form to what a program in JavaScript expects: names in camel case, times as Date, everything frozen. What has a
   type reads as core's text: with `String(…)`, in templates, and in `util.inspect` before its fields. */

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** A value of core's as JavaScript has it; `type` is that of the value, or of each in a list. */
function view(value, type) {
  if (Array.isArray(value)) return Object.freeze(value.map((one) => view(one, type)));
  if (value === null || typeof value !== 'object') return value;
  const made = fields(value, TYPES[type]);
  if (type !== undefined) {
    readable(made, type, () => described(type, value));
    for (const [name, method] of Object.entries(METHODS[type] ?? {})) {
      Object.defineProperty(made, name, { value: () => asked(type, value, method), enumerable: false });
    }
  }
  return Object.freeze(made);
}

/** What a method of core's gives for a value in core's form. */
function asked(type, value, [method, gives]) {
  try {
    return view(JSON.parse(native.ask(type, method, JSON.stringify(value))), gives) ?? undefined;
  } catch (refusal) {
    // It needs what is here.
    throw require('./call.cjs').failure(refusal);
  }
}

/** Core's text for a value in core's form. */
const described = (type, value) => native.describe(type, JSON.stringify(value));

/** The {@link view} of values of one type. */
const viewOf = (type) => (value) => view(value, type);

function fields(value, types = {}) {
  const entry = ([name, one]) => [camelCase(name), field(one, types[name])];
  return Object.fromEntries(Object.entries(value).map(entry));
}

function field(value, type) {
  if (type === 'Date') return value === null ? null : new Date(value);
  return type === 'Json' ? frozen(value) : view(value, type);
}

function frozen(value) {
  if (value === null || typeof value !== 'object') return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** Lets a value read as a text, without a field that `JSON.stringify`, a comparison or a copy would meet. */
function readable(made, type, text) {
  const hidden = (value) => ({ value, enumerable: false });
  const show = (depth, options, inspect) => {
    const said = text();
    const line = said.includes('\n') ? `${type}\n${said}\n` : `${type} (${said})`;
    // Too deep for its fields, the line says what it is.
    return depth < 0 ? line : `${line} ${inspect({ ...made }, options)}`;
  };
  return Object.defineProperties(made, { toString: hidden(text), [Symbol.for('nodejs.util.inspect.custom')]: hidden(show) });
}

/** The same, of a value whose text came with it. */
function shown({ value, text }, type) {
  return Object.freeze(readable(fields(value, TYPES[type]), type, () => text));
}

/** A plan; its JSON is core's own, which every language reads. */
const planOf = (type) => (value) => {
  const made = readable(fields(value, TYPES[type]), type, () => described(type, value));
  return Object.freeze(Object.defineProperty(made, 'toJSON', { value: () => value }));
};

/** For each type of plan, and each result with methods, what reads its stored form. */
const readers = Object.fromEntries(
  Object.keys(TYPES)
    .filter((type) => type.endsWith('Plan') || type in METHODS)
    .map((type) => [type, Object.freeze({ fromJSON: (given) => made(type)(checked(type, stored(given, type))) })]),
);

const made = (type) => (type.endsWith('Plan') ? planOf(type) : viewOf(type));

function checked(type, value) {
  try {
    described(type, value);
    return value;
  } catch (fault) {
    const kind = type.endsWith('Plan') ? 'plan' : 'result';
    throw AksAcrError.invalidInput(`stored: not a ${kind} of type ${type}: ${fault.message}`);
  }
}

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * Core's JSON form of a value that is in that form already or in that of {@link view}, such as a copy of a plan, which has no methods. With
 * its type, the names within that are not core's stay.
 */
function stored(value, type) {
  if (typeof value?.toJSON === 'function') return value.toJSON();
  if (Array.isArray(value)) return value.map((one) => stored(one, type));
  if (value === null || typeof value !== 'object') return value;
  const types = TYPES[type] ?? {};
  const entry = ([name, one]) => [name, types[name] === 'Json' ? one : stored(one, types[name])];
  return Object.fromEntries(Object.entries(value).map(([name, one]) => entry([snakeCase(name), one])));
}

module.exports = { readers, readable, view, viewOf, shown, planOf, snakeCase, stored };
