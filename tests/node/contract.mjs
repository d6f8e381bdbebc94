// The contract between the languages, and how Node's names map to it.

import { readFileSync, readdirSync } from 'node:fs';
import { AksAcrError, ImportHandle } from 'aks-acr';

const folder = new URL('../contract/', import.meta.url);
const read = (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));

export const operations = read('operations.json');
export const errors = read('errors.json');
export const stories = readdirSync(new URL('stories/', folder))
  .sort()
  .map((file) => read(`stories/${file}`));

/** The arguments that are no options, in their order. */
const POSITIONAL = Object.fromEntries(operations.map((one) => [one.rust, one.arguments]));

const SECONDS = new Set(['deadline', 'lock_wait', 'propagation_time', 'propagation_timeout', 'retry_forbidden_for']);

export const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The arguments of a step as Node's: those that come first, then the options. `<folder>` is the story's own. */
export function given(call, args, kept, folder) {
  const put = ([name, value]) => [name, typeof value === 'string' ? value.replace('<folder>', folder) : value];
  const left = new Map(Object.entries(args).map(put));
  const take = (name) => {
    const value = left.get(name);
    left.delete(name);
    if (name === 'images') return value.map(options);
    if (typeof value !== 'string' || !value.startsWith('$')) return value;
    const stored = kept.get(value.slice(1));
    // A handle is kept as what it came in.
    return stored[name] ?? stored;
  };
  const first = POSITIONAL[call].map(take);
  return [first, options(Object.fromEntries(left))];
}

/** Options as Node's. */
function options(given) {
  const option = ([name, value]) =>
    SECONDS.has(name) ? [`${camelCase(name)}Ms`, value * 1000] : [camelCase(name), value];
  return Object.fromEntries(Object.entries(given).map(option));
}

/** A result or an event in core's JSON form. */
export function canonical(value) {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof AksAcrError) return canonicalError(value);
  if (value instanceof ImportHandle) return value.toJSON();
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  // The names of tags are chosen by their owner.
  const entry = ([name, one]) => [snakeCase(name), name === 'tags' ? one : canonical(one)];
  return Object.fromEntries(Object.entries(value).map(entry));
}

/** An error in the form of a story. */
export function canonicalError(err) {
  const { code: kind, status, serviceCode: code, refusal, missingAction, scope, smallestRole, pullFailure, failedSide } = err;
  const { isTransient, created } = err;
  const facts = { kind, status, code, refusal, missingAction, scope, smallestRole, pullFailure, failedSide, isTransient, created };
  return canonical(Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)));
}

/** Whether a value is what was wanted, `"<any>"` being whatever is there. Where not, the place and why. */
export function difference(place, wanted, got, { more = false } = {}) {
  if (wanted === '<any>') return got === null || got === undefined ? `${place} is ${got}` : undefined;
  if (wanted === null || typeof wanted !== 'object' || got === null || typeof got !== 'object') {
    return wanted === got ? undefined : `${place} is ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`;
  }
  const names = new Set([...Object.keys(wanted), ...(more ? [] : Object.keys(got))]);
  for (const name of names) {
    if (!(name in wanted)) return `${place}.${name} is there: ${JSON.stringify(got[name])}`;
    const found = difference(`${place}.${name}`, wanted[name], got[name]);
    if (found) return found;
  }
  return undefined;
}

/** Whether two lists of request lines are equal, whatever their order. */
export function differentLines(wanted, got) {
  const left = [...got];
  for (const line of wanted) {
    const pattern = new RegExp(
      `^${line
        .split('<any>')
        .map(RegExp.escape ?? escape)
        .join('.*')}$`,
    );
    const at = left.findIndex((one) => pattern.test(one));
    if (at < 0) return `no request ${line}; there were\n${got.join('\n')}`;
    left.splice(at, 1);
  }
  // One that was given up is seen a little later, in the next step perhaps, or never.
  const more = left.filter((one) => !one.endsWith(' -'));
  return more.length > 0 ? `requests that nobody wanted: ${more.join('\n')}` : undefined;
}

function escape(text) {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}
