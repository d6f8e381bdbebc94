'use strict';

const native = require('../native.cjs');

// From core's JSON form to what a program in JavaScript expects: names in camel case, times as Date, everything frozen.

const TIMES = new Set(['at', 'created', 'expires', 'last_restart']);
// `at` is a place, too: where a right is needed.
const IS_TIME = /^\d{4}-\d\d-\d\dT/;

// What is not in core's words: images' tags as keys, a body in the words of Azure.
const OTHERS = new Set(['body', 'tags']);

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/**
 * The types of what is within a value, by the names of core's fields. What is of a type here reads as a line of core's: by `String(…)`, in
 * templates, and in `util.inspect` before its fields.
 */
const INSIDE = {
  Applied: {},
  AddOnIdentity: {},
  AttachOutcome: {},
  AttachPlan: { cluster: 'ClusterRef', action: 'PlannedAction' },
  Attachment: { outcome: 'AttachOutcome' },
  Cluster: {},
  ClusterAttachments: { grants: 'PullGrant' },
  ClusterIdentities: { kubelet: 'KubeletIdentity', add_ons: 'AddOnIdentity', entra: 'EntraSettings' },
  ClusterRef: {},
  CreatedCluster: { cluster: 'Cluster', differences: 'Difference', attachments: 'Attachment' },
  CreatedRegistry: { registry: 'Registry', differences: 'Difference' },
  DenyingPolicy: {},
  DetachPlan: { cluster: 'ClusterRef', remove: 'RoleAssignment', remaining: 'PullGrant' },
  Detachment: { removed: 'RemovedGrant', remaining: 'PullGrant' },
  Difference: {},
  EntraSettings: {},
  GrantReach: {},
  Import: { proof: 'ImportProof' },
  ImportProof: {},
  ImportStatus: {},
  KubeletIdentity: {},
  MergedKubeconfig: {},
  PlannedAction: { outcome: 'AttachOutcome' },
  Pod: { pull_failure: 'PullFailure' },
  Pods: { pods: 'Pod' },
  PullCause: {},
  PullFailure: { cause: 'PullCause' },
  PullGrant: { reach: 'GrantReach' },
  Registry: {},
  RegistryAttachments: { registry: 'Registry', grants: 'PullGrant' },
  RemovedGrant: {},
  RequiredRight: {},
  RoleAssignment: {},
  Rollout: {},
  StartedImport: { import: 'Import' },
};

/** A value of core's as JavaScript has it; `type` is that of the value, or of each in a list. */
function view(value, type) {
  if (Array.isArray(value)) return Object.freeze(value.map((one) => view(one, type)));
  if (value === null || typeof value !== 'object') return value;
  const made = fields(value, INSIDE[type]);
  if (type !== undefined) readable(made, type, () => described(type, value));
  return Object.freeze(made);
}

/** Core's text for a value in core's form. */
const described = (type, value) => native.describe(type, JSON.stringify(value));

/** The {@link view} of values of one type. */
const viewOf = (type) => (value) => view(value, type);

function fields(value, types = {}) {
  const entry = ([name, one]) => [camelCase(name), field(name, one, types[name])];
  return Object.fromEntries(Object.entries(value).map(entry));
}

function field(name, one, type) {
  if (TIMES.has(name) && IS_TIME.test(one)) return new Date(one);
  return OTHERS.has(name) ? frozen(one) : view(one, type);
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
  return Object.freeze(readable(fields(value), type, () => text));
}

/** A plan; its JSON is core's own, which every language reads. */
const planOf = (type) => (value) => {
  const made = readable(fields(value, INSIDE[type]), type, () => described(type, value));
  return Object.freeze(Object.defineProperty(made, 'toJSON', { value: () => value }));
};

const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Core's JSON form of a value in that form already or in that of {@link view}, such as a copy of a plan, which is no plan any more. */
function stored(value) {
  if (typeof value?.toJSON === 'function') return value.toJSON();
  if (Array.isArray(value)) return value.map(stored);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [snakeCase(name), stored(one)]));
}

module.exports = { INSIDE, readable, view, viewOf, shown, planOf, snakeCase, stored };
